/** What the store keeps of images: themselves, and their names. */
import * as Schema from "effect/Schema"
import { ImageDefaults } from "./Defaults.ts"
import { Descriptor, DescriptorPlatform } from "./Descriptor.ts"
import { Digest } from "./Digest.ts"

export const ImageLayer = Schema.Struct({
  diffId: Digest,
  /** Of this layer over all below it. */
  chainId: Digest,
  /** The layer's archive, as the manifest names it. */
  blob: Descriptor
})
export type ImageLayer = typeof ImageLayer.Type

/** Written once and never changed: names come and go in records of their own. */
export const ImageRecord = Schema.Struct({
  version: Schema.Literal(2),
  /** The digest of its config. */
  id: Digest,
  /** Its manifest. */
  target: Descriptor,
  platform: DescriptorPlatform,
  /** When it was made as its config says, else when it was stored: RFC 3339. */
  createdAt: Schema.String,
  storedAt: Schema.String,
  /** Of a commit: the image that its container was made of. It may have gone since. */
  parent: Schema.optionalKey(Digest),
  /** Bottom first. */
  layers: Schema.Array(ImageLayer),
  /** Bytes of the regular files of all layers. */
  size: Schema.Int,
  config: ImageDefaults
})
export type ImageRecord = typeof ImageRecord.Type

/** Under the key of a name in full, with its tag or digest: `domain/path:tag`, `domain/path@sha256:…`. */
export const NameRecord = Schema.Struct({ version: Schema.Literal(1), image: Digest })
export type NameRecord = typeof NameRecord.Type

/** An image of the engine itself, which lies unpacked beside the program and has no blobs. */
export interface BuiltinImage {
  readonly record: ImageRecord
  readonly names: ReadonlyArray<string>
  /** Host directories of the layers, top first. */
  readonly directories: readonly [string, ...ReadonlyArray<string>]
}
