/** A door that writes down what goes through it. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import type { Middleware } from "../../programs/Kernel.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"

/** An exit as a trace has it. */
export const outcomeOf = (exit: Exit.Exit<unknown, KernelError>): TraceOutcome => {
  if (Exit.isSuccess(exit)) return { _tag: "Success", value: exit.value }
  const error = Cause.findErrorOption(exit.cause)
  return Option.isSome(error) ? { _tag: "Failure", error: error.value } : { _tag: "Interrupted" }
}

const nothing = new Uint8Array(0)

/** An entry without what is in users' files: of pieces of archives it says how long they were. */
const withoutContents = (entry: TraceEntry): TraceEntry => {
  const { op, outcome } = entry
  if (op.tag === "ArchivePush") {
    return { ...entry, op: { tag: op.tag, payload: { ...op.payload, data: nothing } }, bytes: op.payload.data.length }
  }
  return op.tag === "ArchivePull" && outcome._tag === "Success"
    ? { ...entry, outcome: { _tag: "Success", value: nothing }, bytes: (outcome.value as Uint8Array).length }
    : entry
}

/**
 * Gives an entry for every operation to `sink` when it has ended. Operations that overlap may end
 * in another order than that of their indices, which count the beginnings.
 */
export const recorded = (sink: (entry: TraceEntry) => Effect.Effect<void>): Middleware => {
  let count = 0
  let began: bigint | undefined
  return (next) => (tag, payload) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (started) => {
      began ??= started
      const index = count++
      const startedNs = Number(started - began)
      return Effect.onExit(next(tag, payload), (exit) =>
        Effect.flatMap(Clock.monotonicTimeNanos, (ended) =>
          sink(withoutContents({
            index,
            op: { tag, payload } as KernelOp,
            outcome: outcomeOf(exit),
            startedNs,
            durationNs: Number(ended - started)
          }))))
    })
}
