import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { FrameType } from "../../src/domain/kernel/Supervisor.ts"
import {
  buildInit,
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

const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds * slowness))

const entries = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string })

describe.runIf(isRoot)("a terminal", () => {
  const terminal = (script: string, rows = 0, columns = 0) => ({
    stdio: { terminal: true, rows, columns, stdin: "open" as const },
    program: dockerLike(base, rootfs, [shell(script)], { terminal: true })
  })

  it("is the controlling one, on fds 0 to 2, and bound to /dev/console", async () => {
    const path = join(base, "tty.log")
    const run = new FxInit(base, {
      ...terminal(
        "tty; for n in 0 1 2; do readlink /proc/self/fd/$n; done; echo via-tty > /dev/tty; ls -l /dev/console | cut -c1; stty size",
        40,
        120
      ),
      log: { path, maxSize: 0, maxFiles: 1 }
    })
    const channel = await run.finished()
    const lines = ["/dev/pts/0", "/dev/pts/0", "/dev/pts/0", "/dev/pts/0", "via-tty", "c", "40 120"]
    expect(channel.stdout).toBe(lines.map((line) => `${line}\r\n`).join(""))
    expect(channel.stderr).toBe("")
    expect(entries(path).map(({ log, stream }) => [log, stream])).toEqual(
      lines.map((line) => [`${line}\r\n`, "stdout"])
    )
  })

  it("is resized with a signal to the program", async () => {
    const run = new FxInit(
      base,
      terminal("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done", 24, 80)
    )
    await run.channel.until(() => run.channel.stdout.includes("ready"))
    run.channel.resize(33, 111)
    expect((await run.finished()).stdout).toBe("ready\r\n33 111\r\n")
  })

  it("turns ^C into a signal, and its input has no end", async () => {
    const run = new FxInit(
      base,
      terminal("trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done")
    )
    await run.channel.until(() => run.channel.stdout.includes("ready"))
    run.channel.send(FrameType.stdinEnd)
    await pause(50)
    run.channel.stdin("\x03")
    const channel = await run.finished()
    expect(channel.stdout).toContain("caught")
    expect(channel.exit).toEqual({ code: 7, signal: 0, oomKilled: false })
  })

  it("stays when the program lets go of it for a while", async () => {
    const run = new FxInit(base, terminal("exec 0<&- 1>&- 2>&-; sleep 0.2; echo back > /dev/tty"))
    expect((await run.finished()).stdout).toBe("back\r\n")
  })

  it("loses nothing that was written just before the end", async () => {
    for (let round = 0; round < 10; round++) {
      const channel = await new FxInit(
        base,
        terminal("i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done")
      ).finished()
      expect(channel.stdout.endsWith("\r\n299\r\n")).toBe(true)
    }
  })

  it("belongs to the user of the program", async () => {
    const run = new FxInit(base, {
      stdio: { terminal: true, rows: 0, columns: 0, stdin: "open" },
      program: dockerLike(
        base,
        rootfs,
        [shell("id -u; stat -c %u:%g $(tty); echo direct > $(tty)")],
        { terminal: true, uid: 1000 }
      )
    })
    expect((await run.finished()).stdout).toBe("1000\r\n1000:5\r\ndirect\r\n")
  })
})

describe.runIf(isRoot)("a reaper", () => {
  const reaper = (script: string, extra = {}) =>
    new FxInit(base, {
      program: [
        ...rootOperations(base, rootfs),
        mountProc,
        exec(["/bin/sh", "-c", script], { reaper: true })
      ],
      ...extra
    })

  it("is pid 1, hands signals on, and ends as the program did", async () => {
    const run = reaper(
      "trap 'exit 5' TERM; echo $$; cat /proc/1/comm; while :; do sleep 0.05; done"
    )
    await run.channel.until(() => run.channel.stdout.includes("fx-init"))
    expect(run.channel.stdout).toBe("2\nfx-init\n")
    process.kill(run.channel.pid, "SIGTERM")
    expect((await run.finished()).exit).toEqual({ code: 5, signal: 0, oomKilled: false })
    expect((await reaper("kill -9 $$").finished()).exit).toEqual({
      code: 137,
      signal: 0,
      oomKilled: false
    })
  })

  it("reaps what the program leaves behind", async () => {
    const channel = await reaper(
      "(sleep 0.05 &) ; (true &) ; sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status; echo none"
    ).finished()
    expect(channel.stdout).toBe("none\n")
  })

  it("reports a program that cannot be executed as a failed start", async () => {
    const channel = await new FxInit(base, {
      program: [...rootOperations(base, rootfs), exec(["/bin/missing"], { reaper: true })]
    }).finished()
    expect(channel.failure).toEqual({
      operation: 3,
      errno: 2,
      syscall: "execve",
      path: "/bin/missing"
    })
  })

  it("puts the program in the terminal's foreground", async () => {
    const run = new FxInit(base, {
      stdio: { terminal: true, rows: 0, columns: 0, stdin: "open" },
      program: dockerLike(
        base,
        rootfs,
        [
          exec(
            [
              "/bin/sh",
              "-c",
              "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done"
            ],
            { reaper: true }
          )
        ],
        { terminal: true }
      )
    })
    await run.channel.until(() => run.channel.stdout.includes("ready"))
    run.channel.stdin("\x03")
    const channel = await run.finished()
    expect(channel.stdout).toContain("caught")
    expect(channel.exit!.code).toBe(9)
  })
})
