import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { ContainerConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { AttachWish, Engine } from "../../../src/programs/Engine.ts"
import { endless, exited, id, missing, runLine, speaking } from "../Stage.ts"

const newId = id("abc")

/** An engine that keeps what it was asked. */
const engineOf = (asked: Array<string>, more: Partial<Engine["Service"]> = {}): Partial<Engine["Service"]> => ({
  create: (config: ContainerConfig, name: string) => {
    asked.push(`create ${config.image} ${name}`.trim())
    return Effect.succeed({ id: newId, name: "name", warnings: [] })
  },
  start: (reference) => Effect.sync(() => {
    asked.push(`start ${reference.slice(0, 3)}`)
    return []
  }),
  startAttached: (reference: string, wish: AttachWish) => Effect.sync(() => {
    const streams = (["stdin", "stdout", "stderr", "claim"] as const).filter((name) => wish[name]).join(" ")
    asked.push(`start ${reference.slice(0, 3)} with ${streams}`)
    return { ...speaking("hello\n", 7), warnings: [] }
  }),
  remove: (reference, { force }) =>
    Effect.sync(() => void asked.push(`remove ${reference.slice(0, 3)}${force ? " by force" : ""}`)),
  kill: (reference, signal) => Effect.sync(() => void asked.push(`kill ${reference.slice(0, 3)} ${signal}`)),
  ...more
})

describe("run", () => {
  it("prints what the container says and ends with its status", async () => {
    const asked: Array<string> = []
    const outcome = await runLine(["run", "--name", "n", "image"], { engine: engineOf(asked) })
    expect(outcome).toMatchObject({ exitCode: 7, stdout: "hello\n", stderr: "" })
    expect(asked).toEqual(["create image n", "start abc with stdout stderr claim"])
  })

  it("removes the container of --rm at its end", async () => {
    const asked: Array<string> = []
    await runLine(["run", "--rm", "image"], { engine: engineOf(asked) })
    expect(asked.at(-1)).toBe("remove abc")
  })

  it("passes stdin on with -i, and its end", async () => {
    const heard: Array<string> = []
    const engine = engineOf([], { startAttached: () => Effect.succeed({ ...speaking("", 0, heard), warnings: [] }) })
    await runLine(["run", "-i", "image"], { engine, stdin: ["one", "two"] })
    expect(heard).toEqual(["one", "two", "end"])
  })

  it("passes nothing on without -i", async () => {
    const heard: Array<string> = []
    const engine = engineOf([], { startAttached: () => Effect.succeed({ ...speaking("", 0, heard), warnings: [] }) })
    await runLine(["run", "image"], { engine, stdin: ["one"] })
    expect(heard).toEqual([])
  })

  it("-d prints the id and is done", async () => {
    const asked: Array<string> = []
    const outcome = await runLine(["run", "-d", "image"], { engine: engineOf(asked) })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${newId}\n` })
    expect(asked).toEqual(["create image", "start abc"])
  })

  it("prints warnings of the engine on stderr", async () => {
    const engine = engineOf([], {
      create: () => Effect.succeed({ id: newId, name: "n", warnings: ["no swap here"] }),
      start: () => Effect.succeed(["no blkio here"])
    })
    expect((await runLine(["run", "-d", "image"], { engine })).stderr)
      .toBe("WARNING: no swap here\nWARNING: no blkio here\n")
  })

  it("ends with 125 and the way to the help when the engine refuses", async () => {
    const engine = { create: () => Effect.fail(missing("x")) }
    expect(await runLine(["run", "image"], { engine })).toMatchObject({
      exitCode: 125, stderr: "fx-engine: No such container: x\n\nRun 'fx-engine run --help' for more information\n"
    })
  })

  it.each([126, 127])("ends with %i when the program cannot be run, and removes what --rm made", async (exitCode) => {
    const asked: Array<string> = []
    const failure = new ContainerError({ operation: "start", object: "x", kind: "command", cause: `exec: "x": no`,
      exitCode })
    const engine = engineOf(asked, { startAttached: () => Effect.fail(failure) })
    expect((await runLine(["run", "--rm", "image", "x"], { engine })).exitCode).toBe(exitCode)
    expect(asked.at(-1)).toBe("remove abc by force")
  })

  it("wants a terminal for -it, in docker's words", async () => {
    expect(await runLine(["run", "-it", "image"], { engine: {} }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: the input device is not a TTY\n" })
  })

  it("makes the terminal raw for -it and puts it back, and tells its size", async () => {
    const sizes: Array<ContainerConfig["consoleSize"]> = []
    const engine = engineOf([], {
      create: (config) => Effect.sync(() => {
        sizes.push(config.consoleSize)
        return { id: newId, name: "n", warnings: [] }
      })
    })
    const outcome = await runLine(["run", "-it", "image"],
      { engine, terminals: ["stdin", "stdout"], size: { rows: 33, columns: 99 } })
    expect(outcome).toMatchObject({ exitCode: 7, wasRaw: true, isRaw: false })
    expect(sizes).toEqual([[33, 99]])
  })

  it("leaves the container running after the detach keys, which it does not pass on", async () => {
    const asked: Array<string> = []
    const heard: Array<string> = []
    const engine = engineOf(asked, { startAttached: () => Effect.succeed({ ...endless(heard), warnings: [] }) })
    const outcome = await runLine(["run", "-it", "--rm", "image"], {
      engine, terminals: ["stdin"], stdin: ["ls\n", "\x10", "\x11", "more"]
    })
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "", isRaw: false })
    expect(heard).toEqual(["ls\n"])
    expect(asked.some((one) => one.startsWith("remove"))).toBe(false)
  })

  it("takes other detach keys", async () => {
    const heard: Array<string> = []
    const engine = engineOf([], { startAttached: () => Effect.succeed({ ...endless(heard), warnings: [] }) })
    await runLine(["run", "-it", "--detach-keys", "a,b", "image"],
      { engine, terminals: ["stdin"], stdin: ["\x10\x11", "ab"] })
    expect(heard).toEqual(["\x10\x11"])
  })

  it("passes signals on to the container", async () => {
    const asked: Array<string> = []
    let gone: (() => void) | undefined
    const engine = engineOf(asked, {
      startAttached: () => Effect.succeed({
        run: () => Effect.as(Effect.callback<void>((resume) => { gone = () => resume(Effect.void) }),
          { _tag: "Exited", exit: exited(143) } as const),
        resize: () => Effect.void, warnings: []
      }),
      kill: (reference, signal) => Effect.sync(() => {
        asked.push(`kill ${reference.slice(0, 3)} ${signal}`)
        setTimeout(() => gone?.(), 5)
      })
    })
    const outcome = await runLine(["run", "image"], { engine, signals: [15] })
    expect(outcome.exitCode).toBe(143)
    expect(asked).toContain("kill abc 15")
  })

  it("ends as if by SIGPIPE when nobody reads any more, and leaves the container alone", async () => {
    const asked: Array<string> = []
    const outcome = await runLine(["run", "--rm", "image"], { engine: engineOf(asked), patience: 0 })
    expect(outcome).toMatchObject({ exitCode: 141, stderr: "" })
    expect(asked.some((one) => one.startsWith("remove"))).toBe(false)
  })

  it("asks for the status when the supervisor went without a word", async () => {
    const engine = engineOf([], {
      startAttached: () => Effect.succeed({
        run: () => Effect.succeed({ _tag: "Lost" } as const), resize: () => Effect.void, warnings: []
      }),
      wait: () => Effect.succeed(exited(137))
    })
    expect((await runLine(["run", "image"], { engine })).exitCode).toBe(137)
  })

  it("runs a directory without an image", async () => {
    const configs: Array<ContainerConfig> = []
    const engine = engineOf([], {
      create: (config) => Effect.sync(() => {
        configs.push(config)
        return { id: newId, name: "n", warnings: [] }
      })
    })
    await runLine(["run", "--rootfs", "tree", "--", "ls", "-l"], { engine })
    await runLine(["run", "--rootfs", "/", "sh"], { engine })
    expect(configs.map(({ command, rootfs }) => [rootfs, command]))
      .toEqual([["/home/user/tree", ["ls", "-l"]], ["/", ["sh"]]])
  })

  it("refuses networks that are not there yet, by name", async () => {
    expect((await runLine(["run", "--network", "front", "image"])).stderr).toContain("network front is not available")
    expect((await runLine(["run", "-p", "80", "image"])).stderr).toContain("--publish is not supported yet")
    expect((await runLine(["run", "-v", "data:/data", "image"])).stderr).toContain("volumes are not supported yet")
  })
})

describe("options that exclude each other", () => {
  it.each([
    [["--cpus", "1", "--cpu-quota", "50000"], "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
    [["--cpus", "1", "--cpu-period", "50000"], "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
    [["--network", "container:x", "-h", "name"], "conflicting options: hostname and the network mode"],
    [["--uts", "host", "-h", "name"], "conflicting options: hostname and the UTS mode"],
    [["--network", "container:x", "--dns", "1.1.1.1"], "conflicting options: dns and the network mode"]
  ])("%j", async (argv, sentence) => {
    const outcome = await runLine(["run", ...argv, "image"], { engine: {} })
    expect(outcome.exitCode).toBe(125)
    expect(outcome.stderr).toContain(sentence)
  })
})

describe("--cidfile", () => {
  it("gets the id", async () => {
    const { files } = await runLine(["run", "--cidfile", "/id", "image"], { engine: engineOf([]) })
    expect(files.get("/id")).toBe(newId)
  })

  it("must not exist", async () => {
    const outcome = await runLine(["run", "--cidfile", "/id", "image"], { engine: {}, files: { "/id": "old" } })
    expect(outcome.exitCode).toBe(125)
    expect(outcome.stderr)
      .toContain("container ID file found, make sure the other container isn't running or delete /id")
  })

  it("goes again when there is no container", async () => {
    const { files } = await runLine(["run", "--cidfile", "/id", "image"],
      { engine: { create: () => Effect.fail(missing("x")) } })
    expect(files.has("/id")).toBe(false)
  })
})

describe("create", () => {
  it("prints the id, and ends with 1 when the engine refuses", async () => {
    expect(await runLine(["create", "image"], { engine: engineOf([]) }))
      .toMatchObject({ exitCode: 0, stdout: `${newId}\n` })
    expect(await runLine(["create", "image"], { engine: { create: () => Effect.fail(missing("x")) } }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: No such container: x\n" })
  })

  it("takes the environment, files of variables and profiles from the user's surroundings", async () => {
    const configs: Array<ContainerConfig> = []
    const engine = engineOf([], {
      create: (config) => Effect.sync(() => {
        configs.push(config)
        return { id: newId, name: "n", warnings: [] }
      })
    })
    const line = ["create", "-e", "HOME", "--env-file", "env", "--security-opt", "seccomp=p.json", "image"]
    await runLine(line, { engine, environment: { HOME: "/root" },
      files: { env: "A=1\n", "p.json": `{ "defaultAction": "SCMP_ACT_ALLOW" }` } })
    expect(configs[0]).toMatchObject({ env: ["A=1", "HOME=/root"], seccomp: `{"defaultAction":"SCMP_ACT_ALLOW"}` })
  })

  it("names the file that is not there", async () => {
    expect(await runLine(["create", "--env-file", "/nonexistent", "image"])).toMatchObject({
      exitCode: 125,
      stderr: "fx-engine: open /nonexistent: no such file or directory\n\n" +
        "Run 'fx-engine create --help' for more information\n"
    })
    expect((await runLine(["create", "--security-opt", "seccomp=/no", "image"])).stderr)
      .toContain("opening seccomp profile (/no) failed: open /no: no such file or directory")
  })
})
