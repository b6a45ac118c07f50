import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { attachFlags, parseStatus } from "../../src/domain/kernel/Supervisor.ts"
import {
  buildInit,
  everything,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  slowness,
  temporaryBase
} from "./FxInit.ts"
import { dockerLike, exec, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const simple = (script: string) => [...rootOperations(base, rootfs), mountProc, shell(script)]

const isAlive = (pid: number, startTime: number): boolean => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
    return fields[0] !== "Z" && Number(fields[19]) === startTime
  } catch {
    return false
  }
}

describe.runIf(isRoot)("a supervised program", () => {
  it("gives its output by stream, its exit code, and the facts in order", async () => {
    const run = new FxInit(base, {
      program: dockerLike(base, rootfs, [shell("echo out; echo err >&2; exit 3")])
    })
    const channel = await run.finished()
    expect(channel.stdout).toBe("out\n")
    expect(channel.stderr).toBe("err\n")
    expect(channel.exit).toEqual({ code: 3, signal: 0, oomKilled: false })
    expect(channel.frames[0]!.type).toBe(16)
    expect(channel.frames.at(-1)!.type).toBe(18)
    expect(run.status.init!.pid).toBe(channel.pid)
    expect(run.status.supervisor.pid).toBe(run.process.pid)
    expect(run.status.exited!.status).toEqual({ code: 3, signal: 0, oomKilled: false })
    expect(run.status.exited!.at).toBeGreaterThan(run.status.startedAt!)
    expect(Math.abs(Number(run.status.startedAt! / 1_000_000n) - Date.now())).toBeLessThan(20_000)
  })

  it("reports 128 + n for a signal", async () => {
    const channel = await new FxInit(base, {
      program: simple("(exec sh -c 'kill -9 $$'); exit $?")
    }).finished()
    expect(channel.exit).toEqual({ code: 137, signal: 0, oomKilled: false })
    const killed = new FxInit(base, { program: simple("sleep 1000") })
    await killed.started()
    process.kill(killed.channel.pid, "SIGKILL")
    expect((await killed.finished()).exit).toEqual({ code: 137, signal: 9, oomKilled: false })
  })

  it("leaves no process, no socket and no mount, and keeps a copy of the status", async () => {
    const exitFile = join(base, "exit-status")
    const run = new FxInit(base, {
      exitFile,
      program: simple(`sleep 1000 & sleep ${0.2 * slowness}; exit 0`)
    })
    await run.started()
    const { init } = run.status
    expect(run.hasSocket).toBe(true)
    await run.finished()
    expect(run.hasSocket).toBe(false)
    expect(isAlive(init!.pid, init!.startTime)).toBe(false)
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(base)
    expect(parseStatus(readFileSync(exitFile, "utf8"))).toEqual(run.status)
    expect(readdirSync(run.directory).sort()).toEqual(["specification", "status"])
    expect(existsSync(`${exitFile}.tmp`)).toBe(false)
  })

  it("does not wait for orphans that hold its output", async () => {
    const run = new FxInit(base, {
      namespaces: ["mnt"],
      program: simple(`(sleep ${3 * slowness}; echo late) & echo early`)
    })
    const begin = Date.now()
    const channel = await run.finished()
    expect(channel.stdout).toBe("early\n")
    expect(Date.now() - begin).toBeLessThan(2500 * slowness)
  })

  it("writes as root only what others may not read", async () => {
    const run = new FxInit(base, { program: simple("sleep 1000") })
    await run.started()
    expect(statSync(join(run.directory, "attach.sock")).mode & 0o777).toBe(0o600)
    expect(statSync(join(run.directory, "status")).mode & 0o777).toBe(0o600)
    process.kill(run.channel.pid, "SIGKILL")
    await run.finished()
  })

  it("shows its name and id, protects itself from the OOM killer, and the container is not protected", async () => {
    const run = new FxInit(base, {
      program: dockerLike(base, rootfs, [shell("cat /proc/self/oom_score_adj; sleep 1000")])
    })
    await run.channel.until(() => run.channel.stdout !== "")
    expect(run.channel.stdout).toBe("0\n")
    const proc = `/proc/${run.process.pid}`
    expect(readFileSync(`${proc}/comm`, "utf8")).toBe("fx-init\n")
    expect(readFileSync(`${proc}/cmdline`, "utf8")).toBe(
      `${new URL("../../native/build/fx-init", import.meta.url).pathname}\0test\0`
    )
    // Without CAP_SYS_RESOURCE the score cannot be lowered, and the supervisor runs all the same.
    const own = BigInt("0x" + /CapEff:\t(.*)/.exec(readFileSync("/proc/self/status", "utf8"))![1])
    expect(readFileSync(`${proc}/oom_score_adj`, "utf8")).toBe((own >> 24n) & 1n ? "-999\n" : "0\n")
    process.kill(run.channel.pid, "SIGKILL")
    await run.finished()
  })

  it("outlives every signal but SIGKILL, and does not pass them on", async () => {
    const run = new FxInit(base, { program: simple("sleep 1000") })
    await run.started()
    for (const signal of [
      "SIGHUP",
      "SIGINT",
      "SIGTERM",
      "SIGQUIT",
      "SIGTSTP",
      "SIGUSR1",
      "SIGPIPE"
    ] as const) {
      process.kill(run.process.pid!, signal)
    }
    await new Promise((resolve) => setTimeout(resolve, 50 * slowness))
    expect(isAlive(run.status.supervisor.pid, run.status.supervisor.startTime)).toBe(true)
    expect(run.channel.exit).toBeUndefined()
    process.kill(run.channel.pid, "SIGKILL")
    expect((await run.finished()).exit!.code).toBe(137)
  })

  it("leaves the container running when it is killed itself", async () => {
    const run = new FxInit(base, { program: simple("sleep 1000") })
    await run.started()
    const init = run.status.init!
    process.kill(run.process.pid!, "SIGKILL")
    await run.gone
    expect(isAlive(init.pid, init.startTime)).toBe(true)
    process.kill(init.pid, "SIGKILL")
  })

  it("starts the container with default signal dispositions, an empty mask and the umask asked for", async () => {
    const channel = await new FxInit(base, {
      program: [
        ...rootOperations(base, rootfs),
        mountProc,
        { _tag: "Umask", mask: 0o027 },
        exec(["/bin/grep", "-E", "^(Umask|SigBlk|SigIgn)", "/proc/self/status"])
      ]
    }).finished()
    expect(channel.stdout).toBe(
      "Umask:\t0027\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
    )
  })
})

describe.runIf(isRoot)("after the end", () => {
  it("runs the command, with a clean environment and nothing inherited, unless a client claimed the exit", async () => {
    const output = (name: string) => join(base, name)
    const command = (name: string) => [
      "/bin/sh",
      "-c",
      `{ env | grep -v ^_= | sort; ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; cat /proc/self/oom_score_adj; grep SigIgn /proc/self/status; } > ${output(name)}`
    ]
    const claimed = new FxInit(base, { program: simple("true"), onExit: command("claimed") })
    await claimed.finished()
    expect(existsSync(output("claimed"))).toBe(false)
    const free = new FxInit(
      base,
      { program: simple("true"), onExit: command("free") },
      everything & ~attachFlags.claim
    )
    await free.finished()
    const [pwd, path, count, stdin, score, ignored] = readFileSync(output("free"), "utf8")
      .trim()
      .split("\n")
    expect([pwd, path]).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "PWD=/"
    ])
    expect(Number(count)).toBe(4)
    expect(stdin).toBe("/dev/null")
    expect(score).toBe(readFileSync("/proc/self/oom_score_adj", "utf8").trim())
    expect(ignored).toBe("SigIgn:\t0000000000000000")
  })

  it("runs the command though signals were sent to the supervisor before", async () => {
    const marker = join(base, "after-signals")
    const run = new FxInit(
      base,
      { program: simple("sleep 1000"), onExit: ["touch", marker] },
      everything & ~attachFlags.claim
    )
    await run.started()
    for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGQUIT"] as const) {
      process.kill(run.process.pid!, signal)
    }
    process.kill(run.channel.pid, "SIGKILL")
    await run.gone
    expect(existsSync(marker)).toBe(true)
  })

  it("runs the command when the client that claimed the exit has gone", async () => {
    const marker = join(base, "claim-gone")
    const run = new FxInit(base, {
      program: simple(`sleep ${0.3 * slowness}`),
      onExit: ["touch", marker]
    })
    await run.started()
    run.channel.socket.destroy()
    await run.gone
    expect(existsSync(marker)).toBe(true)
  })
})
