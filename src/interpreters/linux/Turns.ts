/** An open thing that is used by one at a time, cannot be used on after a failure, and is closed when nobody uses it. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Refusal, type Subject, toKernelError } from "./attempt.ts"

export class Turns {
  private state: "open" | "busy" | "failed" | "closing" | "closed" = "open"
  private readonly closeNow: () => void

  /** `closeNow` is called once. */
  constructor(closeNow: () => void) {
    this.closeNow = closeNow
  }

  /** Does it when nobody else does something; what fails, or is interrupted, is the last that is done. */
  take<A>(
    subject: Subject, syscall: string, effect: () => Effect.Effect<A, KernelError>
  ): Effect.Effect<A, KernelError> {
    return Effect.suspend(() => {
      if (this.state !== "open") {
        const refusal = new Refusal(syscall, "EBUSY", "an earlier one is under way, or failed")
        return Effect.fail(toKernelError(subject, refusal))
      }
      this.state = "busy"
      return Effect.onExit(Effect.suspend(effect), (exit) => Effect.sync(() => this.release(exit._tag === "Success")))
    })
  }

  close(): void {
    if (this.state === "busy") this.state = "closing"
    else if (this.state !== "closing") this.end()
  }

  private release(succeeded: boolean): void {
    if (this.state === "closing") this.end()
    else if (this.state === "busy") this.state = succeeded ? "open" : "failed"
  }

  private end(): void {
    if (this.state === "closed") return
    this.state = "closed"
    this.closeNow()
  }
}
