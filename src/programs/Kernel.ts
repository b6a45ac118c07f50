/**
 * The door through which every effect of the engine goes. An interpreter gives one handler per
 * operation; a middleware wraps the door.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import { type KernelOp, type KernelTag, type Payload, type Success, undo } from "../domain/kernel/KernelOp.ts"

export type Perform = <T extends KernelTag>(tag: T, payload: Payload<T>) => Effect.Effect<Success<T>, KernelError>

/**
 * Several operations whose results nobody needs, in order, in one go. The law: the same as performing them one by one, the
 * first failure ends it.
 */
export type PerformAll = (ops: ReadonlyArray<KernelOp>) => Effect.Effect<void, KernelError>

/**
 * One operation on many objects, and what came of each, in order. The law: the same as performing them one by one;
 * a failure ends none but its own.
 */
export type PerformEach = <T extends KernelTag>(
  tag: T, payloads: ReadonlyArray<Payload<T>>
) => Effect.Effect<ReadonlyArray<Result.Result<Success<T>, KernelError>>>

export type Middleware = (next: Perform) => Perform

/** One handler per operation; a missing tag is a type error. */
export type Interpreter = {
  readonly [T in KernelTag]: (payload: Payload<T>) => Effect.Effect<Success<T>, KernelError>
}

const oneByOne = (perform: Perform): PerformAll => (ops) =>
  Effect.forEach(ops, (op) => perform(op.tag, op.payload as never), { discard: true })

export const eachByItself = (perform: Perform): PerformEach => (tag, payloads) =>
  Effect.forEach(payloads, (payload) => Effect.result(perform(tag, payload)))

/** How an interpreter does many operations faster than one by one. */
export interface Batches {
  readonly performAll: PerformAll
  readonly performEach: PerformEach
}

export class Kernel extends Context.Service<Kernel, {
  readonly perform: Perform
  readonly performAll: PerformAll
  readonly performEach: PerformEach
}>()("fx/programs/Kernel") {
  static readonly make = (interpreter: Interpreter, batches?: Batches): Kernel["Service"] => {
    const perform: Perform = (tag, payload) => interpreter[tag](payload)
    return { perform, ...(batches ?? { performAll: oneByOne(perform), performEach: eachByItself(perform) }) }
  }

  static readonly layer = (interpreter: Interpreter, batches?: Batches): Layer.Layer<Kernel> =>
    Layer.succeed(Kernel, Kernel.make(interpreter, batches))

  /** Wraps the door; a batch then goes through it one by one. */
  static readonly around = (middleware: Middleware): Layer.Layer<Kernel, never, Kernel> =>
    Layer.effect(
      Kernel,
      Effect.map(Effect.service(Kernel), (kernel) => {
        const perform = middleware(kernel.perform)
        return { perform, performAll: oneByOne(perform), performEach: eachByItself(perform) }
      })
    )
}

export const perform = <T extends KernelTag>(
  tag: T,
  payload: Payload<T>
): Effect.Effect<Success<T>, KernelError, Kernel> => Kernel.use((kernel) => kernel.perform(tag, payload))

export const performAll = (ops: ReadonlyArray<KernelOp>): Effect.Effect<void, KernelError, Kernel> =>
  Kernel.use((kernel) => kernel.performAll(ops))

export const performEach = <T extends KernelTag>(
  tag: T, payloads: ReadonlyArray<Payload<T>>
): Effect.Effect<ReadonlyArray<Result.Result<Success<T>, KernelError>>, never, Kernel> =>
  Kernel.use((kernel) => kernel.performEach(tag, payloads))

/**
 * Performs a batch that is taken back, newest first, if the enclosing scope closes with a failure. What
 * cannot be taken back now is left to `recover`: the undo's own failure is not reported over the first.
 */
export const performUndoable = (
  ops: ReadonlyArray<KernelOp>
): Effect.Effect<void, KernelError, Kernel | Scope.Scope> =>
  Effect.acquireRelease(
    Effect.void,
    (_, exit) => {
      if (Exit.isSuccess(exit)) return Effect.void
      const back = ops.map(undo).filter((op) => op !== undefined).reverse()
      return Effect.forEach(back, (op) => Effect.ignore(perform(op.tag, op.payload as never)), { discard: true })
    }
  ).pipe(Effect.andThen(performAll(ops)))
