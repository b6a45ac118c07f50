/** What programs know of the place they run in: the engine's directories, the host's facts, the images it came with. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CgroupLayout, parseLayout } from "../domain/cgroup/CgroupLayout.ts"
import { cgroupDirectory } from "../domain/cgroup/CgroupPath.ts"
import { type Paths, storageDriverFile } from "../domain/container/Paths.ts"
import type { BuiltinImage } from "../domain/image/ImageRecord.ts"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import type { HostTexts } from "../domain/kernel/KernelOp.ts"
import type { StorageDriver } from "../domain/layer/LayerRecord.ts"
import { defaultDriver, storageDrivers } from "../domain/layer/StorageDriver.ts"
import { Kernel } from "./Kernel.ts"

export interface HostFacts {
  readonly texts: HostTexts
  readonly layout: CgroupLayout
  readonly kernelVersion: { readonly major: number; readonly minor: number }
}

/** `6.18.44-fc` → 6, 18. */
const parseVersion = (release: string) => {
  const match = /^([0-9]+)\.([0-9]+)/.exec(release)
  return { major: Number(match?.[1] ?? 0), minor: Number(match?.[2] ?? 0) }
}

export interface HostOptions {
  readonly paths: Paths
  /** What the user chose; undefined: what was chosen last for this root, or the default. */
  readonly chosenDriver?: StorageDriver | undefined
  /** Images that are there without being stored. */
  readonly builtinImages: ReadonlyArray<BuiltinImage>
}

export class Host extends Context.Service<Host, {
  readonly paths: Paths
  readonly builtinImages: ReadonlyArray<BuiltinImage>
  readonly chosenDriver?: StorageDriver | undefined
  /** How new layers and containers are kept. Looked up once per engine. */
  readonly storageDriver: Effect.Effect<StorageDriver, KernelError>
  /** Read once per engine. */
  readonly facts: Effect.Effect<HostFacts, KernelError>
  /** Names in the directories of a cgroup parent, undefined while it does not exist in each hierarchy. */
  readonly interfaceFiles: (parent: string) => Effect.Effect<ReadonlySet<string> | undefined, KernelError>
}>()("fx/programs/Host") {
  static readonly layer = (options: HostOptions): Layer.Layer<Host, never, Kernel> =>
    Layer.effect(
      Host,
      Effect.gen(function*() {
        const kernel = yield* Kernel
        let known: HostFacts | undefined
        const facts = Effect.gen(function*() {
          if (known !== undefined) return known
          const texts = yield* kernel.perform("HostRead", {})
          known = { texts, layout: parseLayout(texts), kernelVersion: parseVersion(texts.kernelRelease) }
          return known
        })
        let driver = options.chosenDriver
        const storageDriver = Effect.gen(function*() {
          driver ??= yield* kernel.perform("FileRead", { path: storageDriverFile(options.paths), limit: 64 }).pipe(
            Effect.map((text) => storageDrivers.find((one) => one === text.trim()) ?? defaultDriver),
            Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(defaultDriver))
          )
          return driver
        })
        const files = new Map<string, ReadonlySet<string>>()
        const interfaceFiles = Effect.fnUntraced(function*(parent: string) {
          const seen = files.get(parent)
          if (seen !== undefined) return seen
          const names = new Set<string>()
          for (const hierarchy of (yield* facts).layout.hierarchies) {
            const path = cgroupDirectory(hierarchy, parent)
            const list = yield* kernel.perform("DirList", { path }).pipe(
              Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(undefined))
            )
            if (list === undefined) return undefined
            for (const name of list) if (name.includes(".")) names.add(name)
          }
          files.set(parent, names)
          return names
        })
        return { ...options, facts, interfaceFiles, storageDriver }
      })
    )
}
