/**
 * Mark and sweep over blobs and layers: what no image, container or running operation reaches goes. The store is locked
 * until it has lost the records of it; whole trees are removed thereafter.
 */
import * as Effect from "effect/Effect"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { type Digest, readDigest } from "../../domain/image/Digest.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { blob, type Content, type Edges, garbage, layer, mark, type Roots } from "../../domain/image/marking.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { layerKey, type LayerRecord } from "../../domain/layer/LayerRecord.ts"
import { tryLocked } from "../container/lifecycleLock.ts"
import { listIfPresent } from "../container/observation.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { listContainers } from "../Store.ts"
import { lockOfIngest, sizeOfBlob } from "./blobs.ts"
import { listLayers } from "./layers.ts"
import { collecting, collectingIfFree, liveLeases } from "./leases.ts"

export interface Collected {
  readonly blobs: ReadonlyArray<Digest>
  readonly layers: ReadonlyArray<Digest>
  /** Bytes that this freed. */
  readonly bytes: number
}

export const storedBlobs = Effect.fnUntraced(function*(): Effect.fn.Return<ReadonlyArray<Digest>, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const found: Array<Digest> = []
  for (const algorithm of ["sha256", "sha512"]) {
    for (const hex of yield* listIfPresent(`${Paths.blobsDirectory(paths)}/${algorithm}`)) {
      const digest = readDigest(`${algorithm}:${hex}`)
      if (digest !== undefined) found.push(digest)
    }
  }
  return found
})

/** The top layer of a container, by the directory that it is mounted from. */
const topOf = (record: ContainerRecord, byDirectory: ReadonlyMap<string, LayerRecord>): Digest | undefined =>
  record.layers[0] === undefined ? undefined : byDirectory.get(record.layers[0])?.chainId

const edgesOf = (images: ReadonlyArray<ImageRecord>, layers: ReadonlyArray<LayerRecord>): Edges => {
  const needs = new Map<Digest, ReadonlyArray<Content>>(
    images.map((image) => [image.target.digest, [blob(image.id), ...image.layers.map((one) => blob(one.blob.digest))]])
  )
  const parents = new Map(layers.map(({ chainId, parent }) => [chainId, parent]))
  // Of what may not be on disk yet the archive: from it a layer is made anew after a loss of power
  const archives = new Map<Digest, ReadonlyArray<Content>>()
  for (const { blobs = [], chainId, unsynced } of layers) {
    if (unsynced !== undefined) archives.set(chainId, [...archives.get(chainId) ?? [], ...blobs.map(blob)])
  }
  return ({ digest, kind }) => {
    if (kind === "Blob") return needs.get(digest) ?? []
    const parent = parents.get(digest)
    return [...(parent === undefined ? [] : [layer(parent)]), ...archives.get(digest) ?? []]
  }
}

const readRoots = Effect.fnUntraced(function*(
  images: ReadonlyArray<ImageRecord>, layers: ReadonlyArray<LayerRecord>
): Effect.fn.Return<Roots, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const byDirectory = new Map(layers.map((one) => [Paths.layerDirectory(paths, one.driver, one.directory), one]))
  return {
    leases: yield* liveLeases,
    images: images.map(({ layers, target }) => {
      const top = layers.at(-1)
      return { target: target.digest, ...(top === undefined ? {} : { layer: top.chainId }) }
    }),
    containers: (yield* listContainers).map(({ record }) => {
      const top = topOf(record, byDirectory)
      return top === undefined ? {} : { layer: top }
    })
  }
})

/**
 * Directories that have lost their record. Whoever has the lock of its name makes the layer again, and begins by removing
 * what there is; if he has done so before we have the lock, there is a record again. What a death leaves is found by
 * recovery.
 */
const removeTrees = Effect.fnUntraced(function*(
  records: ReadonlyArray<LayerRecord>
): Effect.fn.Return<void, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  for (const { chainId, directory, driver } of records) {
    yield* tryLocked(directory, Effect.gen(function*() {
      const row = yield* perform("RecordGet", { collection: "layers", key: layerKey(driver, chainId) })
      if (row === undefined || (JSON.parse(row.value) as LayerRecord).directory !== directory) {
        yield* perform("TreeRemove", { path: Paths.layerDirectory(paths, driver, directory) })
      }
      yield* perform("FileRemove", { path: Paths.lockFile(paths, directory) })
    }))
  }
})

interface Swept extends Collected {
  /** Of layers that are records no more, but trees. */
  readonly trees: ReadonlyArray<LayerRecord>
}

/** To be performed while nobody says that he needs something. */
const sweep = (options: { readonly remove: boolean }): Effect.Effect<Swept, KernelError, Kernel | Host> =>
  Effect.gen(function*() {
    const { paths } = yield* Host
    const layers = yield* listLayers
    const images = (yield* perform("RecordList", { collection: "images" })).map(({ value }) => JSON.parse(value) as ImageRecord)
    const edges = edgesOf(images, layers)
    const stored = [...(yield* storedBlobs()).map(blob), ...[...new Set(layers.map(({ chainId }) => chainId))].map(layer)]
    const waste = garbage(stored, mark(yield* readRoots(images, layers), edges), edges)
    const trees: Array<LayerRecord> = []
    let bytes = 0
    for (const { digest, kind } of waste) {
      // One for each storage driver that has unpacked it
      const records = kind === "Layer" ? layers.filter(({ chainId }) => chainId === digest) : []
      bytes += kind === "Blob" ? (yield* sizeOfBlob(digest)) ?? 0 : records.reduce((sum, { size }) => sum + size, 0)
      if (!options.remove) continue
      if (kind === "Blob") yield* perform("FileRemove", { path: Paths.blobFile(paths, digest) })
      for (const { driver } of records) {
        yield* perform("RecordDelete", { collection: "layers", key: layerKey(driver, digest) })
      }
      trees.push(...records)
    }
    const of = (wanted: Content["kind"]) => waste.filter(({ kind }) => kind === wanted).map(({ digest }) => digest)
    return { blobs: of("Blob"), layers: of("Layer"), bytes, trees }
  })

/** What would go, or with `remove` has gone. */
export const collectGarbage = (
  options: { readonly remove: boolean } = { remove: true }
): Effect.Effect<Collected, KernelError, Kernel | Host> =>
  Effect.gen(function*() {
    const { trees, ...collected } = yield* collecting(sweep(options))
    yield* removeTrees(trees)
    return collected
  })

/** Unless somebody is at the store just now: after a failure that may itself have left the lock taken. */
export const collectIfFree: Effect.Effect<void, KernelError, Kernel | Host> =
  Effect.flatMap(collectingIfFree(sweep({ remove: true })), (swept) => removeTrees(swept?.trees ?? []))

/** Bytes that nobody goes on fetching, and have been left by a fetch that ended. */
export const removeIngests: Effect.Effect<number, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { paths } = yield* Host
  let bytes = 0
  for (const name of yield* listIfPresent(Paths.ingestDirectory(paths))) {
    const lock = lockOfIngest(name)
    yield* tryLocked(lock, Effect.gen(function*() {
      const path = Paths.ingestFile(paths, name)
      bytes += yield* perform("FileStat", { path, follow: false }).pipe(
        Effect.map(({ size }) => size), Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(0))
      )
      yield* perform("FileRemove", { path })
      yield* perform("FileRemove", { path: Paths.lockFile(paths, lock) })
    }))
  }
  return bytes
})
