/** Runs a program on a simulated host in virtual time: the same seed gives the same run. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { faulty } from "../interpreters/middleware/faulty.ts"
import { SimulatedRuntime } from "../interpreters/simulated/SimulatedRuntime.ts"
import type { Simulation } from "../interpreters/simulated/Simulation.ts"
import type { Kernel } from "../programs/Kernel.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"
import { engineOn, simulate, type SimulatedKernelOptions } from "./simulatedKernel.ts"

export interface SimulatedRun<A, E> {
  readonly exit: Exit.Exit<A, E>
  /** The host afterwards. */
  readonly simulation: Simulation
}

/** A runtime whose clock agrees with a host's. */
export const runtimeFor = (simulation: Simulation, seed = 0): SimulatedRuntime =>
  new SimulatedRuntime({ seed, now: simulation.world.now })

/**
 * Runs on a host that is there already. Several engines may run on it, one after the other or in
 * one program.
 */
export const runOn = <A, E>(
  simulation: Simulation,
  effect: Effect.Effect<A, E, Kernel | SimulatedHost>,
  options: SimulatedKernelOptions = {}
): Promise<Exit.Exit<A, E>> => {
  const { seed = 0, faults } = options
  const middlewares = [
    ...(options.middlewares ?? []),
    ...(faults === undefined ? [] : [faulty(faults, { seed })])
  ]
  return runtimeFor(simulation, seed).runExit(
    Effect.provide(effect, engineOn(simulation, middlewares))
  )
}

/** Runs on a new host, and gives that host too. */
export const runSimulatedExit = async <A, E>(
  effect: Effect.Effect<A, E, Kernel | SimulatedHost>,
  options: SimulatedKernelOptions = {}
): Promise<SimulatedRun<A, E>> => {
  const simulation = simulate(options)
  return { exit: await runOn(simulation, effect, options), simulation }
}

/** Runs on a new host; rejects with the program's failure. */
export const runSimulated = async <A, E>(
  effect: Effect.Effect<A, E, Kernel | SimulatedHost>,
  options: SimulatedKernelOptions = {}
): Promise<A> => {
  const { exit } = await runSimulatedExit(effect, options)
  return Effect.runPromise(Effect.suspend(() => exit))
}
