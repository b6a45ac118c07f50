import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { attachFlags, FrameType } from "../../src/domain/kernel/Supervisor.ts"
import {
  buildInit,
  type Channel,
  everything,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  slowness,
  temporaryBase
} from "./FxInit.ts"
import { devOperations, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const withDev = (script: string) => [
  ...rootOperations(base, rootfs),
  mountProc,
  ...devOperations(false),
  shell(script)
]
const stdin = (kind: "null" | "open" | "once", terminal = false) => ({
  stdio: { terminal, rows: 0, columns: 0, stdin: kind }
})
const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds * slowness))

/** How many bytes a client was given of one stream. */
const received = (channel: Channel, type: number): number =>
  channel.frames
    .filter((frame) => frame.type === type)
    .reduce((sum, { payload }) => sum + payload.length, 0)

const entries = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string })

describe.runIf(isRoot)("stdin", () => {
  it("reaches the program, and its end ends it while output goes on", async () => {
    const run = new FxInit(base, { ...stdin("open"), program: withDev("cat; echo after") })
    run.channel.stdin("one ")
    run.channel.stdin("two\n")
    run.channel.send(FrameType.stdinEnd)
    const channel = await run.finished()
    expect(channel.stdout).toBe("one two\nafter\n")
  })

  it("is the container's own /dev/null when none was asked for", async () => {
    const run = new FxInit(base, {
      program: withDev(
        "readlink /proc/self/fd/0; cat; grep -c . /proc/self/fdinfo/0 >/dev/null && echo read"
      )
    })
    run.channel.stdin("thrown away")
    expect((await run.finished()).stdout).toBe("/dev/null\nread\n")
  })

  it("carries megabytes through a program that is slow to begin, holding the client back", async () => {
    const run = new FxInit(base, {
      ...stdin("open"),
      program: withDev(`sleep ${0.3 * slowness}; wc -c`)
    })
    const piece = Buffer.alloc(65_536, "x")
    for (let count = 0; count < 64; count++) run.channel.stdin(piece)
    run.channel.send(FrameType.stdinEnd)
    await pause(150)
    expect(run.channel.socket.writableLength).toBeGreaterThan(1_000_000)
    expect((await run.finished()).stdout).toBe(`${64 * 65_536}\n`)
  })

  it("is thrown away once the program has closed its own end", async () => {
    const run = new FxInit(base, {
      ...stdin("open"),
      program: withDev(`exec <&-; sleep ${0.2 * slowness}; echo done`)
    })
    for (let count = 0; count < 16; count++) run.channel.stdin(Buffer.alloc(65_536, "x"))
    expect((await run.finished()).stdout).toBe("done\n")
  })

  it("with `once` ends when the client that brought it leaves, without losing what it sent", async () => {
    const run = new FxInit(base, {
      ...stdin("once"),
      program: withDev(`sleep ${0.2 * slowness}; wc -c`)
    })
    const reader = await (async () => {
      await run.started()
      return run.connect(attachFlags.stdout)
    })()
    for (let count = 0; count < 8; count++) run.channel.stdin(Buffer.alloc(65_536, "x"))
    run.channel.socket.end()
    await run.gone
    await reader.untilEnd()
    expect(reader.stdout).toBe(`${8 * 65_536}\n`)
  })

  it("with `open` stays open when a client leaves", async () => {
    const run = new FxInit(base, { ...stdin("open"), program: withDev("head -n 2") })
    run.channel.stdin("first\n")
    await run.started()
    run.channel.socket.destroy()
    const second = await run.connect(everything)
    second.stdin("second\n")
    await second.until(() => second.exit !== undefined)
    expect(second.exit!.code).toBe(0)
    await run.gone
  })
})

describe.runIf(isRoot)("clients", () => {
  it("that come later learn that the container runs and see what comes from then on", async () => {
    const run = new FxInit(base, {
      ...stdin("open"),
      program: withDev("echo before; read x; echo after; echo error >&2")
    })
    await run.channel.until(() => run.channel.stdout === "before\n")
    const both = await run.connect(attachFlags.stdout | attachFlags.stderr)
    const errors = await run.connect(attachFlags.stderr)
    await both.until(() => both.has(FrameType.started))
    await errors.until(() => errors.has(FrameType.started))
    expect(both.pid).toBe(run.channel.pid)
    run.channel.stdin("go\n")
    await run.finished()
    await both.untilEnd()
    await errors.untilEnd()
    expect([both.stdout, both.stderr]).toEqual(["after\n", "error\n"])
    expect([errors.stdout, errors.stderr]).toEqual(["", "error\n"])
    expect(errors.exit!.code).toBe(0)
  })

  it("are sixteen at most; the next is turned away and the others do not notice", async () => {
    const run = new FxInit(base, { ...stdin("open"), program: withDev("cat") })
    await run.started()
    const others: Array<Channel> = []
    for (let count = 0; count < 15; count++) others.push(await run.connect(everything))
    for (const other of others) await other.until(() => other.has(FrameType.started))
    const refused = await run.connect()
    await refused.untilEnd()
    expect(refused.frames).toEqual([])
    others[3]!.socket.destroy()
    let replacement = await run.connect(everything)
    for (let tries = 0; tries < 100; tries++) {
      await replacement.until(() => replacement.ended || replacement.has(FrameType.started))
      if (!replacement.ended) break
      replacement = await run.connect(everything)
    }
    expect(replacement.has(FrameType.started)).toBe(true)
    run.channel.stdin("hello\n")
    await others[14]!.until(() => others[14]!.stdout === "hello\n")
    run.channel.send(FrameType.stdinEnd)
    await run.finished()
  })

  it("that speak nonsense are dropped, alone", async () => {
    const run = new FxInit(base, { ...stdin("open"), program: withDev("cat") })
    await run.started()
    const nonsense: ReadonlyArray<(client: Channel) => void> = [
      (client) => client.stdin("before attaching"),
      (client) => client.send(99),
      (client) => (client.attach(everything), client.send(FrameType.resize, new Uint8Array(3))),
      (client) => {
        client.attach(everything)
        client.socket.write(Buffer.from([FrameType.stdin, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]))
      }
    ]
    for (const speak of nonsense) {
      const client = await run.connect()
      speak(client)
      await client.untilEnd()
    }
    run.channel.stdin("still here")
    run.channel.send(FrameType.stdinEnd)
    expect((await run.finished()).stdout).toBe("still here")
  })

  it("hold the container back when they do not read, and nothing is lost", async () => {
    const run = new FxInit(base, {
      program: withDev(
        "head -c 3000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b >&2"
      ),
      log: { path: join(base, "held.log"), maxSize: 0, maxFiles: 1 }
    })
    run.channel.socket.pause()
    await pause(300)
    const held = entries(join(base, "held.log")).reduce((sum, { log }) => sum + log.length, 0)
    expect(held).toBeLessThan(2_000_000)
    expect(run.status.exited).toBeUndefined()
    run.channel.socket.resume()
    const channel = await run.finished()
    expect(received(channel, FrameType.stdout)).toBe(3_000_000)
    expect(received(channel, FrameType.stderr)).toBe(3_000_000)
    const logged = entries(join(base, "held.log"))
    expect(
      logged
        .filter(({ stream }) => stream === "stdout")
        .map(({ log }) => log)
        .join("")
    ).toBe("a".repeat(3_000_000))
    expect(
      logged
        .filter(({ stream }) => stream === "stderr")
        .map(({ log }) => log)
        .join("")
    ).toBe("b".repeat(3_000_000))
  })

  it("that take nothing after the end are given up after ten seconds", async () => {
    const run = new FxInit(base, { program: withDev("cat /dev/zero") })
    await run.channel.until(() => received(run.channel, FrameType.stdout) > 0)
    run.channel.socket.pause()
    await pause(200)
    const begin = Date.now()
    process.kill(run.channel.pid, "SIGKILL")
    await run.gone
    expect(Date.now() - begin).toBeGreaterThan(9_500)
    expect(run.status.exited!.status).toEqual({ code: 137, signal: 9, oomKilled: false })
  })
})
