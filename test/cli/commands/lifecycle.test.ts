import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { Update } from "../../../src/programs/container/update.ts"
import type { Engine } from "../../../src/programs/Engine.ts"
import { endless, exited, missing, runLine, speaking, summary } from "../Stage.ts"

const conflict = (cause: string) => new ContainerError({ operation: "x", object: "bad", kind: "conflict", cause })

/** Does what it is asked for all but `bad`. */
const picky = (asked: Array<string>) => (reference: string, ...rest: ReadonlyArray<unknown>) =>
  reference === "bad"
    ? Effect.fail(conflict("some conflict"))
    : Effect.sync(() => void asked.push([reference, ...rest.map((one) => JSON.stringify(one))].join(" ")))

describe.each(["stop", "kill", "restart", "pause", "unpause", "rm"] as const)("%s", (verb) => {
  const method = verb === "rm" ? "remove" : verb

  it("does all it can, prints those, tells the rest at the end and ends with 1", async () => {
    const asked: Array<string> = []
    const outcome = await runLine([verb, "one", "bad", "two"],
      { engine: { [method]: picky(asked) } as Partial<Engine["Service"]> })
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "one\ntwo\n", stderr: "fx-engine: cannot x bad: some conflict\n" })
    expect(asked.map((one) => one.split(" ")[0])).toEqual(["one", "two"])
  })

  it("refuses an empty name", async () => {
    expect(await runLine([verb, ""], { engine: {} }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: invalid container name or ID: value is empty\n" })
  })

  it("is known as a command on containers too", async () => {
    const engine = { [method]: picky([]) } as Partial<Engine["Service"]>
    expect((await runLine(["container", verb, "one"], { engine })).stdout).toBe("one\n")
  })
})

describe("options of the small commands", () => {
  const options = async (argv: ReadonlyArray<string>, method: string) => {
    const asked: Array<string> = []
    await runLine(argv, { engine: { [method]: picky(asked) } as Partial<Engine["Service"]> })
    return asked[0]
  }

  it("stop takes a signal by name and seconds", async () => {
    expect(await options(["stop", "-s", "INT", "-t", "3", "a"], "stop")).toBe(`a {"signal":2,"timeout":3}`)
    expect(await options(["stop", "--time", "-1", "a"], "stop")).toBe(`a {"timeout":-1}`)
    expect(await options(["stop", "a"], "stop")).toBe("a {}")
  })

  it("kill sends SIGKILL unless told otherwise", async () => {
    expect(await options(["kill", "a"], "kill")).toBe("a 9")
    expect(await options(["kill", "-s", "RTMIN+1", "a"], "kill")).toBe("a 35")
  })

  it("an unknown signal is a mistake in the flag", async () => {
    expect(await runLine(["kill", "-s", "FOO", "a"])).toMatchObject({ exitCode: 125 })
  })

  it("rm -f forces", async () => {
    expect(await options(["rm", "-f", "a"], "remove")).toBe(`a {"force":true}`)
    expect(await options(["rm", "-v", "a"], "remove")).toBe(`a {"force":false}`)
  })

  it("rm -f is content with containers that are not there, and only with those", async () => {
    const remove = (reference: string) => reference === "a" ? Effect.void : Effect.fail(missing(reference))
    const asDocker = { stdout: "a\n", stderr: "fx-engine: No such container: b\n" }
    expect(await runLine(["rm", "-f", "a", "b"], { engine: { remove } })).toMatchObject({ exitCode: 0, ...asDocker })
    expect(await runLine(["rm", "a", "b"], { engine: { remove } })).toMatchObject({ exitCode: 1, ...asDocker })
    const engine = { remove: () => Effect.fail(conflict("busy")) }
    expect(await runLine(["rm", "-f", "a"], { engine })).toMatchObject({ exitCode: 1 })
  })

  it("rename takes two names and says nothing", async () => {
    const asked: Array<string> = []
    expect(await runLine(["rename", "a", "b"], { engine: { rename: picky(asked) } }))
      .toMatchObject({ exitCode: 0, stdout: "" })
    expect(asked).toEqual([`a "b"`])
  })
})

describe("wait", () => {
  it("prints a status for each", async () => {
    const engine = { wait: (reference: string) => Effect.succeed(exited(Number(reference))) }
    expect(await runLine(["wait", "3", "0"], { engine })).toMatchObject({ exitCode: 0, stdout: "3\n0\n" })
  })
})

describe("update", () => {
  const update = async (...argv: ReadonlyArray<string>) => {
    const changes: Array<Update> = []
    const engine: Partial<Engine["Service"]> = {
      update: (_, change) => Effect.sync(() => {
        changes.push(change)
        return ["no swap here"]
      })
    }
    return { ...await runLine(["update", ...argv], { engine }), changes }
  }

  it("sends only what was said", async () => {
    expect((await update("-m", "64m", "--cpus", "1.5", "a")).changes)
      .toEqual([{ resources: { memory: 64 << 20, nanoCpus: 1.5e9 } }])
    expect((await update("--restart", "on-failure:3", "a")).changes)
      .toEqual([{ resources: {}, restart: { name: "on-failure", maximumRetryCount: 3 } }])
  })

  it("prints names and then each warning once", async () => {
    expect(await update("--pids-limit", "9", "a", "b"))
      .toMatchObject({ exitCode: 0, stdout: "a\nb\n", stderr: "WARNING: no swap here\n" })
  })

  it("wants a flag, in docker's words", async () => {
    expect(await update("a")).toMatchObject({
      exitCode: 1, stderr: "fx-engine: you must provide one or more flags when using this command\n"
    })
  })
})

describe("start", () => {
  it("prints the names of what it started", async () => {
    const engine: Partial<Engine["Service"]> = {
      start: (reference) => reference === "bad" ? Effect.fail(missing("bad")) : Effect.succeed([])
    }
    expect(await runLine(["start", "a", "bad", "b"], { engine }))
      .toMatchObject({ exitCode: 1, stdout: "a\nb\n", stderr: "fx-engine: No such container: bad\n" })
  })

  it("stays with one for -a and ends with its status", async () => {
    const engine: Partial<Engine["Service"]> = {
      find: () => Effect.succeed(summary("a", "exited")),
      startAttached: () => Effect.succeed({ ...speaking("again\n", 4), warnings: [] })
    }
    expect(await runLine(["start", "-a", "a"], { engine })).toMatchObject({ exitCode: 4, stdout: "again\n" })
  })

  it("joins one that runs already", async () => {
    const engine: Partial<Engine["Service"]> = {
      find: () => Effect.succeed(summary("a", "running")), attach: () => Effect.succeed(speaking("there\n", 0))
    }
    expect((await runLine(["start", "-a", "a"], { engine })).stdout).toBe("there\n")
  })

  it("cannot stay with several", async () => {
    expect(await runLine(["start", "-ai", "a", "b"], { engine: {} }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: you cannot start and attach multiple containers at once\n" })
  })
})

describe("start -a", () => {
  it("left by the detach keys ends well, and says nothing", async () => {
    const left: Partial<Engine["Service"]> = {
      find: () => Effect.succeed(summary("a", "exited", { config: { openStdin: true, tty: true } })),
      startAttached: () => Effect.succeed({ ...endless(), warnings: [] })
    }
    expect(await runLine(["start", "-ai", "a"], { engine: left, terminals: ["stdin"], stdin: ["\x10\x11"] }))
      .toMatchObject({ exitCode: 0, stderr: "", isRaw: false })
  })
})

describe("attach", () => {
  const engine = (heard: Array<string>): Partial<Engine["Service"]> => ({
    find: () => Effect.succeed(summary("a", "running", { config: { openStdin: true } })),
    attach: (_, wish) => Effect.succeed(speaking(`stdin ${wish.stdin}\n`, 5, heard))
  })

  it("passes stdin on to a container that has it open, and ends with its status", async () => {
    const heard: Array<string> = []
    expect(await runLine(["attach", "a"], { engine: engine(heard), stdin: ["x"] }))
      .toMatchObject({ exitCode: 5, stdout: "stdin true\n" })
    expect(heard).toEqual(["x", "end"])
  })

  it("leaves stdin alone with --no-stdin", async () => {
    expect((await runLine(["attach", "--no-stdin", "a"], { engine: engine([]), stdin: ["x"] })).stdout)
      .toBe("stdin false\n")
  })

  it("left by the detach keys ends as docker's does, though the container goes on", async () => {
    const left: Partial<Engine["Service"]> = {
      find: () => Effect.succeed(summary("a", "running", { config: { openStdin: true, tty: true } })),
      attach: () => Effect.succeed(endless())
    }
    expect(await runLine(["attach", "a"], { engine: left, terminals: ["stdin"], stdin: ["\x10\x11"] }))
      .toMatchObject({ exitCode: 1, stderr: "read escape sequence\n", isRaw: false, saidRaw: "" })
  })
})

describe("exec", () => {
  const execs: Array<unknown> = []
  const engine: Partial<Engine["Service"]> = {
    exec: (reference, options) => Effect.sync(() => {
      execs.push([reference, options])
      return speaking("done\n", 3)
    })
  }

  it("leaves flags behind the container to the command and ends with its status", async () => {
    const outcome = await runLine(["exec", "-e", "A=1", "-u", "1", "-w", "/x", "a", "ls", "-l", "-t"], { engine })
    expect(outcome).toMatchObject({ exitCode: 3, stdout: "done\n" })
    expect(execs.pop()).toMatchObject(["a",
      { command: ["ls", "-l", "-t"], env: ["A=1"], user: "1", workingDirectory: "/x", stdin: false, attach: 3 }])
  })

  it("attaches stdin with -i", async () => {
    await runLine(["exec", "-i", "a", "cat"], { engine })
    expect(execs.pop()).toMatchObject(["a", { stdin: true, attach: 7 }])
  })

  it("-d attaches nothing and says nothing", async () => {
    expect(await runLine(["exec", "-d", "a", "x"], { engine })).toMatchObject({ exitCode: 0, stdout: "" })
    expect(execs.pop()).toMatchObject(["a", { attach: 0 }])
  })

  it.each([126, 127])("ends with %i when the command cannot be run", async (exitCode) => {
    const failing: Partial<Engine["Service"]> = {
      exec: () => Effect.fail(new ContainerError({ operation: "exec", object: "a", kind: "command", cause: "exec: no",
        exitCode }))
    }
    expect(await runLine(["exec", "a", "x"], { engine: failing }))
      .toMatchObject({ exitCode, stderr: "fx-engine: exec: no\n" })
  })

  it("left by the detach keys ends as docker's does, though the command goes on", async () => {
    const left: Partial<Engine["Service"]> = { exec: () => Effect.succeed(endless()) }
    expect(await runLine(["exec", "-it", "a", "sh"], { engine: left, terminals: ["stdin"], stdin: ["\x10\x11"] }))
      .toMatchObject({ exitCode: 1, stderr: "read escape sequence\n", isRaw: false, saidRaw: "" })
  })

  it("wants a terminal for -it", async () => {
    expect(await runLine(["exec", "-it", "a", "sh"], { engine: {} }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: the input device is not a TTY\n" })
  })
})
