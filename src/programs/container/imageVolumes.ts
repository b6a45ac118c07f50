/**
 * Directories for the volumes that an image declares and nothing else is mounted on: they live and go with the
 * container, and get what the image has there before the first start.
 */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { ImageDefaults } from "../../domain/image/Defaults.ts"
import { unmountedVolumes } from "../../domain/image/runConfig.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op, type RootSource } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { archiveIn, archiveOut } from "./copy.ts"
import { readIfPresent } from "./observation.ts"

/** The configuration with a directory mounted for each such volume. */
export const withVolumes = (
  paths: Paths.Paths, id: string, config: ContainerConfig, image: ImageDefaults
): ContainerConfig => {
  const volumes = unmountedVolumes(config, image)
  return volumes.length === 0 ? config : {
    ...config,
    mounts: [
      ...config.mounts,
      ...volumes.map((target, index) => ({
        _tag: "Bind" as const, source: Paths.volumeDirectory(paths, id, index), target, readonly: false,
        recursive: "enabled" as const, propagation: "", createSource: false
      }))
    ]
  }
}

const fill = Effect.fnUntraced(function*(
  root: RootSource, source: string, target: string
): Effect.fn.Return<void, KernelError, Kernel> {
  // Half filled by an engine that died over it, or not there
  yield* perform("TreeRemove", { path: source })
  yield* performAll([op("DirMake", { path: source, mode: 0o755 })])
  const status = yield* perform("RootStat", { root, path: target, follow: true }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT" || error.errno === "ENOTDIR", () => Effect.succeed(undefined))
  )
  if (status?.type !== "directory") return
  const data = archiveOut(root, target, { name: "", follow: true })
  yield* archiveIn({ _tag: "Directory", path: source }, "/", data, undefined)
})

/** Before a start: under the lock of the container. */
export const fillVolumes = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<void, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const { config, id, layers } = record
  const directory = Paths.volumesDirectory(paths, id)
  const volumes = config.mounts.filter((mount) => mount._tag === "Bind" && mount.source.startsWith(`${directory}/`))
  const [first, ...rest] = layers
  if (volumes.length === 0 || first === undefined) return
  const marker = `${directory}/filled`
  if ((yield* readIfPresent(marker)) !== undefined) return
  yield* performAll([Paths.containerDirectory(paths, id), directory].map((path) => op("DirEnsure", { path, mode: 0o755 })))
  const root: RootSource = { _tag: "Layers", lower: [first, ...rest], upper: "", work: "" }
  for (const mount of volumes) if (mount._tag === "Bind") yield* fill(root, mount.source, mount.target)
  yield* perform("FileWrite", { path: marker, mode: 0o600, text: "" })
})
