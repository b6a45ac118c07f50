/** Makes an image of a manifest and a config whose layers are here: two blobs, then the record. */
import * as Effect from "effect/Effect"
import { chainIds } from "../../domain/image/chainIds.ts"
import type { Descriptor } from "../../domain/image/Descriptor.ts"
import { type Digest, makeDigest } from "../../domain/image/Digest.ts"
import { diffIdsOf, type ImageConfig } from "../../domain/image/ImageConfig.ts"
import type { ImageLayer, ImageRecord } from "../../domain/image/ImageRecord.ts"
import { blob, type Content, layer } from "../../domain/image/marking.ts"
import { describePlatform, normalizePlatform } from "../../domain/image/Platform.ts"
import type { Reference } from "../../domain/image/Reference.ts"
import { defaultsOf } from "../../domain/image/runConfig.ts"
import { sha256 } from "../../domain/hash/sha2.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { LayerRecord } from "../../domain/layer/LayerRecord.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { now } from "../Store.ts"
import { putImage, putName } from "./imageRecords.ts"
import { keepingAll } from "./leases.ts"

export const hashText = (text: string): Digest => makeDigest("sha256", sha256(new TextEncoder().encode(text)))

/** The layers of an image, bottom first: what the config calls them, and the blobs that the manifest names. */
export const layersOf = (config: ImageConfig, blobs: ReadonlyArray<Descriptor>): ReadonlyArray<ImageLayer> => {
  const diffIds = diffIdsOf(config)
  const chain = chainIds(diffIds, hashText)
  return diffIds.map((diffId, index) => ({ diffId, chainId: chain[index]!, blob: blobs[index]! }))
}

/** All that an image needs. */
export const contentsOf = (image: {
  readonly target: Digest
  readonly id: Digest
  readonly layers: ReadonlyArray<ImageLayer>
}): ReadonlyArray<Content> => [
  blob(image.target), blob(image.id),
  ...image.layers.flatMap((one) => [blob(one.blob.digest), layer(one.chainId)])
]

export interface ReadyImage {
  readonly target: Descriptor
  readonly id: Digest
  readonly config: ImageConfig
  readonly layers: ReadonlyArray<ImageLayer>
  /** Bottom first. */
  readonly unpacked: ReadonlyArray<LayerRecord>
  /** The image of the container that it was made of, when it was. */
  readonly parent?: Digest
}

export const storeImage = Effect.fnUntraced(function*(
  image: ReadyImage
): Effect.fn.Return<ImageRecord, KernelError, Kernel> {
  const { config, id, layers, parent, target, unpacked } = image
  const storedAt = yield* now
  const { architecture = "", os = "", variant = "" } = config
  const record: ImageRecord = {
    version: 2, id, target, platform: describePlatform(normalizePlatform({ os, architecture, variant })),
    createdAt: config.created ?? storedAt, storedAt, ...(parent === undefined ? {} : { parent }), layers,
    size: unpacked.reduce((sum, { size }) => sum + size, 0), config: defaultsOf(config.config)
  }
  yield* putImage(record)
  return record
})

/** With names at once: without one it would be anybody's to prune. */
export const storeNamed = (
  image: ReadyImage, names: ReadonlyArray<Reference>
): Effect.Effect<ImageRecord, KernelError, Kernel | Host> =>
  keepingAll(Effect.tap(storeImage(image), () => Effect.forEach(names, (name) => putName(name, image.id), { discard: true })))
