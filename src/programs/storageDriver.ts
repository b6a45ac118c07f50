/** The storage driver by which something new is kept: one that was chosen is remembered, or refused. */
import * as Effect from "effect/Effect"
import * as Paths from "../domain/container/Paths.ts"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import type { StorageDriver } from "../domain/layer/LayerRecord.ts"
import { readIfPresent } from "./container/observation.ts"
import { Host } from "./Host.ts"
import { type Kernel, perform } from "./Kernel.ts"

/** For engines that are told none. Where no subvolume can be made for its layers, btrfs is refused before that. */
export const rememberDriver: Effect.Effect<void, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { chosenDriver, paths } = yield* Host
  const path = Paths.storageDriverFile(paths)
  if (chosenDriver === undefined || (yield* readIfPresent(path))?.trim() === chosenDriver) return
  const directory = Paths.layersDirectory(paths, chosenDriver)
  yield* chosenDriver === "btrfs"
    ? perform("SubvolumeMake", { path: directory }).pipe(Effect.catchIf((error) => error.errno === "EEXIST", () => Effect.void))
    : perform("DirEnsure", { path: directory, mode: 0o710 })
  yield* perform("FileWrite", { path, mode: 0o644, text: `${chosenDriver}\n` })
})

export const driverInUse: Effect.Effect<StorageDriver, KernelError, Kernel | Host> = Effect.andThen(
  rememberDriver, Effect.flatMap(Host, ({ storageDriver }) => storageDriver)
)
