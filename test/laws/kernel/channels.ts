/** Supervisors and the channels to them: which frames come, in which order, and when there are none any more. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { runDirectory } from "../../../src/domain/container/Paths.ts"
import { decodeFrames, resizeFrame, stdinEndFrame, stdinFrame } from "../../../src/domain/kernel/frames.ts"
import { attachFlags, type Frame, parseStatus } from "../../../src/domain/kernel/Supervisor.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { bytes, config, idle, script, started } from "../container.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"

const open = (ground: Ground, id: string, attach: number) =>
  Effect.acquireRelease(
    Effect.map(perform("ChannelOpen", { directory: runDirectory(ground.paths, id), attach }), ({ channel }) => channel),
    (channel) => Effect.ignore(perform("ChannelClose", { channel }))
  )

/** All frames to the end of a channel; neighbouring pieces of output joined. */
const readAll = (channel: number) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    for (;;) {
      const fresh = decodeFrames(yield* perform("ChannelRead", { channel }))
      if (fresh.length === 0) return frames
      frames.push(...fresh)
    }
  })

const words = (frames: ReadonlyArray<Frame>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const frame of frames) {
    if (frame._tag !== "Output") found.push(frame._tag)
    else if (found.at(-1)?.startsWith(`${frame.stream} `) === true) found.push(found.pop()! + Buffer.from(frame.data).toString())
    else found.push(`${frame.stream} ${Buffer.from(frame.data).toString()}`)
  }
  return found
}

export const channelLaws = (ground: Ground): void => {
  const reader = script(ground, "read line; echo $line; read line; echo $line; exit 3", { openStdin: true })

  law(ground, "who comes late is told that it runs, then what is written, then how it ended, and then nothing", Effect.gen(function*() {
    const id = yield* started(reader)
    const channel = yield* open(ground, id, attachFlags.stdout | attachFlags.stdin)
    yield* perform("ChannelWrite", { channel, frames: stdinFrame(bytes("one\ntwo\n")) })
    const frames = yield* readAll(channel)
    assert.deepStrictEqual(words(frames), ["Started", "stdout one\ntwo\n", "Exited"])
    assert.deepStrictEqual(frames.at(-1), { _tag: "Exited", exit: { code: 3, signal: 0, oomKilled: false } })
    assert.strictEqual((yield* perform("ChannelRead", { channel })).length, 0)
    assert.strictEqual(yield* errnoOf("ChannelWrite", { channel, frames: stdinFrame(bytes("more\n")) }), "EPIPE")
  }))

  law(ground, "a client gets only the streams it asked for, and its input counts only when it may give any", Effect.gen(function*() {
    const id = yield* started(script(ground, "read line; echo out; echo err >&2", { openStdin: true }))
    const errors = yield* open(ground, id, attachFlags.stderr)
    const nothing = yield* open(ground, id, 0)
    yield* perform("ChannelWrite", { channel: errors, frames: stdinFrame(bytes("not asked\n")) })
    yield* Effect.sleep(`${30 * ground.patience} millis`)
    const input = yield* open(ground, id, attachFlags.stdin | attachFlags.stdout)
    yield* perform("ChannelWrite", { channel: input, frames: stdinFrame(bytes("go\n")) })
    assert.deepStrictEqual(words(yield* readAll(input)), ["Started", "stdout out\n", "Exited"])
    assert.deepStrictEqual(words(yield* readAll(errors)), ["Started", "stderr err\n", "Exited"])
    assert.deepStrictEqual(words(yield* readAll(nothing)), ["Started", "Exited"])
  }))

  law(ground, "the end of the input is told by a frame", Effect.gen(function*() {
    const id = yield* started(config(ground, ["cat"], { openStdin: true }))
    const channel = yield* open(ground, id, 7)
    yield* perform("ChannelWrite", { channel, frames: Buffer.concat([stdinFrame(bytes("text")), stdinEndFrame]) })
    assert.deepStrictEqual(words(yield* readAll(channel)), ["Started", "stdout text", "Exited"])
  }))

  law(ground, "a terminal takes sizes", Effect.gen(function*() {
    const id = yield* started(config(ground, ["sh", "-c", "read line; echo got $line"], { openStdin: true, tty: true }))
    const channel = yield* open(ground, id, 7)
    yield* perform("ChannelWrite", { channel, frames: Buffer.concat([resizeFrame(20, 90), stdinFrame(bytes("x\r"))]) })
    const frames = words(yield* readAll(channel))
    assert.strictEqual(frames.at(-1), "Exited")
    assert.include(frames.join(""), "got x\r\n")
  }))

  law(ground, "nobody answers where no supervisor is or was", Effect.gen(function*() {
    const engine = yield* Engine
    const directory = runDirectory(ground.paths, "0".repeat(64))
    assert.strictEqual(yield* errnoOf("ChannelOpen", { directory, attach: 0 }), "ENOENT")
    const id = yield* started(script(ground, "exit 0"))
    const channel = yield* open(ground, id, 0).pipe(Effect.option)
    if (channel._tag === "Some") yield* readAll(channel.value)
    yield* engine.wait(id)
    const errno = yield* errnoOf("ChannelOpen", { directory: runDirectory(ground.paths, id), attach: 0 })
    assert.include(["ENOENT", "ECONNREFUSED"], errno)
  }))

  law(ground, "the status of a supervisor tells what has happened, in order", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const status = Effect.map(
      perform("FileRead", { path: `${runDirectory(ground.paths, id)}/status`, limit: 10_000 }), (text) => parseStatus(text)!
    )
    const running = yield* status
    assert.isDefined(running.init)
    assert.isDefined(running.startedAt)
    assert.isUndefined(running.exited)
    assert.deepStrictEqual((yield* engine.find("inspect", id)).state.process, running.init)
    yield* engine.kill(id, 9)
    yield* engine.wait(id)
    const ended = yield* status
    assert.deepStrictEqual([ended.init, ended.startedAt], [running.init, running.startedAt])
    assert.deepStrictEqual(ended.exited?.status, { code: 137, signal: 9, oomKilled: false })
    assert.isTrue(ended.exited!.at >= ended.startedAt!)
  }))

  law(ground, "a process is signalled only if it is the very one that is meant", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const process = (yield* engine.find("inspect", id)).state.process!
    yield* perform("ProcessSignal", { process, signal: 0 })
    const other = { ...process, startTime: process.startTime + 1 }
    assert.strictEqual(yield* errnoOf("ProcessSignal", { process: other, signal: 9 }), "ESRCH")
    yield* Effect.sleep("20 millis")
    yield* perform("ProcessSignal", { process, signal: 0 })
    assert.strictEqual(yield* errnoOf("ProcessSignal", { process, signal: 65 }), "EINVAL")
    yield* perform("ProcessSignal", { process, signal: 9 })
    yield* engine.wait(id)
    assert.strictEqual(yield* errnoOf("ProcessSignal", { process, signal: 0 }), "ESRCH")
  }))

  law(ground, "a closed channel gives nothing, and is closed without ado", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    const { channel } = yield* perform("ChannelOpen", { directory: runDirectory(ground.paths, id), attach: 0 })
    yield* perform("ChannelClose", { channel })
    yield* perform("ChannelClose", { channel })
    assert.strictEqual(yield* errnoOf("ChannelRead", { channel }), "EBADF")
  }))
}
