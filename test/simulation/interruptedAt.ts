/** Interrupts a command from outside at one of its operations, as Ctrl-C or a deadline does. */
import { Effect, Exit, Fiber, Layer, Option } from "effect"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { Kernel, type Middleware } from "../../src/programs/Kernel.ts"
import { runtimeFor, type Simulation } from "../../src/testing/index.ts"
import { engineLayer } from "./SimulatedEngine.ts"

export interface Interruption {
  /** The operation's place in the order of beginning, from 0. */
  readonly at: number
  /**
   * `during`: while it waits, or at the next pause if it does not. `after`: it has taken effect, and its result is
   * lost where the program may be interrupted there.
   */
  readonly when: "before" | "during" | "after"
}

/** What there is when the command has returned and its process lives on. */
export interface Aftermath {
  /** None: it did not return in time. */
  readonly exit: Option.Option<Exit.Exit<unknown, unknown>>
  /** What the process still holds: locks, channels, archives. */
  readonly held: ReadonlyArray<string>
}

/** Virtual time after which a command does not return any more. */
const patience = "20 seconds"

/** `strike` interrupts the command, and then does what it is given. */
export const interruptible = ({ at, when }: Interruption, strikeSoon: (then: () => void) => void): Middleware => {
  let count = 0
  const strike = Effect.callback<void>((resume) => strikeSoon(() => resume(Effect.void)))
  return (next) => (tag, payload) =>
    Effect.suspend(() => {
      if (count++ !== at) return next(tag, payload)
      if (when === "before") return Effect.andThen(strike, next(tag, payload))
      // What waits for a lock and is interrupted has not taken it: its result is not lost
      if (when === "during" || tag === "LockAcquire") {
        strikeSoon(() => {})
        return next(tag, payload)
      }
      return Effect.tap(Effect.uninterruptible(next(tag, payload)), () => strike)
    })
}

/** Runs a command as an engine of its own; undefined when it ends before the interruption. */
export const interruptedAt = (
  simulation: Simulation, command: Effect.Effect<unknown, EngineError, Engine>, interruption: Interruption
): Promise<Aftermath | undefined> => {
  const runtime = runtimeFor(simulation)
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  let struck = false
  const strike = (then: () => void) =>
    runtime.schedule(() => {
      struck = true
      fiber?.interruptUnsafe()
      then()
    })
  return runtime.run(Effect.scoped(Effect.gen(function*() {
    const engine = yield* simulation.engine()
    const kernel = Layer.provide(
      Layer.fresh(Kernel.around(interruptible(interruption, strike))), Kernel.layer(simulation.interpreter(engine))
    )
    fiber = yield* Effect.forkDetach(Effect.provide(command, engineLayer(kernel)))
    const exit = yield* Effect.timeoutOption(Fiber.await(fiber), patience)
    if (!struck) return undefined
    const held = simulation.world.handles.values().filter((one) => one.owner === engine)
    return { exit, held: held.map((one) => `${one._tag} ${"path" in one ? one.path : one.id}`) }
  })))
}
