/** The simulated machine under a simulated kernel, for tests that look at it or change it. */
import * as Context from "effect/Context"
import type { Simulation } from "../interpreters/simulated/Simulation.ts"

export class SimulatedHost
  extends Context.Service<SimulatedHost, Simulation>()("fx/testing/SimulatedHost")
{}
