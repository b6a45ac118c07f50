/** What can go, and its going: images without names, images without containers, and contents that nothing needs. */
import * as Effect from "effect/Effect"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import { filterImages, type ImageFilters } from "../../domain/image/ImageFilter.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { listContainers } from "../Store.ts"
import { collectGarbage, removeIngests } from "./collectGarbage.ts"
import { collecting } from "./leases.ts"
import { createdAt } from "./createdAt.ts"
import { invalidText, listImages, removeName, type StoredImage } from "./imageRecords.ts"

export interface Pruned {
  readonly images: ReadonlyArray<StoredImage>
  /** Bytes that went. */
  readonly bytes: number
}

/** Images that no container is of and that the filters meet: without names, or (`all`) with names too. */
export const prunable = Effect.fnUntraced(function*(
  all: boolean, filters: ImageFilters
): Effect.fn.Return<ReadonlyArray<StoredImage>, KernelError | ContainerError, Kernel | Host> {
  const used = new Set((yield* listContainers).map(({ record }) => record.imageId))
  const unused = (yield* listImages).filter(({ builtin, id, tags }) =>
    builtin === undefined && !used.has(id) && (all || tags.length === 0))
  const filtered = unused.map((image) => ({ ...image, createdAt: createdAt(image.record), labels: image.record.config.labels ?? {} }))
  const left = yield* Effect.fromResult(filterImages(filters, filtered)).pipe(Effect.mapError(invalidText("prune")))
  const ids = new Set(left.map(({ id }) => id))
  return unused.filter(({ id }) => ids.has(id))
})

/** Removes images that were found prunable, if they still are, and all contents that nothing needs then. */
export const pruneImages = Effect.fnUntraced(function*(
  all: boolean, filters: ImageFilters
): Effect.fn.Return<Pruned, KernelError | ContainerError, Kernel | Host> {
  // Nobody names one of them or makes a container of it meanwhile
  const images = yield* collecting(Effect.gen(function*() {
    const found = yield* prunable(all, filters)
    for (const { digests, id, tags } of found) {
      for (const name of [...tags, ...digests]) yield* removeName(name)
      yield* perform("RecordDelete", { collection: "images", key: id })
    }
    return found
  }))
  const { bytes } = yield* collectGarbage()
  return { images, bytes: bytes + (yield* removeIngests) }
})
