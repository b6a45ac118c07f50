/** The simulated kernel as a ground for the laws: virtual time, and a look into the world for what is left. */
import { Effect, Layer, Scope } from "effect"
import type { Paths } from "../../src/domain/container/Paths.ts"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { Images } from "../../src/programs/Images.ts"
import { simulatedCompression } from "../../src/interpreters/simulated/SimulatedCompression.ts"
import { Kernel } from "../../src/programs/Kernel.ts"
import {
  brokenInvariants, type HostProfile, leaks, runtimeFor, simulate, type Simulation
} from "../../src/testing/index.ts"
import { startEngine } from "../../src/interpreters/simulated/makeWorld.ts"
import { type Ground, noRegistry } from "./Ground.ts"
import { simulatedImage } from "./image.ts"
import { strangers } from "./strangers.ts"

const paths: Paths = { root: "/var/lib/fx-engine", execRoot: "/run/fx-engine" }
const rootfs = "/images/busybox"
const scratch = "/scratch"
const reportCommand = ["/usr/bin/report"]

/** Microseconds in which what has been told to end has ended. */
const settling = 5_000_000

export interface SimulatedGround extends Ground {
  readonly simulation: Simulation
}

const engineOn = (kernel: Layer.Layer<Kernel>, driver: StorageDriver): Layer.Layer<Engine | Host | Images | Kernel> =>
  Layer.merge(
    Layer.fresh(Engine.local({ onExit: reportCommand })),
    Layer.fresh(Images.local({ registry: noRegistry, compression: simulatedCompression }))
  ).pipe(
    Layer.provideMerge(Layer.fresh(Host.layer({ paths, builtinImages: [], chosenDriver: driver }))), Layer.provideMerge(kernel)
  )

/** Empties the scratch directory, as somebody else on the host. */
const emptyScratch = (simulation: Simulation): Promise<void> =>
  runtimeFor(simulation).run(Effect.scoped(Effect.gen(function*() {
    const kernel = Kernel.make(simulation.interpreter(yield* simulation.engine()))
    yield* kernel.perform("TreeRemove", { path: scratch })
    yield* kernel.perform("DirMake", { path: scratch, mode: 0o755 })
  })))

export const simulatedGround = async (
  host: Partial<HostProfile>, title: string, driver: StorageDriver = "overlay2"
): Promise<SimulatedGround> => {
  const simulation = simulate({ host, files: { ...simulatedImage(rootfs), [scratch]: { directory: true } } })
  let seed = 0
  // A seed is used once: the ids of containers are drawn from it
  const run = <A, E>(program: Effect.Effect<A, E>): Promise<A> => runtimeFor(simulation, seed++).run(program)
  const layer = engineOn(simulation.layer(), driver)
  // Rooms and locks that stay for good are there before the first law
  await run(Effect.provide(Effect.gen(function*() {
    yield* Engine.use((engine) => engine.recover)
    yield* Images.use((images) => images.prune(false, { labels: [], excludedLabels: [], before: [], since: [], references: [] }))
  }), layer))
  const boot = simulation.world
  return {
    title, patience: 1, rootfs, scratch, paths, driver, layer, run, simulation,
    stranger: (name, argument) => Effect.gen(function*() {
      const [pid, world] = startEngine(simulation.world)
      simulation.change(() => world)
      yield* Effect.orDie(Effect.provide(
        strangers[name](argument) as Effect.Effect<unknown, unknown, Engine | Kernel>,
        engineOn(Kernel.layer(simulation.interpreter(pid)), driver)
      ))
      const kill = Effect.sync(() => simulation.kill(pid))
      yield* Scope.addFinalizer(yield* Effect.scope, kill)
      return { kill }
    }),
    reported: () => simulation.world.commands.map(({ argv }) => argv.at(-1)!),
    leftovers: async () => {
      await emptyScratch(simulation)
      simulation.pass(settling)
      return [...leaks(boot, simulation.world), ...brokenInvariants(simulation.world)].map(({ kind, what }) => `${kind}: ${what}`)
    },
    close: () => Promise.resolve()
  }
}
