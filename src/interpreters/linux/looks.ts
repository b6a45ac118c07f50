/**
 * Operations that look at one object and answer at once. Of many objects they are done without an effect for each,
 * which in a process that has only just begun takes longer than the look itself.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelTag, Payload, Success } from "../../domain/kernel/KernelOp.ts"
import { eachByItself, type Interpreter, type PerformEach } from "../../programs/Kernel.ts"
import { attempt, toKernelError } from "./attempt.ts"

export type LookTag = "DirList" | "FileRead" | "ProcessSignal"

/** How one such operation is done: what its errors name, and its answer; throws for `attempt`. */
export interface Look<T extends LookTag> {
  readonly pathOf: (payload: Payload<T>) => string
  readonly answer: (payload: Payload<T>) => Success<T>
}

export type Looks = { readonly [T in LookTag]: Look<T> }

/** The handler of one look. */
export const looking = <T extends LookTag>(op: T, { answer, pathOf }: Look<T>): Interpreter[T] =>
  ((payload: Payload<T>) => attempt({ op, path: pathOf(payload) }, () => answer(payload))) as Interpreter[T]

/** Looks in one go at most: the event loop waits while they last. */
const longestRun = 128

const lookAt = <T extends LookTag>(
  op: T, { answer, pathOf }: Look<T>, payload: Payload<T>
): Result.Result<Success<T>, KernelError> => {
  try {
    return Result.succeed(answer(payload))
  } catch (cause) {
    return Result.fail(toKernelError({ op, path: pathOf(payload) }, cause))
  }
}

const lookAtAll = <T extends LookTag>(op: T, look: Look<T>, payloads: ReadonlyArray<Payload<T>>) =>
  Effect.gen(function*() {
    const found: Array<Result.Result<Success<T>, KernelError>> = []
    for (let at = 0; at < payloads.length; at += longestRun) {
      if (at > 0) yield* Effect.yieldNow
      for (const payload of payloads.slice(at, at + longestRun)) found.push(lookAt(op, look, payload))
    }
    return found
  })

const isLook = (tag: KernelTag, looks: Looks): tag is LookTag => tag in looks

/** Looks without effects of their own, other operations by their handlers. */
export const performEach = (looks: Looks, interpreter: Interpreter): PerformEach => {
  const others = eachByItself((tag, payload) => interpreter[tag](payload))
  return ((tag: KernelTag, payloads: ReadonlyArray<never>) =>
    isLook(tag, looks) ? lookAtAll(tag, looks[tag] as Look<typeof tag>, payloads) : others(tag, payloads)) as PerformEach
}
