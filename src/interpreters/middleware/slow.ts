/**
 * Doors that disturb without failing: operations that take their time, and fibers that are
 * interrupted.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { KernelOp, KernelTag } from "../../domain/kernel/KernelOp.ts"
import type { Middleware } from "../../programs/Kernel.ts"
import { isMeant, type Selection } from "./faulty.ts"

/** Every operation takes longer, by the clock of the program; `undefined`: as long as ever. */
export const slow =
  (delay: (tag: KernelTag) => Duration.Input | undefined): Middleware => (next) => (
    tag,
    payload
  ) => {
    const wait = delay(tag)
    return wait === undefined
      ? next(tag, payload)
      : Effect.andThen(Effect.sleep(wait), next(tag, payload))
  }

/**
 * The fiber that performs the operation is interrupted there, before or after it takes effect.
 * Once.
 */
export const interrupted = (
  plan: Selection & { readonly when: "before" | "after" }
): Middleware => {
  let count = 0
  let done = false
  return (next) => (tag, payload) =>
    Effect.suspend(() => {
      const index = count++
      if (done || !isMeant(plan, { tag, payload } as KernelOp, index, () => 0)) {
        return next(tag, payload)
      }
      done = true
      return plan.when === "before"
        ? Effect.interrupt
        : Effect.andThen(Effect.exit(next(tag, payload)), Effect.interrupt)
    })
}
