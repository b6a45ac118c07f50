/** A door at which the engine dies: as by SIGKILL, before or after one of its operations. */
import * as Effect from "effect/Effect"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import type { Middleware } from "../../programs/Kernel.ts"
import { isMeant, type Selection } from "./faulty.ts"

/** The defect of a program whose engine has died. */
export class Crash extends Error {
  override readonly name = "Crash"

  constructor() {
    super("the engine has crashed: it performs nothing any more")
  }
}

export interface CrashPlan extends Selection {
  readonly when: "before" | "after"
  /** What the kernel does about a dead process: it takes its locks and closes its channels. */
  readonly onCrash: Effect.Effect<void>
  /**
   * What becomes of the operations of the dead engine. `hang`: they never return, as no line of a
   * dead process runs; the program must then be left alone. `die`: they end with the defect Crash,
   * so that it comes to an end.
   */
  readonly afterwards: "hang" | "die"
}

/** Lets the engine die at the first operation that is meant; from then on nothing is performed. */
export const crashing = (plan: CrashPlan): Middleware => {
  let count = 0
  let crashed = false
  const over: Effect.Effect<never> = plan.afterwards === "hang"
    ? Effect.never
    : Effect.suspend(() => Effect.die(new Crash()))
  const crash = Effect.suspend(() => {
    crashed = true
    return Effect.andThen(plan.onCrash, over)
  })
  return (next) => (tag, payload) =>
    Effect.suspend(() => {
      if (crashed) return over
      const index = count++
      if (!isMeant(plan, { tag, payload } as KernelOp, index, () => 0)) return next(tag, payload)
      return plan.when === "before" ? crash : Effect.andThen(Effect.exit(next(tag, payload)), crash)
    })
}
