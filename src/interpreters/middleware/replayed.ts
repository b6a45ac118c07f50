/**
 * Performs a trace again on the kernel that is provided, operation by operation as they overlapped
 * then, and says where something else came of them. Numbers that a kernel chooses (handles, pids,
 * start times) are translated; times and counters are not compared.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import { Kernel } from "../../programs/Kernel.ts"
import { compareOutcomes } from "./compareOutcomes.ts"
import { outcomeOf } from "./recorded.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"
import { toldOfEnd, Translation } from "./Translation.ts"

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

/** Whether a supervisor that was about to end then, and told so, has ended by now. */
const cameTooLate = (entry: TraceEntry, outcome: TraceOutcome, entries: ReadonlyArray<TraceEntry>): boolean => {
  if (entry.op.tag !== "ChannelOpen" || entry.outcome._tag !== "Success" || outcome._tag !== "Failure") return false
  if (outcome.error.errno !== "ENOENT" && outcome.error.errno !== "ECONNREFUSED") return false
  const { channel } = entry.outcome.value as { readonly channel: number }
  return toldOfEnd(entries, channel)
}

const performEntry = (
  kernel: Kernel["Service"],
  translation: Translation,
  entry: TraceEntry,
  op: KernelOp
): Effect.Effect<TraceOutcome> => {
  if (translation.isMissed(entry.op)) return Effect.succeed(entry.outcome)
  if (
    op.tag === "ChannelRead" && entry.op.tag === "ChannelRead" && entry.outcome._tag === "Success"
  ) {
    const original = entry.op.payload.channel
    translation.expected(original, entry.outcome.value as Uint8Array)
    return Effect.map(
      Effect.exit(readChannel(kernel, translation, op.payload.channel, original)),
      (exit) => Exit.isSuccess(exit) ? entry.outcome : outcomeOf(exit)
    )
  }
  return Effect.map(
    Effect.exit(kernel.perform(op.tag, op.payload as never) as Effect.Effect<unknown, KernelError>),
    outcomeOf
  )
}

/** Performs a trace. What was interrupted then is interrupted now. */
export const replay = (entries: ReadonlyArray<TraceEntry>): Effect.Effect<Replay, never, Kernel> =>
  Effect.gen(function*() {
    const kernel = yield* Kernel
    const translation = new Translation()
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
        const op = translation.translate(entry.op)
        const outcome = yield* performEntry(kernel, translation, entry, op)
        if (cameTooLate(entry, outcome, entries)) return translation.miss(entry)
        translation.learn(entry, outcome)
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
