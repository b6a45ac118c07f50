import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result } from "effect"
import * as fc from "fast-check"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import { exitedFrame } from "../../../src/domain/kernel/frames.ts"
import { type KernelOp, op } from "../../../src/domain/kernel/KernelOp.ts"
import { Kernel, perform } from "../../../src/programs/Kernel.ts"
import {
  anyOp, decodeTrace, encodeTraceEntry, recorded, replay, runOn, simulate, type TraceEntry
} from "../../../src/testing/index.ts"
import { directories, lifecycle, options, run } from "./Lifecycle.ts"

describe("a trace", () => {
  const trace = async (effect: Effect.Effect<unknown, unknown, Kernel>, seed = 0) => {
    const lines: Array<string> = []
    const { simulation } = await run(effect, [
      recorded((entry) => Effect.sync(() => void lines.push(encodeTraceEntry(entry))))
    ], seed)
    return { entries: Result.getOrThrow(decodeTrace(lines.join("\n"))), lines, simulation }
  }

  it("has each operation with what came of it and when, and is read as written", async () => {
    const { entries, lines } = await trace(lifecycle("echo hi; exit 3"))
    assert.deepStrictEqual(entries.map((entry) => entry.index), entries.map((_, index) => index))
    assert.deepStrictEqual(entries.map((entry) => encodeTraceEntry(entry)), lines)
    assert.isTrue(entries.every((entry) => entry.durationNs >= 0 && entry.startedNs >= 0))
    assert.isTrue(
      entries.some((entry) => entry.op.tag === "ChannelRead" && entry.outcome._tag === "Success")
    )
  })

  it("can hold any operation and its error", () => {
    fc.assert(fc.property(anyOp(), fc.constantFrom("ENOENT", "EACCES"), (one, errno) => {
      const entry: TraceEntry = {
        index: 0,
        op: one,
        startedNs: 1,
        durationNs: 2,
        outcome: {
          _tag: "Failure",
          error: new KernelError({ op: one.tag, syscall: "x", errno, path: "/p", hint: "h" })
        }
      }
      const [again] = Result.getOrThrow(decodeTrace(encodeTraceEntry(entry)))
      assert.deepStrictEqual(again?.op, one)
      assert.strictEqual(
        again?.outcome._tag === "Failure" ? again.outcome.error.message : "",
        entry.outcome._tag === "Failure" ? entry.outcome.error.message : "x"
      )
    }))
  })

  it("that is none is refused with its line", () => {
    const refused = (text: string) =>
      Result.match(decodeTrace(text), { onFailure: (error) => error.message, onSuccess: () => "" })
    assert.include(refused("{}"), "line 1: not an entry")
    assert.include(refused("\nnonsense"), "line 2: not an entry")
    assert.include(
      refused("{\"index\":0,\"tag\":\"Nosuch\",\"payload\":{},\"startedNs\":0,\"durationNs\":0}"),
      "no operation is called Nosuch"
    )
    assert.include(
      refused("{\"index\":0,\"tag\":\"DirMake\",\"payload\":{},\"startedNs\":0,\"durationNs\":0}"),
      "the payload is none of DirMake"
    )
  })

  it("comes to the same when replayed, though handles, pids and pieces are others", async () => {
    const { entries } = await trace(lifecycle("echo one; sleep 1; echo two >&2; exit 3"), 1)
    const again = simulate({ ...options, seed: 99 })
    // Other numbers than then: something has run before
    await runOn(
      again,
      Effect.andThen(perform("LockAcquire", { path: "/tmp/x", shared: false }), Effect.void)
    )
    const exit = await runOn(again, replay(entries), { seed: 5 })
    assert.deepStrictEqual(exit, Exit.succeed({ performed: entries.length, differences: [] }))
  })

  it("says where a replay differs: an error, a result, what a container said", async () => {
    const { entries } = await trace(lifecycle("cat /etc/hostname; exit 3"))
    const changed = simulate({
      ...options,
      host: { hostname: "other" },
      files: { "/var/lib/test": { directory: true } }
    })
    const exit = await runOn(changed, replay(entries))
    assert.isTrue(Exit.isSuccess(exit))
    if (!Exit.isSuccess(exit)) return
    const told = exit.value.differences.map((one) =>
      `${one.op.tag}: ${one.expected} → ${one.actual}`
    )
    assert.deepStrictEqual(told.length, 2)
    assert.strictEqual(told[0], "DirMake: success → EEXIST")
    assert.include(told[1], "simulated")
    assert.include(told[1], "other")
  })

  const copy = Effect.gen(function*() {
    const root = { _tag: "Directory", path: "/" } as const
    const { archive: from } = yield* perform("ArchiveRead", { root, path: "/from", name: "to", follow: false })
    const { archive: to } = yield* perform("ArchiveWrite", { root, path: "/goal", noOverwriteDirNonDir: true })
    for (;;) {
      const data = yield* perform("ArchivePull", { archive: from })
      yield* perform("ArchivePush", { archive: to, data, last: data.length === 0 })
      if (data.length === 0) break
    }
    yield* perform("ArchiveClose", { archive: from })
    yield* perform("ArchiveClose", { archive: to })
  })

  it("says how much was copied and not what, and a replay copies what is there now", async () => {
    const host = (content: string) =>
      simulate({ ...options, files: { "/goal": { directory: true }, "/from": content } })
    const entries: Array<TraceEntry> = []
    const record = recorded((one) => Effect.sync(() => void entries.push(one)))
    await runOn(host("secret".repeat(1000)), Effect.provide(copy, Kernel.around(record)))
    const lines = entries.map((one) => encodeTraceEntry(one)).join("\n")
    assert.notInclude(lines, Buffer.from("secretsecret").toString("base64"))
    assert.deepStrictEqual(Result.getOrThrow(decodeTrace(lines)), entries)
    const bytes = (tag: string) =>
      entries.filter(({ op: one }) => one.tag === tag).map((one) => one.bytes ?? 0).reduce((sum, one) => sum + one, 0)
    assert.isAbove(bytes("ArchivePull"), 6000)
    assert.strictEqual(bytes("ArchivePush"), bytes("ArchivePull"))
    // More than one piece, where the trace has one
    const other = host("other ".repeat(200_000))
    assert.deepStrictEqual(
      await runOn(other, replay(entries)), Exit.succeed({ performed: entries.length, differences: [] })
    )
    const text = await runOn(other, perform("FileRead", { path: "/goal/to", limit: 1 << 22 }))
    assert.deepStrictEqual(text, Exit.succeed("other ".repeat(200_000)))
  })

  it("of an archive that came from elsewhere is replayed with an empty one, and does not judge a bad one", async () => {
    const root = { _tag: "Directory", path: "/" } as const
    const push = { archive: 3, data: new Uint8Array(0), last: true }
    const opened = entry(0, op("ArchiveWrite", { root, path: "/tmp", noOverwriteDirNonDir: true }), { archive: 3 })
    const good = { ...entry(1, op("ArchivePush", push), undefined), bytes: 9000 }
    const bad = {
      ...good,
      outcome: { _tag: "Failure", error: new KernelError({ op: "ArchivePush", syscall: "tar", errno: "EBADMSG" }) } as const
    }
    for (const pushed of [good, bad]) {
      const exit = await runOn(simulate(options), replay([opened, pushed]))
      assert.deepStrictEqual(exit, Exit.succeed({ performed: 2, differences: [] }))
    }
  })

  const entry = (index: number, one: KernelOp, value: unknown): TraceEntry =>
    ({ index, op: one, startedNs: index * 1000, durationNs: 10, outcome: { _tag: "Success", value } })

  const lateListener = (heard: Uint8Array): ReadonlyArray<TraceEntry> => [
    entry(0, op("ChannelOpen", { directory: "/run/test", attach: 3 }), { channel: 7 }),
    entry(1, op("ChannelRead", { channel: 7 }), heard),
    entry(2, op("ChannelClose", { channel: 7 }), undefined)
  ]

  it("does not say that a supervisor which told of its end then has ended sooner now", async () => {
    const ended = lateListener(exitedFrame({ code: 137, signal: 9, oomKilled: false }))
    assert.deepStrictEqual(
      await runOn(simulate(options), replay(ended)), Exit.succeed({ performed: 3, differences: [] })
    )
    const exit = await runOn(simulate(options), replay(lateListener(new Uint8Array(0))))
    assert.strictEqual(Exit.isSuccess(exit) ? exit.value.differences[0]?.actual : "", "ENOENT")
  })

  it("of a client that went away after the start need not tell what came later", async () => {
    const { entries } = await trace(lifecycle("echo one; echo two"))
    const reads = entries.filter((one) => one.op.tag === "ChannelRead")
    const first = reads[0]!
    const whole = first.outcome._tag === "Success" ? first.outcome.value as Uint8Array : new Uint8Array(0)
    const started = whole.subarray(0, 8 + new DataView(whole.buffer, whole.byteOffset).getUint32(4))
    const cut = entries.flatMap((one) => one === first
      ? [{ ...one, outcome: { _tag: "Success" as const, value: started } }]
      : one.op.tag === "ChannelRead" ? [] : [one])
    const exit = await runOn(simulate({ ...options, seed: 3 }), replay(cut))
    assert.deepStrictEqual(
      Exit.isSuccess(exit) ? exit.value.differences.filter(({ op: one }) => one.tag === "ChannelRead") : exit, []
    )
  })

  it("keeps overlapping operations overlapping: a waiting read does not stop it", async () => {
    const program = Effect.gen(function*() {
      for (const path of directories) yield* perform("DirEnsure", { path, mode: 0o755 })
      const first = yield* perform("LockAcquire", { path: "/tmp/l", shared: false })
      const waiting = yield* Effect.forkChild(
        perform("LockAcquire", { path: "/tmp/l", shared: false })
      )
      yield* Effect.sleep("1 second")
      yield* perform("LockRelease", { handle: first })
      yield* perform("LockRelease", { handle: yield* Fiber.join(waiting) })
    })
    const { entries } = await trace(program)
    assert.deepStrictEqual(
      await runOn(simulate(options), replay(entries)),
      Exit.succeed({ performed: entries.length, differences: [] })
    )
  })
})
