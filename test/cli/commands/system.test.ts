import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { HostTexts } from "../../../src/domain/kernel/KernelOp.ts"
import type { Engine } from "../../../src/programs/Engine.ts"
import { id, runLine, summary } from "../Stage.ts"

describe("system check", () => {
  const check = (repair: boolean, ...argv: ReadonlyArray<string>) => {
    const found = [
      { object: id("a"), problem: "it runs without its supervisor", mended: repair },
      { object: "/sys/fs/cgroup/x", problem: "it belongs to no container", mended: repair }
    ]
    return runLine(["system", "check", ...argv],
      { engine: { check: (options) => Effect.succeed(options.repair === repair ? found : []) } })
  }

  it("lists what disagrees and ends with 1", async () => {
    const outcome = await check(false)
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stdout.split("\n").map((line) => line.replace(/\s{2,}/g, "|"))).toEqual([
      "OBJECT|STATE|PROBLEM", `${id("a")}|open|it runs without its supervisor`,
        "/sys/fs/cgroup/x|open|it belongs to no container", ""
    ])
  })

  it("--repair ends with 0 when all is mended", async () => {
    const outcome = await check(true, "--repair")
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stdout).toContain("mended")
  })

  it("says that all is well", async () => {
    const outcome = await runLine(["system", "check"], { engine: { check: () => Effect.succeed([]) } })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "records and kernel agree\n" })
  })
})

describe("system recover and reap", () => {
  it("tells what was put right, and what was left alone", async () => {
    const engine = { recover: Effect.succeed({ mended: ["removed a thing"],
      quarantined: [{ id: id("abc"), reason: "no disk" }] }) }
    expect(await runLine(["system", "recover"], { engine })).toMatchObject({
      exitCode: 1, stdout: "removed a thing\n", stderr: "WARNING: container abc000000000 is left alone: no disk\n"
    })
    const nothing = { recover: Effect.succeed({ mended: [], quarantined: [] }) }
    expect(await runLine(["system", "recover"], { engine: nothing }))
      .toMatchObject({ exitCode: 0, stdout: "nothing to recover\n" })
  })

  it("reaps without a word", async () => {
    const reaped: Array<string> = []
    const engine: Partial<Engine["Service"]> = { reap: (one) => Effect.sync(() => void reaped.push(one)) }
    expect(await runLine(["system", "reap", id("a")], { engine })).toMatchObject({ exitCode: 0, stdout: "" })
    expect(reaped).toEqual([id("a")])
  })
})

describe("info and version", () => {
  const texts: Partial<HostTexts> = {
    mountinfo: "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", cgroups: "", controllers: "cpu memory",
      selfCgroup: "0::/\n",
    kernelRelease: "6.1.0", machine: "x86_64", hostname: "box", cpus: 4, memoryTotal: 2 ** 31
  }
  const engine: Partial<Engine["Service"]> = {
    hostTexts: Effect.succeed(texts as HostTexts),
    storage: Effect.succeed({ driver: "vfs", foreign: ["/r/aufs is of another engine"] }),
    list: Effect.succeed([summary("one", "running"), summary("two", "paused"), summary("three", "exited"),
      summary("four", "created")])
  }

  const images = { list: Effect.succeed([]) }

  it("counts containers by state, and shows the machine", async () => {
    const { stdout } = await runLine(["--root", "/r", "info"], { engine, images })
    expect(stdout).toContain("Containers: 4\n Running: 1\n Paused: 1\n Stopped: 2\nImages: 0\n")
    expect(stdout).toContain("Storage Driver: vfs\n")
    expect(stdout).toContain("WARNING: /r/aufs is of another engine\n")
    expect(stdout).toContain("Cgroup Version: 2\nKernel Version: 6.1.0\n")
    expect(stdout).toContain("CPUs: 4\nTotal Memory: 2GiB\nName: box\nRoot Dir: /r\n")
  })

  it("says why a storage driver of docker's is not there", async () => {
    const { exitCode, stderr } = await runLine(["--storage-driver", "aufs", "info"], { engine, images })
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain("the storage driver aufs is not supported: AUFS never became part of Linux")
    expect((await runLine(["--storage-driver", "vfs", "info"], { engine, images })).exitCode).toBe(0)
  })

  it("fills templates", async () => {
    expect((await runLine(["info", "-f", "{{.ContainersRunning}} {{.NCPU}}"], { engine, images })).stdout).toBe("1 4\n")
    expect((await runLine(["version", "-f", "{{.Client.Version}} {{.Server.Os}}"])).stdout)
      .toMatch(/^\d+\.\d+\.\d+ linux\n$/)
    expect(JSON.parse((await runLine(["version", "--format", "json"])).stdout))
      .toMatchObject({ Client: { Os: "linux" } })
  })
})
