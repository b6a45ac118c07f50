/** What one document says of another: type, digest and size (OCI image-spec, descriptor.md). */
import * as Schema from "effect/Schema"
import { imageNameKey, referenceTypeKey, refNameKey, StringMap } from "./Annotations.ts"
import { Digest } from "./Digest.ts"
import { documentLimits } from "./JsonDocument.ts"
import { layerMedia, MediaType } from "./MediaType.ts"

const Word = Schema.String.check(Schema.isMaxLength(256))

/** `platform` of a descriptor and the same fields of an image's config, as written there: not normalised. */
export const DescriptorPlatform = Schema.Struct({
  architecture: Schema.optionalKey(Word),
  os: Schema.optionalKey(Word),
  "os.version": Schema.optionalKey(Word),
  "os.features": Schema.optionalKey(Schema.Array(Word).check(Schema.isMaxLength(64))),
  variant: Schema.optionalKey(Word)
})
export type DescriptorPlatform = typeof DescriptorPlatform.Type

/** Bytes; more than a number holds exactly is more than any disk. */
export const ContentSize = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

/** Bytes that a base64 text of RFC 4648 stands for, or undefined if it is none. */
const base64Bytes = (text: string): number | undefined => {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return text.length / 4 * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0)
}

export const Descriptor = Schema.Struct({
  mediaType: MediaType,
  digest: Digest,
  size: ContentSize,
  urls: Schema.optionalKey(
    Schema.Array(Schema.String.check(Schema.isMaxLength(documentLimits.urlCharacters)))
      .check(Schema.isMaxLength(documentLimits.urls))
  ),
  annotations: Schema.optionalKey(StringMap),
  /** The content itself in base64: still to be checked against the digest. */
  data: Schema.optionalKey(Schema.String),
  artifactType: Schema.optionalKey(MediaType),
  platform: Schema.optionalKey(DescriptorPlatform)
}).check(
  Schema.makeFilter(({ data, size }: { readonly data?: string; readonly size: number }) =>
    data === undefined || base64Bytes(data) === size || `Expected data to be base64 of ${size} bytes`)
)
export type Descriptor = typeof Descriptor.Type

export const Descriptors = Schema.Array(Descriptor).check(Schema.isMaxLength(documentLimits.descriptors))

/** Where a foreign layer may be fetched from; other schemes than http and https are not followed. */
export const foreignUrls = (descriptor: Descriptor): ReadonlyArray<string> =>
  layerMedia(descriptor.mediaType)?.foreign === true
    ? (descriptor.urls ?? []).filter((url) => /^https?:\/\//i.test(url))
    : []

/** Whether a manifest of an index is about another one there, and no image. */
export const isAttestation = (descriptor: Descriptor): boolean =>
  descriptor.annotations?.[referenceTypeKey] === "attestation-manifest"

/** The name an archive gives an image: the whole one if it is there, else the tag; undefined for none. */
export const archivedName = (descriptor: Descriptor): string | undefined =>
  descriptor.annotations?.[imageNameKey] ?? descriptor.annotations?.[refNameKey]
