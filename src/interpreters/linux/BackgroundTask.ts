/** One task of the addon at a time on a pool thread, while the next is being prepared. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type CancelFlag, type Done, type Failure, isFailure } from "./addon.ts"

export class BackgroundTask {
  private cancel: CancelFlag | undefined
  private fault: KernelError | undefined
  private readonly waiting: Array<() => void> = []

  get isRunning(): boolean {
    return this.cancel !== undefined
  }

  /** Begins a task; none is running. Its failure, as `explain` tells it, is that of the next `join`. */
  start<A>(
    begin: (cancel: CancelFlag, done: Done<A>) => undefined | Failure, explain: (failure: Failure) => KernelError,
    use: (result: A) => void = () => {}
  ): void {
    const cancel: CancelFlag = new Int32Array(1)
    this.cancel = cancel
    const done: Done<A> = (result) => {
      this.cancel = undefined
      if (isFailure(result)) this.fault ??= explain(result)
      else use(result)
      for (const wake of this.waiting.splice(0)) wake()
    }
    const refused = begin(cancel, done)
    if (refused !== undefined) done(refused)
  }

  /** Waits for the task, and fails as it did. */
  join(): Effect.Effect<void, KernelError> {
    const told = Effect.suspend(() => this.fault === undefined ? Effect.void : Effect.fail(this.fault))
    return Effect.andThen(Effect.suspend(() => this.idle()), told)
  }

  /** Stops the task and waits until its thread has let go. */
  stop(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.cancel !== undefined) Atomics.store(this.cancel, 0, 1)
      return this.idle()
    })
  }

  /** Does it when no task is running, at once or later. */
  whenIdle(then: () => void): void {
    if (this.isRunning) this.waiting.push(then)
    else then()
  }

  private idle(): Effect.Effect<void> {
    return !this.isRunning ? Effect.void : Effect.callback<void>((resume) => this.whenIdle(() => resume(Effect.void)))
  }
}
