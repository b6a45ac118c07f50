/** What engines that died have left of layers and contents that they were taking in: nobody holds its lock. */
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { StorageDriver } from "../../domain/layer/LayerRecord.ts"
import { storageDrivers } from "../../domain/layer/StorageDriver.ts"
import { tryLocked } from "../container/lifecycleLock.ts"
import { listIfPresent } from "../container/observation.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { lockOfIngest } from "./blobs.ts"
import { thawFrozen } from "./freezing.ts"
import { listLayers } from "./layers.ts"
import { liveLeases } from "./leases.ts"
import { type Settled, settleSuspects, syncRipe } from "./suspectLayers.ts"

const knownOf = (driver: StorageDriver) => Effect.map(listLayers, (layers) => {
  const known = new Set(layers.filter((one) => one.driver === driver).map(({ directory }) => directory))
  return (name: string) => known.has(name)
})

/** Directories without a record. Those that were being made when we looked may have theirs by the time we hold the lock. */
const removeUnrecorded = Effect.fnUntraced(function*(driver: StorageDriver) {
  const { paths } = yield* Host
  const names = yield* listIfPresent(Paths.layersDirectory(paths, driver))
  if (names.length === 0) return
  const known = yield* knownOf(driver)
  for (const name of names) {
    if (known(name)) continue
    yield* tryLocked(name, Effect.gen(function*() {
      if ((yield* knownOf(driver))(name)) return
      yield* perform("TreeRemove", { path: Paths.layerDirectory(paths, driver, name) })
      yield* perform("FileRemove", { path: Paths.lockFile(paths, name) })
    }))
  }
})

/** Contents whose digest nobody knew: no later one can go on with them. The others are for the next fetch. */
const removeNameless = Effect.gen(function*() {
  const { paths } = yield* Host
  for (const name of yield* listIfPresent(Paths.ingestDirectory(paths))) {
    if (!name.startsWith("new-")) continue
    const lock = lockOfIngest(name)
    yield* tryLocked(lock, Effect.andThen(
      perform("FileRemove", { path: Paths.ingestFile(paths, name) }),
      perform("FileRemove", { path: Paths.lockFile(paths, lock) })
    ))
  }
})

export const removeUnfinished: Effect.Effect<Settled, KernelError, Kernel | Host> = Effect.gen(function*() {
  const thawed = yield* thawFrozen
  const settled = yield* settleSuspects
  yield* syncRipe
  yield* Effect.forEach(storageDrivers, removeUnrecorded, { discard: true })
  yield* removeNameless
  yield* liveLeases
  return { ...settled, mended: [...thawed, ...settled.mended] }
})
