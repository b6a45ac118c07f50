/** An engine on a simulated host for tests: programs in virtual time, and a look afterwards at what is left. */
import { Effect, Layer, Stream } from "effect"
import { type ContainerConfig, defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import type { Paths } from "../../src/domain/container/Paths.ts"
import type { KernelTag } from "../../src/domain/kernel/KernelOp.ts"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import type { Kernel, Middleware } from "../../src/programs/Kernel.ts"
import {
  brokenInvariants, engineOn, type Finding, type HostProfile, leaks, runtimeFor, simulate, type Simulation, type World
} from "../../src/testing/index.ts"

export const paths: Paths = { root: "/var/lib/fx-engine", execRoot: "/run/fx-engine" }
export const rootfs = "/images/busybox"

/** A host with a busybox root, on which an engine has been started once: what it makes at its start is no leak. */
export const bootedHost = async (seed = 0, cgroups: HostProfile["cgroups"] = "v2"): Promise<Simulation> => {
  const simulation = simulate({ seed, busyboxImage: rootfs, host: { cgroups } })
  await runtimeFor(simulation, seed).run(onEngine(simulation.layer(), Effect.flatMap(Engine, (engine) => engine.recover)))
  return simulation
}

export const onEngine = <A, E>(
  kernel: Layer.Layer<Kernel>, effect: Effect.Effect<A, E, Engine | Host | Kernel>
): Effect.Effect<A, E> => Effect.provide(effect, engineLayer(kernel))

export const engineLayer = (
  kernel: Layer.Layer<Kernel>, chosenDriver?: StorageDriver
): Layer.Layer<Engine | Host | Kernel> =>
  Layer.fresh(Engine.local({ onExit: [] })).pipe(
    Layer.provideMerge(Layer.fresh(Host.layer({ paths, builtinImages: [], chosenDriver }))), Layer.provideMerge(kernel)
  )

/** Runs as one engine on the host, to its end. */
export const on = <A, E>(simulation: Simulation, effect: Effect.Effect<A, E, Engine | Host | Kernel>, seed = 0): Promise<A> =>
  runtimeFor(simulation, seed).run(onEngine(simulation.layer(), effect))

export const config = (command: ReadonlyArray<string>, more: Partial<ContainerConfig> = {}): ContainerConfig => ({
  ...defaultConfig("busybox"), rootfs, command, ...more
})

const silent = { input: undefined, sizes: Stream.never, detached: Effect.never, output: () => Effect.void }

/** `run --rm`, attached. */
export const run = (command: ReadonlyArray<string>): Effect.Effect<void, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(command), "victim")
    yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* engine.startAttached(id, { stdin: false, stdout: true, stderr: true, claim: true })
      yield* session.run(silent)
    }))
    yield* engine.remove(id, { force: false })
  })

export const startIdle = Effect.gen(function*() {
  const engine = yield* Engine
  const { id } = yield* engine.create(config(["sleep", "1000"]), "victim")
  yield* engine.start(id)
  return id
})

export const execTrue = Effect.gen(function*() {
  const engine = yield* Engine
  yield* Effect.scoped(Effect.gen(function*() {
    const session = yield* engine.exec("victim", {
      command: ["true"], env: [], user: "", workingDirectory: "", tty: false, consoleSize: [0, 0], stdin: false,
      privileged: false, attach: 3
    })
    yield* session.run(silent)
  }))
})

/** A new engine at the same root: recovers, finds no disagreement, removes all, and the name is free again. */
export const cleanUp = Effect.gen(function*() {
  const engine = yield* Engine
  const { quarantined } = yield* engine.recover
  const disagreements = yield* engine.check({ repair: false })
  const states: Array<string> = []
  for (const { record, state } of yield* engine.list) {
    states.push(state.name)
    yield* engine.remove(record.id, { force: true })
  }
  const { id } = yield* engine.create(config(["true"]), "victim")
  yield* engine.remove(id, { force: false })
  return { quarantined, disagreements, states }
})

/** What is there now that was not before, and what the model itself has wrong. */
export const left = (before: World, after: Simulation): ReadonlyArray<Finding> => [
  ...leaks(before, after.world), ...brokenInvariants(after.world)
]

/** Commands whose every operation is swept; `prepare` comes before and is not disturbed. */
export const commands: ReadonlyArray<{
  readonly name: string
  readonly prepare: Effect.Effect<unknown, EngineError, Engine>
  readonly command: Effect.Effect<unknown, EngineError, Engine>
}> = [
  { name: "run", prepare: Effect.void, command: run(["sh", "-c", "echo hello; exit 3"]) },
  { name: "start", prepare: Effect.void, command: startIdle },
  { name: "stop", prepare: startIdle, command: Effect.flatMap(Engine, (engine) => engine.stop("victim", { timeout: 1 })) },
  { name: "exec", prepare: startIdle, command: execTrue },
  { name: "rm", prepare: startIdle, command: Effect.flatMap(Engine, (engine) => engine.remove("victim", { force: true })) },
  { name: "restart", prepare: startIdle, command: Effect.flatMap(Engine, (engine) => engine.restart("victim", { timeout: 1 })) },
  {
    name: "pause and unpause", prepare: startIdle,
    command: Effect.flatMap(Engine, (engine) => Effect.andThen(engine.pause("victim"), engine.unpause("victim")))
  },
  {
    name: "update and rename", prepare: startIdle,
    command: Effect.flatMap(Engine, (engine) =>
      Effect.andThen(engine.update("victim", { resources: { memory: 64 << 20, pidsLimit: 50 } }), engine.rename("victim", "other")))
  }
]

/** The kernel of one engine on the host with middlewares around it. */
export const kernelOf = (simulation: Simulation, middlewares: ReadonlyArray<Middleware>): Layer.Layer<Kernel> =>
  engineOn(simulation, middlewares)

/** The tags of the operations that an undisturbed command performs on a host, in order. */
export const operationsOf = async (
  world: World, command: Effect.Effect<unknown, EngineError, Engine>
): Promise<ReadonlyArray<KernelTag>> => {
  const simulation = simulate({ world })
  const tags: Array<KernelTag> = []
  const noted: Middleware = (next) => (tag, payload) => Effect.suspend(() => (tags.push(tag), next(tag, payload)))
  await runtimeFor(simulation).run(onEngine(kernelOf(simulation, [noted]), command))
  return tags
}
