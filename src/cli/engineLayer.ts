/** The engine that a command runs on: the programs over the kernel of this machine, or over a simulated one. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Engine } from "../programs/Engine.ts"
import { Host } from "../programs/Host.ts"
import type { Kernel } from "../programs/Kernel.ts"
import type { Globals } from "./argv/globalFlags.ts"
import { builtinImages } from "./builtinImages.ts"
import type { CommandFailure } from "./commands/CommandFailure.ts"

export interface EngineOptions {
  readonly globals: Globals
  /** The file by which a supervisor calls this program again when an auto-removed container has ended. */
  readonly cli: string
  /** Put around the kernel, the first one next to it. */
  readonly instruments: ReadonlyArray<Layer.Layer<Kernel, never, Kernel>>
  /** Nothing is really done: a simulated machine stays as it was. */
  readonly plan: boolean
}

/** Only what is used is loaded. */
const realMachine = async ({ globals }: EngineOptions) => {
  const { layer } = await import("../interpreters/linux/LinuxKernel.ts")
  const kernel = layer({ root: globals.root, execRoot: globals["exec-root"], endsWithProcess: true })
  return { kernel, images: builtinImages() }
}

const simulatedMachine = async ({ globals, plan }: EngineOptions) => {
  const { simulatedImages, simulatedKernel } = await import("./simulatedHost.ts")
  return { kernel: simulatedKernel(globals.root, !plan), images: simulatedImages(builtinImages()) }
}

export const engineLayer = (options: EngineOptions): Layer.Layer<Engine, CommandFailure> =>
  Layer.unwrap(Effect.promise(async () => {
    const { cli, globals, instruments } = options
    const machine = await (globals.simulated ? simulatedMachine(options) : realMachine(options))
    const kernel = instruments.reduce(
      (inner: Layer.Layer<Kernel, CommandFailure>, instrument) => Layer.provide(instrument, inner), machine.kernel
    )
    const paths = { root: globals.root, execRoot: globals["exec-root"] }
    const onExit = [process.execPath, cli, "--root", paths.root, "--exec-root", paths.execRoot, "system", "reap"]
    return Engine.local({ onExit }).pipe(
      Layer.provide(Host.layer({ paths, builtinImages: machine.images })),
      Layer.provide(kernel)
    )
  }))
