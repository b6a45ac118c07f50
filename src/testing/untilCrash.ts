/**
 * Runs a program whose engine dies on the way, and leaves it where it was: as a killed process is.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { crashing } from "../interpreters/middleware/crashing.ts"
import type { Selection } from "../interpreters/middleware/faulty.ts"
import type { Simulation } from "../interpreters/simulated/Simulation.ts"
import { Kernel } from "../programs/Kernel.ts"

export type CrashRun<A, E> =
  | { readonly _tag: "Crashed" }
  /** The program had ended before its time came. */
  | { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> }

/**
 * Runs `program` as an engine of its own that dies at the operation that is meant. Nothing of the
 * program runs afterwards: neither its finalizers nor what it would have done about an
 * interruption.
 */
export const untilCrash = <A, E>(
  simulation: Simulation,
  program: Effect.Effect<A, E, Kernel>,
  plan: Selection & { readonly when: "before" | "after" }
): Effect.Effect<CrashRun<A, E>> =>
  Effect.gen(function*() {
    // The scope of a dead process is never closed by itself
    const scope = yield* Scope.make()
    const engine = yield* Scope.provide(simulation.engine(), scope)
    const outcome = yield* Deferred.make<CrashRun<A, E>>()
    const crash = Effect.andThen(
      Effect.sync(() => simulation.kill(engine)),
      Deferred.succeed(outcome, { _tag: "Crashed" })
    )
    const door = crashing({ ...plan, onCrash: Effect.asVoid(crash), afterwards: "hang" })
    const kernel = Layer.provide(
      Layer.fresh(Kernel.around(door)),
      Kernel.layer(simulation.interpreter(engine))
    )
    yield* Effect.forkDetach(Effect.flatMap(Effect.exit(Effect.provide(program, kernel)), (exit) =>
      Deferred.succeed(outcome, { _tag: "Ended", exit })))
    const run = yield* Deferred.await(outcome)
    if (run._tag === "Ended") {
      yield* Scope.close(scope, Exit.void)
    }
    return run
  })
