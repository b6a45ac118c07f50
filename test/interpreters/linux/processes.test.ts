import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFile, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import { promisify } from "node:util"
import { Worker } from "node:worker_threads"
import { afterEach, describe, expect, it } from "vitest"
import { attachFrame, decodeFrames, encodeFrame, stdinEndFrame, stdinFrame } from "../../../src/domain/kernel/frames.ts"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { attachFlags, type Frame, type SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { isUnreaped } from "../../../src/interpreters/linux/Reaper.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { eventually, linuxFixture, obstacle, openDescriptors, patience, sleep, supervisorObstacle } from "./fixture.ts"

const sources = new URL("../../../src", import.meta.url).pathname

const startTimeOf = (pid: number): number =>
  Number(fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[19])

describe.skipIf(obstacle !== undefined)("signals on Linux", () => {
  const linux = linuxFixture()

  it("reach the process that is meant and no other of its pid", async () => {
    const child = spawn("sleep", ["600"])
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_, signal) => resolve(signal)))
    const identity = { pid: child.pid!, startTime: startTimeOf(child.pid!) }
    const descriptors = () => openDescriptors().filter((name) => name.includes("pidfd"))
    const before = descriptors()
    await linux.perform("ProcessSignal", { process: identity, signal: 0 })
    const other = { ...identity, startTime: identity.startTime - 1 }
    expect(await linux.failure("ProcessSignal", { process: other, signal: 9 }))
      .toMatchObject({ errno: "ESRCH", path: `/proc/${child.pid}` })
    await linux.perform("ProcessSignal", { process: identity, signal: 0 })
    expect((await linux.failure("ProcessSignal", { process: identity, signal: 900 })).errno).toBe("EINVAL")
    await linux.perform("ProcessSignal", { process: identity, signal: 10 })
    expect(await ended).toBe("SIGUSR1")
    expect((await linux.failure("ProcessSignal", { process: identity, signal: 0 })).errno).toBe("ESRCH")
    expect((await linux.failure("ProcessSignal", { process: { pid: 0, startTime: 0 }, signal: 0 })).errno).toBe("ESRCH")
    expect(descriptors()).toEqual(before)
  })
})

describe.skipIf(supervisorObstacle !== undefined)("supervisors on Linux", () => {
  const linux = linuxFixture()
  let count = 0
  const input = { terminal: false, rows: 0, columns: 0, stdin: "once" } as const

  const specOf = (argv: readonly [string, ...Array<string>], changes: Partial<SupervisorSpec> = {}): SupervisorSpec => {
    const directory = `${linux.directory}/run-${count++}`
    fs.mkdirSync(directory)
    const exec: InitOp = { _tag: "Exec", argv, env: ["PATH=/usr/bin:/bin"], reaper: false }
    return {
      id: `test-${count}`, directory, stdio: { terminal: false, rows: 0, columns: 0, stdin: "null" }, namespaces: [],
      cgroup: "", uidMap: [], gidMap: [], program: [exec], killFiles: [], killProcs: [], removeDirectories: [],
      oomFile: "", onExit: [], ...changes
    }
  }
  const everything = attachFlags.stdout | attachFlags.stderr | attachFlags.stdin | attachFlags.claim
  const start = (spec: SupervisorSpec, attach: number = everything) =>
    linux.perform("SupervisorStart", { spec, attach })
  const readAll = async (channel: number): Promise<ReadonlyArray<Frame>> => {
    const frames: Array<Frame> = []
    for (;;) {
      const bytes = await linux.perform("ChannelRead", { channel })
      if (bytes.length === 0) return frames
      frames.push(...decodeFrames(bytes))
    }
  }
  const outputOf = (frames: ReadonlyArray<Frame>): string =>
    Buffer.concat(frames.flatMap((frame) => frame._tag === "Output" ? [frame.data] : [])).toString()
  const exitOf = (frames: ReadonlyArray<Frame>) => frames.find((frame) => frame._tag === "Exited")?.exit

  it("run a program and tell its start, output and exit", async () => {
    const { channel, pid } = await start(specOf(["/bin/sh", "-c", "echo out; echo err >&2; exit 7"]))
    const frames = await readAll(channel)
    expect(frames[0]?._tag).toBe("Started")
    expect(outputOf(frames.filter((frame) => frame._tag === "Output" && frame.stream === "stdout"))).toBe("out\n")
    expect(outputOf(frames.filter((frame) => frame._tag === "Output" && frame.stream === "stderr"))).toBe("err\n")
    expect(exitOf(frames)).toEqual({ code: 7, signal: 0, oomKilled: false })
    expect(await linux.perform("ChannelRead", { channel })).toHaveLength(0)
    await linux.perform("ChannelClose", { channel })
    await eventually(() => !isUnreaped(pid))
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false)
  })

  it("inherit no descriptor, no ignored signal and no blocked one", async () => {
    const script = "ls -l /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status"
    const { channel } = await start(specOf(["/bin/sh", "-c", script]))
    const output = outputOf(await readAll(channel))
    const fds = output.split("\n").flatMap((line) => / ([0-9]+) -> /.exec(line)?.[1] ?? [])
    // The fourth is the listing's own.
    expect(fds).toEqual(["0", "1", "2", "3"])
    expect(output).toMatch(/SigBlk:\t0+\n/)
    expect(output).toMatch(/SigIgn:\t0+\n/)
    await linux.perform("ChannelClose", { channel })
  })

  it("are not touched by a signal for our group, and run a sealed image", async () => {
    const { channel, pid } = await start(specOf(["/bin/sleep", "600"]))
    const [started] = decodeFrames(await linux.perform("ChannelRead", { channel }))
    if (started?._tag !== "Started") throw new Error(`not started: ${JSON.stringify(started)}`)
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")
    expect(Number(stat[3])).toBe(pid)
    expect(fs.readlinkSync(`/proc/${pid}/exe`)).toBe("/memfd:fx-init (deleted)")
    expect(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8")).toMatch(/^fx-init\0test-[0-9]+\0/)
    expect(() => fs.writeFileSync(`/proc/${pid}/exe`, "")).toThrow()
    process.kill(pid, "SIGKILL")
    // Without a pid namespace or a control group nobody else ends what it supervised.
    process.kill(started.process.pid, "SIGKILL")
    await linux.perform("ChannelClose", { channel })
    await eventually(() => !isUnreaped(pid))
  })

  it("pass input on, to its end", async () => {
    const { channel } = await start(specOf(["/bin/cat"], { stdio: input }))
    await linux.perform("ChannelWrite", { channel, frames: stdinFrame(Buffer.from("hello\n")) })
    await linux.perform("ChannelWrite", { channel, frames: stdinEndFrame })
    const frames = await readAll(channel)
    expect(outputOf(frames)).toBe("hello\n")
    expect(exitOf(frames)?.code).toBe(0)
    expect(await linux.failure("ChannelWrite", { channel, frames: stdinFrame(Buffer.from("late")) }))
      .toMatchObject({ op: "ChannelWrite", errno: "EPIPE" })
    await linux.perform("ChannelClose", { channel })
  })

  it("can be attached to later, by a path longer than a socket's address", async () => {
    const directory = `${linux.directory}/${"long-".repeat(30)}`
    fs.mkdirSync(directory)
    const first = await start(specOf(["/bin/cat"], { directory, stdio: input }), 0)
    const frames = await linux.perform("ChannelRead", { channel: first.channel })
    expect(decodeFrames(frames)[0]?._tag).toBe("Started")
    const second = await linux.perform("ChannelOpen", { directory, attach: attachFlags.stdout | attachFlags.stdin })
    const typed = stdinFrame(Buffer.from("x".repeat(100_000)))
    await linux.perform("ChannelWrite", { channel: second.channel, frames: typed })
    await linux.perform("ChannelWrite", { channel: second.channel, frames: stdinEndFrame })
    const got = await readAll(second.channel)
    expect(outputOf(got)).toBe("x".repeat(100_000))
    expect(exitOf(got)?.code).toBe(0)
    for (const { channel } of [first, second]) await linux.perform("ChannelClose", { channel })
    expect((await linux.failure("ChannelOpen", { directory, attach: 0 })).errno).toMatch(/^(ENOENT|ECONNREFUSED)$/)
    expect(await linux.failure("ChannelOpen", { directory: `${linux.directory}/none`, attach: 0 }))
      .toMatchObject({ op: "ChannelOpen", errno: "ENOENT", path: `${linux.directory}/none/attach.sock` })
  })

  it("say in the container's words why a program can't start", async () => {
    const { channel } = await start(specOf(["/no/such/program"]))
    const frames = await readAll(channel)
    expect(frames[0]).toMatchObject({ _tag: "Failed", operation: 0, errno: 2, path: "/no/such/program" })
    await linux.perform("ChannelClose", { channel })
  })

  it("leave no descriptor, zombie or handle behind after many starts", async () => {
    const round = async () => {
      const { channel, pid } = await start(specOf(["/bin/true"]))
      await readAll(channel)
      await linux.perform("ChannelClose", { channel })
      return pid
    }
    await round()
    const before = openDescriptors()
    const pids: Array<number> = []
    for (let index = 0; index < 20; index++) pids.push(await round())
    pids.push(...await Promise.all(Array.from({ length: 10 }, round)))
    await eventually(() => pids.every((pid) => !isUnreaped(pid)))
    expect(openDescriptors()).toEqual(before)
    expect(await linux.failure("ChannelRead", { channel: 4_000_000 })).toMatchObject({ errno: "EBADF" })
  })

  it("are reaped too when their channel was closed long before", async () => {
    const { channel, pid } = await start(specOf(["/bin/sleep", String(0.2 * patience)]))
    await linux.perform("ChannelClose", { channel })
    expect(isUnreaped(pid)).toBe(true)
    await eventually(() => !isUnreaped(pid))
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false)
  })

  it("are reaped in a worker thread too, where no signal arrives", async () => {
    const spec = specOf(["/bin/true"])
    const script = `
      import * as Effect from "effect/Effect"
      import { parentPort, workerData } from "node:worker_threads"
      import { layer } from "${sources}/interpreters/linux/LinuxKernel.ts"
      import { isUnreaped } from "${sources}/interpreters/linux/Reaper.ts"
      import { perform } from "${sources}/programs/Kernel.ts"
      const kernel = layer({ root: "/tmp", execRoot: "/tmp" })
      const start = perform("SupervisorStart", { spec: workerData, attach: 0 })
      const { pid } = await Effect.runPromise(Effect.provide(start, kernel))
      const waiting = setInterval(() => {
        if (isUnreaped(pid)) return
        clearInterval(waiting)
        parentPort.postMessage(pid)
      }, 5)`
    const worker = new Worker(script, { eval: true, execArgv: ["--input-type=module"], workerData: spec })
    const pid = await new Promise<number>((resolve, reject) => worker.on("message", resolve).on("error", reject))
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false)
    await worker.terminate()
  })

  it("take nothing away from children of Node", async () => {
    const run = promisify(execFile)
    const children = Array.from({ length: 10 }, (_, index) =>
      run("sh", ["-c", `exit ${index}`]).then(() => 0, ({ code }) => code))
    for (let index = 0; index < 5; index++) {
      const { channel } = await start(specOf(["/bin/true"]))
      await readAll(channel)
      await linux.perform("ChannelClose", { channel })
    }
    expect(await Promise.all(children)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("can't be started where there is no directory for them", async () => {
    const spec = { ...specOf(["/bin/true"]), directory: `${linux.directory}/gone` }
    const { channel, pid } = await start(spec)
    expect((await readAll(channel))[0]).toMatchObject({ _tag: "Failed", operation: -1 })
    await linux.perform("ChannelClose", { channel })
    await eventually(() => !isUnreaped(pid))
  })
})

/** A supervisor that does what a test says: a listening socket in a directory. */
const listen = (directory: string, accept: (socket: net.Socket) => void): Promise<net.Server> =>
  new Promise((resolve) => {
    const server = net.createServer({ allowHalfOpen: true }, accept)
    server.listen(`${directory}/attach.sock`, () => resolve(server))
  })

describe.skipIf(obstacle !== undefined)("channels on Linux", () => {
  const linux = linuxFixture()
  const servers: Array<net.Server> = []
  const sockets: Array<net.Socket> = []
  let count = 0

  /** A channel, and the other end of it after its attach frame. */
  const pair = async (): Promise<{ channel: number; other: net.Socket; attach: Buffer }> => {
    const directory = `${linux.directory}/channel-${count++}`
    fs.mkdirSync(directory)
    const accepted = Promise.withResolvers<net.Socket>()
    servers.push(await listen(directory, accepted.resolve))
    const { channel } = await linux.perform("ChannelOpen", { directory, attach: 5 })
    const other = await accepted.promise
    sockets.push(other)
    const attach = await new Promise<Buffer>((resolve) => other.once("readable", () => resolve(other.read(9))))
    return { channel, other, attach }
  }
  const read = (channel: number) => linux.perform("ChannelRead", { channel })
  const output = (size: number) => encodeFrame(1, new Uint8Array(size))

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })

  it("begin with the attach frame", async () => {
    const { attach, channel } = await pair()
    expect(new Uint8Array(attach)).toEqual(attachFrame(5))
    await linux.perform("ChannelClose", { channel })
  })

  it("give frames only when they are whole", async () => {
    const { channel, other } = await pair()
    const frame = output(1000)
    const reading = read(channel)
    other.write(frame.slice(0, 500))
    await sleep(20)
    other.write(frame.slice(500))
    expect(await reading).toHaveLength(frame.length)
    other.end(frame.slice(0, 3))
    expect(await read(channel)).toHaveLength(0)
    expect(await read(channel)).toHaveLength(0)
  })

  it("read only so far ahead of who reads them", async () => {
    const { channel, other } = await pair()
    const total = 8 << 20
    let sent = 0
    const pump = () => {
      while (sent < total) {
        sent += 65_544
        if (!other.write(output(65_536))) return void other.once("drain", pump)
      }
      other.end()
    }
    pump()
    await sleep(200)
    // The bound, one read, and what the sockets and the sender's own buffers hold.
    expect(sent).toBeLessThan(2 << 20)
    let got = 0
    for (let bytes = await read(channel); bytes.length > 0; bytes = await read(channel)) got += bytes.length
    expect(got).toBe(sent)
  })

  it("make a writer wait for who does not read, and lose nothing", async () => {
    const { channel, other } = await pair()
    const frames = encodeFrame(0, new Uint8Array(4 << 20).map((_, index) => index * 7))
    let done = false
    const writing = linux.perform("ChannelWrite", { channel, frames }).then(() => {
      done = true
    })
    await sleep(50)
    expect(done).toBe(false)
    // Comes after what is under way, though it is asked for before the other is done.
    const second = linux.perform("ChannelWrite", { channel, frames: stdinEndFrame })
    const got: Array<Buffer> = []
    let length = 0
    other.on("data", (bytes: Buffer) => {
      got.push(bytes)
      length += bytes.length
    })
    await Promise.all([writing, second])
    await eventually(() => length === frames.length + stdinEndFrame.length)
    expect(Buffer.concat(got).equals(Buffer.concat([frames, stdinEndFrame]))).toBe(true)
  })

  it("finish the frame that an interrupted writer began", async () => {
    const { channel, other } = await pair()
    const frames = encodeFrame(0, new Uint8Array(2 << 20).fill(1))
    const fiber = linux.fork(perform("ChannelWrite", { channel, frames }))
    await sleep(30)
    await Effect.runPromise(Fiber.interrupt(fiber))
    const second = linux.perform("ChannelWrite", { channel, frames: stdinEndFrame })
    const got: Array<Buffer> = []
    other.on("data", (bytes: Buffer) => got.push(bytes))
    await second
    await eventually(() => Buffer.concat(got).length === frames.length + stdinEndFrame.length)
    expect(Buffer.concat(got).equals(Buffer.concat([frames, stdinEndFrame]))).toBe(true)
  })

  it("still give what was sent when a write finds the other end gone", async () => {
    const { channel, other } = await pair()
    const last = encodeFrame(18, new Uint8Array(12))
    // A large write is under way when the supervisor says its last word and goes, without having read it.
    const writing = linux.failure("ChannelWrite", { channel, frames: encodeFrame(0, new Uint8Array(4 << 20)) })
    await sleep(20)
    await new Promise<void>((resolve) => other.write(last, () => resolve()))
    other.destroy()
    expect((await writing).errno).toBe("EPIPE")
    expect((await linux.failure("ChannelWrite", { channel, frames: stdinEndFrame })).errno).toBe("EPIPE")
    expect(new Uint8Array(await read(channel))).toEqual(last)
    expect(await read(channel)).toHaveLength(0)
  })

  it("let a reader go when it is interrupted, and give the next what comes", async () => {
    const { channel, other } = await pair()
    const fiber = linux.fork(perform("ChannelRead", { channel }))
    await sleep(10)
    await Effect.runPromise(Fiber.interrupt(fiber))
    other.write(output(3))
    expect(await read(channel)).toHaveLength(11)
  })

  it("end a reader when they are closed, and let go of their descriptors", async () => {
    const { channel: warm } = await pair()
    await linux.perform("ChannelClose", { channel: warm })
    const sockets = () => openDescriptors().filter((name) => name.startsWith("socket:")).length
    const before = sockets()
    const { channel, other } = await pair()
    const blocked = linux.failure("ChannelWrite", { channel, frames: encodeFrame(0, new Uint8Array(2 << 20)) })
    const reading = read(channel)
    await sleep(20)
    await linux.perform("ChannelClose", { channel })
    await linux.perform("ChannelClose", { channel })
    expect(await reading).toHaveLength(0)
    expect((await blocked).errno).toBe("EPIPE")
    expect((await linux.failure("ChannelRead", { channel })).errno).toBe("EBADF")
    other.destroy()
    await new Promise((resolve) => servers.pop()!.close(resolve))
    await eventually(() => sockets() <= before)
  })

  it("refuse what is no frame", async () => {
    const { channel, other } = await pair()
    other.write("GET / HTTP/1.1\r\n\r\n")
    expect((await linux.failure("ChannelRead", { channel })).errno).toBe("EPROTO")
  })

  it("keep a process alive only while somebody reads", async () => {
    const directory = `${linux.directory}/alive`
    fs.mkdirSync(directory)
    servers.push(await listen(directory, (socket) => {
      sockets.push(socket)
      socket.on("error", () => {})
      setTimeout(() => socket.write(output(1)), 300)
    }))
    const script = (body: string) => `
      import * as Effect from "effect/Effect"
      import { layer } from "${sources}/interpreters/linux/LinuxKernel.ts"
      import { perform } from "${sources}/programs/Kernel.ts"
      import * as ManagedRuntime from "effect/ManagedRuntime"
      const runtime = ManagedRuntime.make(layer({ root: "/tmp", execRoot: "/tmp" }))
      const { channel } = await runtime.runPromise(perform("ChannelOpen", { directory: process.argv[1], attach: 1 }))
      ${body}`
    const run = (body: string) =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", script(body), directory], {
        cwd: sources, timeout: 20_000 * patience
      })
    expect((await run(`console.log("no reader")`)).stdout).toBe("no reader\n")
    const reading = `console.log((await runtime.runPromise(perform("ChannelRead", { channel }))).length)`
    expect((await run(reading)).stdout).toBe("9\n")
  }, 60_000 * patience)
})
