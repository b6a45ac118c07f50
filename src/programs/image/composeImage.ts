/** Makes an image of a layer that was taken in, over another image or by itself: config, manifest, record and name. */
import * as Effect from "effect/Effect"
import { composeConfig } from "../../domain/image/composeConfig.ts"
import type { ImageDefaults } from "../../domain/image/Defaults.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import { encodeImageConfig, type ImageConfig } from "../../domain/image/ImageConfig.ts"
import type { ImageLayer, ImageRecord } from "../../domain/image/ImageRecord.ts"
import { encodeManifest } from "../../domain/image/Manifest.ts"
import { ociConfig, ociManifest } from "../../domain/image/MediaType.ts"
import type { ImagePlatform } from "../../domain/image/Platform.ts"
import type { Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { LayerRecord } from "../../domain/layer/LayerRecord.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { now } from "../Store.ts"
import { putBlob } from "./blobs.ts"
import { putName } from "./imageRecords.ts"
import type { TakenLayer } from "./layers.ts"
import { keepingAll } from "./leases.ts"
import { storeImage } from "./storeImage.ts"

/** What a new image lies on. */
export interface BaseImage {
  readonly config: ImageConfig
  readonly layers: ReadonlyArray<ImageLayer>
  /** Bottom first. */
  readonly unpacked: ReadonlyArray<LayerRecord>
}

export interface NewImage {
  readonly base: BaseImage | undefined
  /** The image of the container that it is made of; absent: it is made of no container. */
  readonly parent?: Digest
  /** RFC 3339; absent: now. */
  readonly created?: string
  /** Undefined: no file has changed. */
  readonly taken: TakenLayer | undefined
  readonly defaults: ImageDefaults
  readonly platform: ImagePlatform
  readonly createdBy: string
  readonly author: string
  readonly comment: string
  /** With a tag; undefined: it gets no name. */
  readonly reference: Reference | undefined
}

export const composeImage = Effect.fnUntraced(function*(
  image: NewImage
): Effect.fn.Return<ImageRecord, KernelError, Kernel | Host> {
  const { author, base, comment, createdBy, defaults, parent, platform, reference, taken } = image
  const created = image.created ?? (yield* now)
  // The base may go meanwhile, or the new layer, which nobody needs yet
  return yield* keepingAll(Effect.gen(function*() {
    const below = base?.unpacked ?? []
    const stored = taken === undefined ? undefined : yield* taken.store(below)
    const layers = [...(base?.layers ?? []), ...(stored === undefined ? [] : [stored.layer])]
    const config = composeConfig({
      ...(base === undefined ? {} : { base: base.config }), defaults, platform, created, createdBy, author, comment,
      ...(taken === undefined ? {} : { diffId: taken.diffId })
    })
    const { digest: id, size } = yield* putBlob(encodeImageConfig(config))
    const manifest = encodeManifest({
      config: { mediaType: ociConfig, digest: id, size }, layers: layers.map(({ blob }) => blob)
    })
    const target = { ...yield* putBlob(manifest), mediaType: ociManifest }
    const unpacked = [...below, ...(stored === undefined ? [] : [stored.record])]
    const record = yield* storeImage({ target, id, config, layers, unpacked, ...(parent === undefined ? {} : { parent }) })
    if (reference !== undefined) yield* putName(reference, id)
    return record
  }))
})
