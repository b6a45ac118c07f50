/** The engine that a command runs on: the programs over the kernel of this machine, or over a simulated one. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync } from "node:fs"
import { defaultExecRoot, type Paths, settingsFile } from "../domain/container/Paths.ts"
import type { StorageDriver } from "../domain/layer/LayerRecord.ts"
import type { RegistryError } from "../domain/registry/RegistryError.ts"
import { Engine } from "../programs/Engine.ts"
import { Host } from "../programs/Host.ts"
import type { Compression } from "../programs/image/Compression.ts"
import { Images } from "../programs/Images.ts"
import type { Kernel } from "../programs/Kernel.ts"
import { Registries, type Remote } from "../programs/Registries.ts"
import type { Globals } from "./argv/globalFlags.ts"
import { builtinImages } from "./builtinImages.ts"
import type { Services } from "./commands/Command.ts"
import { type CommandFailure, refusal } from "./commands/CommandFailure.ts"

export interface EngineOptions {
  readonly globals: Globals
  /** The file by which a supervisor calls this program again when an auto-removed container has ended. */
  readonly cli: string
  /** Put around the kernel, the first one next to it. */
  readonly instruments: ReadonlyArray<Layer.Layer<Kernel, never, Kernel>>
  /** Nothing is really done: a simulated machine stays as it was. */
  readonly plan: boolean
}

const pathsOf = ({ "exec-root": execRoot, root }: Globals): Paths => ({
  root, execRoot: execRoot === "" ? defaultExecRoot(root) : execRoot
})

/** What a kind of machine has. */
interface Machine {
  readonly kernel: Layer.Layer<Kernel, CommandFailure>
  readonly images: Host["Service"]["builtinImages"]
  readonly compression: Layer.Layer<Compression>
  readonly remote: Effect.Effect<Remote, RegistryError>
}

/** Only what is used is loaded. */
const realMachine = async ({ globals }: EngineOptions): Promise<Machine> => {
  const { layer } = await import("../interpreters/linux/LinuxKernel.ts")
  return {
    kernel: layer({ ...pathsOf(globals), endsWithProcess: true }),
    images: builtinImages(),
    compression: Layer.unwrap(Effect.promise(async () => (await import("../interpreters/linux/LinuxCompression.ts")).layer)),
    remote: Effect.flatMap(Effect.promise(() => import("./remote/linuxRemote.ts")), ({ linuxRemote }) =>
      linuxRemote({ config: globals.config, settings: globals["config-file"] }))
  }
}

const simulatedMachine = async ({ globals, plan }: EngineOptions): Promise<Machine> => {
  const { simulatedImages, simulatedKernel, simulatedRegistryFile } = await import("./simulatedHost.ts")
  const compression = async () => (await import("../interpreters/simulated/SimulatedCompression.ts")).simulatedCompression
  return {
    kernel: simulatedKernel(globals.root, !plan),
    images: simulatedImages,
    compression: Layer.unwrap(Effect.promise(compression)),
    remote: Effect.map(Effect.promise(() => import("./remote/simulatedRemote.ts")), ({ simulatedRemote }) =>
      simulatedRemote(simulatedRegistryFile(globals.root), !plan))
  }
}

/** Made at its first use, and then the same for all. */
const once = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let made: A | undefined
  return Effect.suspend(() =>
    made === undefined ? Effect.tap(effect, (value) => Effect.sync(() => { made = value })) : Effect.succeed(made))
}

/** On the command line, or in the file of settings; that of this machine is of no matter to a simulated one. */
const chosenDriver = (globals: Globals): Effect.Effect<StorageDriver | undefined, CommandFailure> => {
  const { "config-file": named, "storage-driver": driver, simulated } = globals
  const file = named === "" ? settingsFile : named
  if (driver !== undefined || simulated || !existsSync(file)) return Effect.succeed(driver)
  return Effect.flatMap(Effect.promise(() => import("./remote/readSettings.ts")), ({ readSettings }) => readSettings(named)).pipe(
    Effect.map(({ storageDriver }) => storageDriver), Effect.mapError((error) => refusal(error.message))
  )
}

export const engineLayer = (options: EngineOptions): Layer.Layer<Services, CommandFailure> =>
  Layer.unwrap(Effect.gen(function*() {
    const { cli, globals, instruments } = options
    const driver = yield* chosenDriver(globals)
    const machine = yield* Effect.promise(() => globals.simulated ? simulatedMachine(options) : realMachine(options))
    const kernel = instruments.reduce(
      (inner: Layer.Layer<Kernel, CommandFailure>, instrument) => Layer.provide(instrument, inner), machine.kernel
    )
    const paths = pathsOf(globals)
    const onExit = [process.execPath, cli, "--root", paths.root, "--exec-root", paths.execRoot, "system", "reap"]
    const remote = once(machine.remote)
    const registry = Layer.unwrap(Effect.map(remote, (found) => found.registry))
    return Layer.mergeAll(
      Engine.local({ onExit }), Images.local({ registry, compression: machine.compression }), Registries.local(remote)
    ).pipe(
      Layer.provide(Host.layer({ paths, builtinImages: machine.images, chosenDriver: driver })),
      Layer.provide(kernel)
    )
  }))
