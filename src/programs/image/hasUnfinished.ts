/**
 * Whether engines that died may have left something of images: a look at every engine's start, so that what puts it right
 * is only loaded when there is something.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { isRipe, isSuspect, type LayerRecord } from "../../domain/layer/LayerRecord.ts"
import { storageDrivers } from "../../domain/layer/StorageDriver.ts"
import { listIfPresent } from "../container/observation.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"

/**
 * Directories of layers without a record, layers of an earlier boot, contents without a name, or leases; all of them may be
 * in good hands.
 */
export const hasUnfinished: Effect.Effect<boolean, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { facts, paths } = yield* Host
  const directories: Array<string> = []
  for (const driver of storageDrivers) {
    const names = yield* listIfPresent(Paths.layersDirectory(paths, driver))
    directories.push(...names.map((name) => Paths.layerDirectory(paths, driver, name)))
  }
  if (directories.length > 0) {
    const rows = (yield* perform("RecordList", { collection: "layers" })).map(({ value }) => JSON.parse(value) as LayerRecord)
    const known = new Set(rows.map(({ directory, driver }) => Paths.layerDirectory(paths, driver, directory)))
    if (!directories.every((path) => known.has(path))) return true
    const { bootId } = (yield* facts).texts
    const now = yield* Clock.currentTimeMillis
    if (rows.some((record) => isSuspect(record, bootId) || isRipe(record, bootId, now))) return true
  }
  if ((yield* listIfPresent(Paths.ingestDirectory(paths))).some((name) => name.startsWith("new-"))) return true
  return (yield* perform("RecordList", { collection: "leases" })).length > 0
})
