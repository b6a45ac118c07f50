/**
 * Performs a trace again on the kernel that is provided, operation by operation as they overlapped
 * then, and says where something else came of them. Numbers that a kernel chooses (handles, pids,
 * start times) are translated; times and counters are not compared, nor how far a supervisor's end had come.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, op } from "../../domain/kernel/KernelOp.ts"
import { Kernel } from "../../programs/Kernel.ts"
import { compareOutcomes } from "./compareOutcomes.ts"
import { Endings, sightOf } from "./Endings.ts"
import { Passage } from "./Passage.ts"
import { outcomeOf } from "./recorded.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"
import { Translation } from "./Translation.ts"

export interface Difference {
  readonly index: number
  readonly op: KernelOp
  readonly expected: string
  readonly actual: string
}

export interface Replay {
  readonly performed: number
  readonly differences: ReadonlyArray<Difference>
}

interface Running {
  readonly entry: TraceEntry
  readonly fiber: Fiber.Fiber<void>
}

const endOf = (entry: TraceEntry): number => entry.startedNs + entry.durationNs

/**
 * Reads until as much has come as then, however it was cut: a channel's frames come in other pieces
 * each time.
 */
const readChannel = (
  kernel: Kernel["Service"],
  translation: Translation,
  channel: number,
  original: number
): Effect.Effect<Uint8Array, KernelError> =>
  Effect.gen(function*() {
    while (translation.isBehind(original)) {
      const bytes = yield* kernel.perform("ChannelRead", { channel })
      if (bytes.length === 0) break
      translation.received(original, bytes)
    }
    return new Uint8Array(0)
  })

/** Asks whether what an operation looks at is still there, and does nothing to it. */
const probe = (wanted: KernelOp): KernelOp | undefined => {
  switch (wanted.tag) {
    case "ChannelOpen":
      return op("ChannelOpen", { directory: wanted.payload.directory, attach: 0 })
    case "ProcessSignal":
      return op("ProcessSignal", { process: wanted.payload.process, signal: 0 })
    case "FileRead":
      return wanted
    case "CgroupFreeze":
    case "CgroupWrite":
      return op("FileStat", { path: wanted.payload.directory, follow: false })
    default:
      return undefined
  }
}

/**
 * Milliseconds for what was seen gone then to go now: a supervisor removes groups for two seconds at most, and waits
 * ten for a client that takes nothing.
 */
const patience = 15_000
const pause = 20

/** Lets a supervisor end that had ended then, so that the operation finds it so. */
const awaitEnd = (kernel: Kernel["Service"], wanted: KernelOp): Effect.Effect<void> =>
  Effect.gen(function*() {
    const asked = probe(wanted)
    if (asked === undefined) return
    const isGone = (outcome: TraceOutcome): boolean =>
      asked.tag === "FileStat" ? outcome._tag === "Failure" : sightOf(asked, outcome) === "gone"
    for (let waited = 0; waited < patience; waited += pause) {
      const outcome = yield* performOp(kernel, asked)
      if (isGone(outcome)) return
      yield* closeOpened(kernel, asked, outcome)
      yield* Effect.sleep(pause)
    }
  })

const performOp = (kernel: Kernel["Service"], wanted: KernelOp): Effect.Effect<TraceOutcome> =>
  Effect.map(
    Effect.exit(kernel.perform(wanted.tag, wanted.payload as never) as Effect.Effect<unknown, KernelError>),
    outcomeOf
  )

/** A channel that nothing in the trace will close. */
const closeOpened = (kernel: Kernel["Service"], { tag }: KernelOp, outcome: TraceOutcome): Effect.Effect<void> =>
  tag === "ChannelOpen" && outcome._tag === "Success"
    ? Effect.ignore(kernel.perform("ChannelClose", outcome.value as { readonly channel: number }))
    : Effect.void

/** Reads a piece, and at the end of then all that is left: pieces are cut otherwise each time. */
const pullArchive = (
  kernel: Kernel["Service"],
  passage: Passage,
  wanted: KernelOp,
  isEnd: boolean
): Effect.Effect<TraceOutcome> =>
  Effect.gen(function*() {
    for (;;) {
      const outcome = yield* performOp(kernel, wanted)
      if (outcome._tag !== "Success") return outcome
      const piece = outcome.value as Uint8Array
      passage.read(piece)
      if (!isEnd || piece.length === 0) return outcome
    }
  })

const pushArchive = (
  kernel: Kernel["Service"],
  passage: Passage,
  { payload }: Extract<KernelOp, { tag: "ArchivePush" }>,
  entry: TraceEntry
): Effect.Effect<TraceOutcome> =>
  Effect.gen(function*() {
    // What was wrong with it cannot be told from its length
    if (passage.isFromElsewhere && (entry.outcome._tag === "Failure" || !payload.last)) return entry.outcome
    const data = joinBytes(passage.take(payload.last))
    return yield* performOp(kernel, op("ArchivePush", { ...payload, data }))
  })

const performEntry = (
  kernel: Kernel["Service"],
  translation: Translation,
  passage: Passage,
  entry: TraceEntry,
  wanted: KernelOp
): Effect.Effect<TraceOutcome> => {
  if (entry.bytes !== undefined) {
    if (wanted.tag === "ArchivePull") return pullArchive(kernel, passage, wanted, entry.bytes === 0)
    if (wanted.tag === "ArchivePush") return pushArchive(kernel, passage, wanted, entry)
  }
  if (translation.isMissed(entry.op)) return Effect.succeed(entry.outcome)
  if (
    wanted.tag === "ChannelRead" && entry.op.tag === "ChannelRead" && entry.outcome._tag === "Success"
  ) {
    const original = entry.op.payload.channel
    translation.expected(original, entry.outcome.value as Uint8Array)
    return Effect.map(
      Effect.exit(readChannel(kernel, translation, wanted.payload.channel, original)),
      (exit) => Exit.isSuccess(exit) ? entry.outcome : outcomeOf(exit)
    )
  }
  return performOp(kernel, wanted)
}

/** Performs a trace. What was interrupted then is interrupted now. */
export const replay = (entries: ReadonlyArray<TraceEntry>): Effect.Effect<Replay, never, Kernel> =>
  Effect.gen(function*() {
    const kernel = yield* Kernel
    const translation = new Translation()
    const passage = new Passage()
    const endings = new Endings(entries)
    const differences: Array<Difference> = []
    const began = yield* Clock.monotonicTimeNanos
    let running: ReadonlyArray<Running> = []
    const settle = (isOver: (one: Running) => boolean) =>
      Effect.gen(function*() {
        for (const one of running.filter(isOver)) {
          if (one.entry.outcome._tag === "Interrupted") yield* Fiber.interrupt(one.fiber)
          else yield* Fiber.await(one.fiber)
        }
        running = running.filter((one) => !isOver(one))
      })
    const run = (entry: TraceEntry) =>
      Effect.gen(function*() {
        const wanted = translation.translate(entry.op)
        if (endings.sawEnd(entry)) yield* awaitEnd(kernel, wanted)
        const outcome = yield* performEntry(kernel, translation, passage, entry, wanted)
        if (entry.outcome._tag === "Failure") yield* closeOpened(kernel, wanted, outcome)
        translation.learn(entry, outcome)
        if (endings.excuses(entry, outcome)) {
          if (outcome._tag === "Failure") translation.miss(entry)
          return
        }
        const difference = compareOutcomes(entry, outcome, translation)
        if (difference !== undefined) {
          differences.push({ index: entry.index, op: entry.op, ...difference })
        }
      })
    for (const entry of [...entries].sort((one, other) => one.index - other.index)) {
      yield* settle((one) => endOf(one.entry) <= entry.startedNs)
      const elapsed = Number((yield* Clock.monotonicTimeNanos) - began)
      if (entry.startedNs > elapsed) yield* Effect.sleep(`${entry.startedNs - elapsed} nanos`)
      running = [...running, { entry, fiber: yield* Effect.forkChild(run(entry)) }]
    }
    yield* settle(() => true)
    for (const difference of translation.channelDifferences(entries)) differences.push(difference)
    return {
      performed: entries.length,
      differences: differences.sort((one, other) => one.index - other.index)
    }
  })
