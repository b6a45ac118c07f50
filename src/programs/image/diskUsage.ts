/** How much room images, their layers and containers take, and how much of it would come back. */
import * as Effect from "effect/Effect"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { stateOf } from "../container/observation.ts"
import { writtenBytes } from "../container/writtenBytes.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { listContainers } from "../Store.ts"
import { collectGarbage, storedBlobs } from "./collectGarbage.ts"
import { sizeOfBlob } from "./blobs.ts"
import { listImages, type StoredImage } from "./imageRecords.ts"
import { listLayers } from "./layers.ts"

export interface ImageUsage {
  readonly image: StoredImage
  /** Bytes of layers that other images have too, and of those that only this one has. */
  readonly shared: number
  readonly unique: number
  readonly containers: number
}

export interface ContainerUsage {
  readonly record: ContainerRecord
  readonly running: boolean
  /** Bytes of what it has written. */
  readonly size: number
}

export interface DiskUsage {
  readonly images: ReadonlyArray<ImageUsage>
  readonly containers: ReadonlyArray<ContainerUsage>
  /** Bytes of all unpacked layers, each once, and of the stored blobs. */
  readonly layers: number
  readonly blobs: number
  /** Bytes that nothing needs. */
  readonly waste: number
}

export const diskUsage: Effect.Effect<DiskUsage, KernelError, Kernel | Host> = Effect.gen(function*() {
  const images = yield* listImages
  const containers = (yield* listContainers).map(({ record }) => record)
  const layers = yield* listLayers
  const sizes = new Map(layers.map(({ chainId, size }) => [chainId, size]))
  const users = new Map<Digest, number>()
  for (const { record } of images) for (const { chainId } of record.layers) users.set(chainId, (users.get(chainId) ?? 0) + 1)
  const sum = (chains: ReadonlyArray<Digest>) => chains.reduce((total, chain) => total + (sizes.get(chain) ?? 0), 0)
  const usages = images.map((image): ImageUsage => {
    const chains = image.record.layers.map(({ chainId }) => chainId)
    const own = chains.filter((chain) => users.get(chain) === 1)
    const unique = image.builtin === undefined ? sum(own) : image.record.size
    return {
      image, unique, shared: image.builtin === undefined ? sum(chains) - sum(own) : 0,
      containers: containers.filter(({ imageId }) => imageId === image.id).length
    }
  })
  let blobs = 0
  for (const digest of yield* storedBlobs()) blobs += (yield* sizeOfBlob(digest)) ?? 0
  return {
    images: usages, blobs, layers: sum(layers.map(({ chainId }) => chainId)),
    containers: yield* Effect.forEach(containers, (record) => Effect.gen(function*() {
      const size = yield* writtenBytes(record)
      return { record, size, running: (yield* stateOf(record)).process !== undefined }
    })),
    waste: (yield* collectGarbage({ remove: false })).bytes
  }
})
