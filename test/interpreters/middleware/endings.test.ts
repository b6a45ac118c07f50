import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import { parseStatus } from "../../../src/domain/kernel/Supervisor.ts"
import { Kernel, perform } from "../../../src/programs/Kernel.ts"
import { recorded, replay, runOn, simulate, type Simulation, type TraceEntry } from "../../../src/testing/index.ts"
import { containerOf } from "../simulated/SimulatedMachine.ts"
import { options } from "./Lifecycle.ts"

const id = "ab".repeat(32)
const run = `/run/fx/containers/${id}`
const store = `/var/lib/fx/containers/${id}`
const group = `/sys/fs/cgroup/${id}`

const status = perform("FileRead", { path: `${run}/status`, limit: 1000 })

/** A container that was started before the trace begins, and by whoever replays it. */
const before = (script: string) =>
  Effect.gen(function*() {
    for (const path of [run, store, "/var/lib/test/upper", "/var/lib/test/work", "/var/lib/test/root"]) {
      yield* perform("DirEnsure", { path, mode: 0o755 })
    }
    yield* perform("CgroupEnsure", { directory: group })
    const spec = containerOf(["sh", "-c", script], {
      id, directory: run, exitFile: `${store}/exit`, cgroup: group,
      killFiles: [`${group}/cgroup.kill`], removeDirectories: [group]
    })
    const { channel } = yield* perform("SupervisorStart", { spec, attach: 0 })
    yield* perform("ChannelRead", { channel })
    yield* perform("ChannelClose", { channel })
    // Until it has set its trap
    yield* Effect.sleep("100 millis")
    yield* status
  })

const endless = "while :; do sleep 1; done"
/** Ends a second after it was told to. */
const slow = `trap 'sleep 1; exit 3' TERM; ${endless}`

/** An engine that ends a container with a signal, or only looks at it with 0, and sees how it ended. */
const signalled = (signal: number) =>
  Effect.gen(function*() {
    const { init, supervisor } = parseStatus(yield* status)!
    yield* perform("ProcessSignal", { process: init!, signal: 0 })
    yield* perform("ProcessSignal", { process: init!, signal })
    const { channel } = yield* perform("ChannelOpen", { directory: run, attach: 0 })
    yield* perform("ChannelRead", { channel })
    if (signal !== 0) while ((yield* perform("ChannelRead", { channel })).length > 0) continue
    yield* perform("ChannelWrite", { channel, frames: new Uint8Array(8).fill(32, 0, 1) }).pipe(Effect.ignore)
    yield* perform("ChannelClose", { channel })
    yield* status
    yield* perform("ProcessSignal", { process: init!, signal: 0 }).pipe(Effect.ignore)
    yield* perform("ProcessSignal", { process: supervisor, signal: 0 }).pipe(Effect.ignore)
    yield* perform("CgroupRead", { directory: group, files: ["cgroup.freeze"] }).pipe(Effect.ignore)
    yield* perform("CgroupFreeze", { directory: group, version: 2, frozen: false }).pipe(Effect.ignore)
  })

const trace = async (script: string, signal: number): Promise<ReadonlyArray<TraceEntry>> => {
  const entries: Array<TraceEntry> = []
  const simulation = simulate(options)
  await runOn(simulation, before(script))
  const record = recorded((entry) => Effect.sync(() => void entries.push(entry)))
  const exit = await runOn(simulation, Effect.provide(signalled(signal), Kernel.around(record)))
  assert.isTrue(Exit.isSuccess(exit), String(exit))
  return entries
}

const replayed = async (
  entries: ReadonlyArray<TraceEntry>, script: string, meanwhile: Effect.Effect<unknown, unknown, Kernel> = Effect.void
): Promise<{ readonly told: ReadonlyArray<string>; readonly simulation: Simulation }> => {
  const simulation = simulate({ ...options, seed: 7 })
  await runOn(simulation, Effect.andThen(before(script), meanwhile))
  const exit = await runOn(simulation, replay(entries))
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  const told = exit.value.differences.map(({ actual, expected, op: { tag } }) => `${tag}: ${expected} → ${actual}`)
  return { told, simulation }
}

const tagged = (entries: ReadonlyArray<TraceEntry>, tag: string, nth = 0): TraceEntry =>
  entries.filter(({ op: one }) => one.tag === tag).at(nth)!

const success = (entry: TraceEntry, value: unknown): TraceEntry => ({ ...entry, outcome: { _tag: "Success", value } })
const failure = (entry: TraceEntry, errno: string): TraceEntry => ({
  ...entry,
  outcome: { _tag: "Failure", error: new KernelError({ op: entry.op.tag, syscall: "x", errno, path: "/p", hint: "h" }) }
})

/** The trace with entries in place of those of the same index. */
const having = (entries: ReadonlyArray<TraceEntry>, ...changed: ReadonlyArray<TraceEntry>) =>
  entries.map((entry) => changed.find(({ index }) => index === entry.index) ?? entry)

/** As if nobody had listened any more: nothing follows on the channel. */
const unheard = (entries: ReadonlyArray<TraceEntry>, errno: string) =>
  having(entries, failure(tagged(entries, "ChannelOpen"), errno))
    .filter(({ op: one }) => one.tag === "ChannelOpen" || !one.tag.startsWith("Channel"))

/** As if all had been done at once, however long it took. */
const hurried = (entries: ReadonlyArray<TraceEntry>) =>
  entries.map((entry) => ({ ...entry, startedNs: entry.index, durationNs: 1 }))

/** As if what came after the signal had come seconds later. */
const delayed = (entries: ReadonlyArray<TraceEntry>) => {
  const { index } = tagged(entries, "ProcessSignal", 1)
  return entries.map((entry) => entry.index > index ? { ...entry, startedNs: entry.startedNs + 5e9 } : entry)
}

/** Left open. */
const channels = ({ world }: Simulation): number =>
  [...world.handles.values()].filter(({ _tag }) => _tag === "Channel").length

const SIGTERM = 15
const SIGKILL = 9

describe("the end of a supervisor in a replay", () => {
  it("may have come further then: the replay lets it come as far", async () => {
    const entries = await trace(slow, SIGTERM)
    for (const errno of ["ENOENT", "ECONNREFUSED", "EPIPE"]) {
      const { told, simulation } = await replayed(hurried(unheard(entries, errno)), slow)
      assert.deepStrictEqual(told, [], errno)
      assert.strictEqual(channels(simulation), 0)
    }
    // Without a channel the status alone tells of it
    const closed = hurried(entries.filter(({ op: one }) => !one.tag.startsWith("Channel")))
    assert.deepStrictEqual((await replayed(closed, slow)).told, [])
    // Its group had gone when it was to be thawed
    const freeze = tagged(closed, "CgroupFreeze")
    assert.strictEqual(freeze.outcome._tag, "Failure")
    const [first, second, third] = closed
    const only = [first!, second!, third!, failure(freeze, "ENODEV"), tagged(closed, "FileRead", 1)]
    assert.deepStrictEqual((await replayed(hurried(only), slow)).told, [])
  })

  it("may come sooner now, be it that everything of it was still there then", async () => {
    const entries = await trace(endless, SIGKILL)
    const there = tagged(entries, "FileRead").outcome
    const late = having(
      delayed(entries),
      { ...tagged(delayed(entries), "FileRead", 1), outcome: there },
      ...["ProcessSignal", "CgroupRead", "CgroupFreeze", "ChannelWrite"].flatMap((tag) =>
        delayed(entries).filter(({ op: one }) => one.tag === tag)
          .map((entry) => success(entry, tag === "CgroupRead" ? { a: "0" } : undefined)))
    )
    assert.deepStrictEqual((await replayed(late, endless)).told, [])
    assert.deepStrictEqual((await replayed(hurried(late), endless)).told, [])
    // Both had ended, seen in other ways
    assert.deepStrictEqual((await replayed(delayed(unheard(entries, "ECONNREFUSED")), endless)).told, [])
    const freed = delayed(having(entries, failure(tagged(entries, "CgroupFreeze"), "ENODEV")))
    assert.deepStrictEqual((await replayed(freed, endless)).told, [])
  })

  it("is a difference where nothing in the trace brings it about", async () => {
    const entries = await trace(endless, 0)
    assert.deepStrictEqual((await replayed(entries, endless)).told, [])
    const dead = Effect.gen(function*() {
      yield* perform("ProcessSignal", { process: parseStatus(yield* status)!.init!, signal: SIGKILL })
      yield* Effect.sleep("1 second")
      yield* status
    })
    const { told } = await replayed(entries, endless, dead)
    assert.include(told, "ProcessSignal: success → ESRCH")
    assert.include(told, "ChannelOpen: success → ENOENT")
    const unended = await replayed(unheard(entries, "ECONNREFUSED"), endless)
    assert.include(unended.told, "ChannelOpen: ECONNREFUSED → success")
    assert.strictEqual(channels(unended.simulation), 0)
  })

  it("does not hide other errors, nor another exit status", async () => {
    const entries = await trace(endless, SIGKILL)
    const wrong = having(
      entries, failure(tagged(entries, "ProcessSignal", 1), "EPERM"), failure(tagged(entries, "CgroupFreeze"), "EACCES")
    )
    assert.deepStrictEqual(
      (await replayed(wrong, endless)).told, ["ProcessSignal: EPERM → success", "CgroupFreeze: EACCES → ENOENT"]
    )
    const refused = await replayed(unheard(entries, "EACCES"), endless)
    assert.strictEqual(refused.told[0], "ChannelOpen: EACCES → success")
    const text = (tagged(entries, "FileRead", 1).outcome as { readonly value: string }).value
    const four = having(entries, success(tagged(entries, "FileRead", 1), text.replace(/(exited [0-9]+) 137 9/, "$1 4 0")))
    const { told } = await replayed(four, endless)
    assert.strictEqual(told.length, 1)
    assert.match(told[0]!, /^FileRead: .*"code":4.* → .*"code":137/)
  })
})
