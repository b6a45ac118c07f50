/**
 * A simulated kernel as a layer: what programs run on in tests, without root and without a
 * container.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Fault, faulty } from "../interpreters/middleware/faulty.ts"
import type { Behaviours } from "../interpreters/simulated/behaviours/Behaviour.ts"
import type { HostProfile } from "../interpreters/simulated/HostProfile.ts"
import { type HostFile, makeWorld } from "../interpreters/simulated/makeWorld.ts"
import { Simulation } from "../interpreters/simulated/Simulation.ts"
import type { InitFault, World } from "../interpreters/simulated/World.ts"
import { Kernel, type Middleware } from "../programs/Kernel.ts"
import { SimulatedHost } from "./SimulatedHost.ts"

export interface SimulatedKernelOptions {
  /** Everything that is drawn: orders, latencies, faults. 0 when absent. */
  readonly seed?: number
  /** The host to begin with; made of the options below when absent. */
  readonly world?: World
  readonly host?: Partial<HostProfile>
  readonly files?: { readonly [path: string]: HostFile }
  /** Directories that get the root of the image fx/hello, and of one with busybox. */
  readonly helloImage?: string
  readonly busyboxImage?: string
  /** Programs by path or name, besides the built-in ones. */
  readonly behaviours?: Behaviours
  /** Operations that fail. */
  readonly faults?: ReadonlyArray<Fault>
  /** Operations inside starting containers that fail. */
  readonly initFaults?: ReadonlyArray<InitFault>
  /** Around the kernel, the outermost first. */
  readonly middlewares?: ReadonlyArray<Middleware>
}

/** A host that lives, as the options say. */
export const simulate = (options: SimulatedKernelOptions = {}): Simulation => {
  const { seed = 0, files, helloImage, busyboxImage, host, behaviours, initFaults } = options
  const world = options.world ?? makeWorld({
    seed,
    ...(host === undefined ? {} : { host }),
    ...(files === undefined ? {} : { files }),
    ...(helloImage === undefined ? {} : { helloImage }),
    ...(busyboxImage === undefined ? {} : { busyboxImage })
  })
  return new Simulation({
    world: initFaults === undefined ? world : { ...world, initFaults },
    ...(behaviours === undefined ? {} : { behaviours })
  })
}

/** The door to a simulation for one engine, with middlewares around it. */
export const engineOn = (
  simulation: Simulation,
  middlewares: ReadonlyArray<Middleware> = []
): Layer.Layer<Kernel | SimulatedHost> =>
  middlewares.reduceRight<Layer.Layer<Kernel>>(
    (layer, middleware) => Layer.provide(Layer.fresh(Kernel.around(middleware)), layer),
    simulation.layer()
  ).pipe(Layer.merge(Layer.succeed(SimulatedHost, simulation)))

/** A new simulated host and one engine on it. Every build of the layer has a host of its own. */
export const simulatedKernel = (
  options: SimulatedKernelOptions = {}
): Layer.Layer<Kernel | SimulatedHost> =>
  Layer.unwrap(Effect.sync(() => {
    const faults = options.faults === undefined
      ? []
      : [faulty(options.faults, { seed: options.seed ?? 0 })]
    return engineOn(simulate(options), [...(options.middlewares ?? []), ...faults])
  }))
