import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"
import {
  buildInit,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  slowness,
  temporaryBase
} from "./FxInit.ts"
import { devOperations, dockerLike, exec, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds * slowness))

describe.runIf(isRoot)("a process that joins a container", () => {
  const container = () =>
    new FxInit(base, {
      stdio: { terminal: false, rows: 0, columns: 0, stdin: "open" },
      program: dockerLike(base, rootfs, [shell("echo here > /tmp/file; sleep 1000 & cat; exit 0")])
    })
  const joined = (run: FxInit, last: ReadonlyArray<InitOp>, spec = {}) =>
    new FxInit(base, {
      namespaces: [],
      pidNamespace: run.status.init!,
      program: [
        {
          _tag: "NamespaceEnter",
          process: run.status.init!,
          kinds: ["mnt", "uts", "ipc", "pid", "cgroup"]
        },
        ...last
      ],
      ...spec
    })

  it("sees its files, names and processes, and not those of the host", async () => {
    const run = container()
    await run.started()
    const channel = await joined(run, [
      { _tag: "WorkingDirectory", path: "/tmp", create: false },
      exec([
        "/bin/sh",
        "-c",
        "until [ -f file ]; do sleep 0.01; done; cat file; hostname; cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l; exit 4"
      ])
    ]).finished()
    const lines = channel.stdout.split("\n")
    expect(lines.slice(0, 3)).toEqual(["here", "probe", "sh"])
    expect(Number(lines[3])).toBeLessThan(10)
    expect(channel.exit!.code).toBe(4)
    run.channel.send(32)
    await run.finished()
  })

  it("gets a terminal of its own from the container's devpts", async () => {
    const run = container()
    await run.started()
    const channel = await joined(
      run,
      [{ _tag: "Console", open: true, bindConsole: false }, shell("tty; stty size")],
      {
        stdio: { terminal: true, rows: 10, columns: 20, stdin: "open" }
      }
    ).finished()
    expect(channel.stdout).toBe("/dev/pts/0\r\n10 20\r\n")
    run.channel.send(32)
    await run.finished()
  })

  it("can open its own streams again in a user namespace, as root and as another user", async () => {
    const map = [{ inside: 0, outside: 100_000, count: 65_536 }]
    const maps = { uidMap: map, gidMap: map }
    const run = new FxInit(base, {
      ...maps,
      namespaces: ["user", "pid", "mnt", "ipc"],
      stdio: { terminal: false, rows: 0, columns: 0, stdin: "open" },
      program: [
        ...rootOperations(base, rootfs),
        mountProc,
        ...devOperations(false).filter(({ _tag }) => _tag !== "NodeMake"),
        shell("cat")
      ]
    })
    await run.started()
    const inside = (user: number, last: ReadonlyArray<InitOp>, terminal: boolean) =>
      new FxInit(base, {
        ...maps,
        namespaces: [],
        pidNamespace: run.status.init!,
        stdio: { terminal, rows: 0, columns: 0, stdin: "once" },
        program: [
          {
            _tag: "NamespaceEnter",
            process: run.status.init!,
            kinds: ["user", "mnt", "ipc", "pid"]
          },
          ...(terminal ? [{ _tag: "Console", open: true, bindConsole: false } as const] : []),
          { _tag: "User", uid: user, gid: user, groups: [] },
          ...last
        ]
      })
    for (const user of [0, 1000]) {
      const pipes = inside(
        user,
        [shell("id -u; cat < /proc/self/fd/0; echo out > /proc/self/fd/1; echo err > /proc/self/fd/2")],
        false
      )
      pipes.channel.stdin("in\n")
      pipes.channel.send(32)
      await pipes.finished()
      expect([pipes.channel.stdout, pipes.channel.stderr]).toEqual([`${user}\nin\nout\n`, "err\n"])
      const pty = inside(user, [shell("stat -c %u:%g $(tty); echo out > $(tty)")], true)
      expect((await pty.finished()).stdout).toBe(`${user}:5\r\nout\r\n`)
    }
    run.channel.send(32)
    await run.finished()
  })

  it("cannot be looked into before it executes", async () => {
    const run = container()
    await run.started()
    execFileSync("mkfifo", [`/proc/${run.channel.pid}/root/hold`])
    const held = joined(run, [{ _tag: "CgroupAttach", files: ["/hold"] }, shell("true")])
    while (!existsSync(join(held.directory, "status")) || held.status.init === undefined)
      await pause(5)
    await pause(20)
    // proc(5): the files of a process that is not dumpable belong to root, its memory is not to be read.
    const { pid } = held.status.init
    expect(
      execFileSync("/usr/bin/busybox", ["stat", "-c", "%u", `/proc/${pid}/mem`], {
        encoding: "utf8"
      })
    ).toBe("0\n")
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Name:\tfx-init/)
    process.kill(pid, "SIGKILL")
    await held.finished()
    run.channel.send(32)
    await run.finished()
  })

  it("is refused when the container is another by now", async () => {
    const run = container()
    await run.started()
    const other = { pid: run.status.init!.pid, startTime: run.status.init!.startTime + 1 }
    const channel = await new FxInit(base, {
      namespaces: [],
      pidNamespace: other,
      program: [shell("true")]
    }).finished()
    expect(channel.failure).toMatchObject({ operation: -1, errno: 3, syscall: "pidfd_open" })
    const entered = await new FxInit(base, {
      namespaces: [],
      program: [{ _tag: "NamespaceEnter", process: other, kinds: ["mnt"] }, shell("true")]
    }).finished()
    expect(entered.failure).toMatchObject({ operation: 0, errno: 3, syscall: "pidfd_open" })
    run.channel.send(32)
    await run.finished()
  })
})
