import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  buildInit,
  Channel,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  temporaryBase
} from "./FxInit.ts"
import { exec, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const simple = (script: string) => [...rootOperations(base, rootfs), mountProc, shell(script)]
describe.runIf(isRoot)("a start that fails", () => {
  it("names operation, errno, system call and path, and runs nothing", async () => {
    const run = new FxInit(base, {
      program: [
        ...rootOperations(base, rootfs),
        { _tag: "WorkingDirectory", path: "/not/there", create: false },
        shell("echo never")
      ],
      onExit: ["/bin/sh", "-c", `touch ${base}/on-exit-after-failure`]
    })
    const channel = await run.finished()
    expect(channel.failure).toEqual({
      operation: 3,
      errno: 2,
      syscall: "chdir",
      path: "/not/there"
    })
    expect(run.status.failed).toEqual({
      operation: 3,
      errno: 2,
      syscall: "chdir",
      path: "/not/there"
    })
    expect(channel.stdout).toBe("")
    expect(channel.exit).toBeUndefined()
    expect(run.status.exited).toBeUndefined()
    expect(existsSync(`${base}/on-exit-after-failure`)).toBe(false)
    expect(run.hasSocket).toBe(false)
  })

  it("tells a program that is missing from one that may not be executed", async () => {
    writeFileSync(join(rootfs, "bin/plain"), "text", { mode: 0o644 })
    const cases = [
      { argv: ["/bin/missing"], errno: 2, path: "/bin/missing" },
      { argv: ["missing"], errno: 2, path: "missing" },
      { argv: ["/bin/plain"], errno: 13, path: "/bin/plain" },
      { argv: ["plain"], errno: 2, path: "plain" },
      { argv: ["/bin"], errno: 13, path: "/bin" },
      { argv: [""], errno: 2, path: "" }
    ] as const
    for (const { argv, errno, path } of cases) {
      const channel = await new FxInit(base, {
        program: [...rootOperations(base, rootfs), exec([...argv])]
      }).finished()
      expect(channel.failure).toEqual({ operation: 3, errno, syscall: "execve", path })
    }
  })

  it("finds a program along PATH, or along the default one", async () => {
    for (const env of [["PATH=/nowhere:/bin"], [], ["PATH="]]) {
      const channel = await new FxInit(base, {
        program: [...rootOperations(base, rootfs), exec(["echo", "found"], { env })]
      }).finished()
      expect(channel.stdout).toBe("found\n")
    }
  })

  it("reports -1 for what fails before the program", async () => {
    const run = new FxInit(base, {
      cgroup: "/sys/fs/cgroup/no-such-group",
      program: simple("true")
    })
    const channel = await run.finished()
    expect(channel.failure).toMatchObject({
      operation: -1,
      errno: 2,
      syscall: "openat",
      path: "/sys/fs/cgroup/no-such-group"
    })
    expect(run.status).toMatchObject({ failed: { operation: -1, errno: 2 } })
    expect(run.status.init).toBeUndefined()
  })

  it("refuses bytes of another layout or a cut program", async () => {
    const directory = join(base, "malformed")
    mkdirSync(directory)
    for (const length of [0, 11, 64]) {
      const child = FxInit.run(directory, new Uint8Array(length).fill(1))
      const channel = new Channel(child.stdio[4] as never)
      await channel.untilEnd()
      expect(channel.failure!.operation).toBe(-1)
    }
  })

  it("says so when the container is killed while it is set up", async () => {
    // The FIFO stands for a mount that never comes back: opening it for writing blocks the child.
    execFileSync("mkfifo", [join(base, "blocked")])
    const run = new FxInit(base, {
      program: [{ _tag: "CgroupAttach", files: [join(base, "blocked")] }, shell("true")]
    })
    while (
      run.process.exitCode === null &&
      (!existsSync(join(run.directory, "status")) || run.status.init === undefined)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    process.kill(run.status.init!.pid, "SIGKILL")
    const channel = await run.finished()
    expect(channel.failure).toMatchObject({ operation: -1, errno: 10, syscall: "wait4" })
  })
})
