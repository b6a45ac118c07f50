/**
 * An image as it is sent to a registry. One that was made here, or came in an archive, may have layers that are not
 * compressed: these are sent in gzip, under a manifest of their own. Whatever has been in a registry stays as it was.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import type { Descriptor } from "../../domain/image/Descriptor.ts"
import { encodeManifest } from "../../domain/image/Manifest.ts"
import { layerMedia, layerMediaType, ociConfig, ociManifest } from "../../domain/image/MediaType.ts"
import { blob } from "../../domain/image/marking.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { blobBytes, commitBlob, newIngestInScope, readBlob } from "./blobs.ts"
import { Compression } from "./Compression.ts"
import type { StoredImage } from "./imageRecords.ts"
import type { Hold } from "./leases.ts"
import { type Observe, observed, shownId } from "./Progress.ts"

export interface PushableImage {
  readonly manifest: { readonly mediaType: string; readonly bytes: Uint8Array }
  readonly layers: ReadonlyArray<Descriptor>
}

const isPlain = ({ mediaType }: Descriptor): boolean => layerMedia(mediaType)?.compression === "none"

/** Equal layers come to equal bytes, so that a registry that has them gets nothing. */
const compressed = Effect.fnUntraced(function*(
  layer: Descriptor, diffId: Digest, hold: Hold, observe: Observe
): Effect.fn.Return<Descriptor, KernelError, Kernel | Host | Compression> {
  if (!isPlain(layer)) return layer
  const { compress } = yield* Compression
  return yield* Effect.scoped(Effect.gen(function*() {
    const open = yield* newIngestInScope()
    const course = { id: shownId(diffId), status: "Compressing", from: 0, total: layer.size }
    const plain = observed(readBlob(layer.digest), course, observe)
    yield* Stream.runForEach(compress("gzip", plain), (data) => perform("BlobAppend", { blob: open.blob, data }))
    const made = yield* hold(commitBlob(open), ({ digest }) => [blob(digest)])
    return { ...layer, ...made, mediaType: layerMediaType("gzip") }
  }))
})

export const pushableImage = Effect.fnUntraced(function*(
  image: StoredImage, hold: Hold, observe: Observe
): Effect.fn.Return<PushableImage, KernelError | ContainerError, Kernel | Host | Compression> {
  const { id, layers, target } = image.record
  const blobs = layers.map((layer) => layer.blob)
  const wasRemote = image.digests.some(({ digest }) => digest === target.digest)
  if (wasRemote || !blobs.some(isPlain)) {
    return { manifest: { mediaType: target.mediaType, bytes: yield* blobBytes("push", target.digest) }, layers: blobs }
  }
  const sent = yield* Effect.forEach(layers, ({ blob, diffId }) => compressed(blob, diffId, hold, observe))
  const config = yield* blobBytes("push", id)
  const bytes = encodeManifest({ config: { mediaType: ociConfig, digest: id, size: config.length }, layers: sent })
  return { manifest: { mediaType: ociManifest, bytes }, layers: sent }
})
