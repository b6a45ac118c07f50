/** A list of manifests, mostly one per platform (OCI image-spec, image-index.md; Docker's manifest list). */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { TextError } from "../text/TextError.ts"
import { StringMap } from "./Annotations.ts"
import { Descriptor, Descriptors } from "./Descriptor.ts"
import type { Digest } from "./Digest.ts"
import { type DocumentSource, encodeDocument, refuseDocument } from "./JsonDocument.ts"
import { MediaType, ociIndex } from "./MediaType.ts"

export const ImageIndex = Schema.Struct({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optionalKey(MediaType),
  artifactType: Schema.optionalKey(MediaType),
  manifests: Descriptors,
  subject: Schema.optionalKey(Descriptor),
  annotations: Schema.optionalKey(StringMap)
})
export type ImageIndex = typeof ImageIndex.Type

export const encodeIndex = (index: Pick<ImageIndex, "manifests" | "annotations">): Uint8Array =>
  encodeDocument({ schemaVersion: 2, mediaType: ociIndex, ...index })

/** Indexes inside each other: one in an archive's index.json is normal, more is not seen in practice. */
export const deepestIndex = 4

/** The indexes on the way to a document, the outermost first: a budget that a chain of indexes cannot exceed. */
export type IndexTrail = ReadonlyArray<Digest>

/** The trail inside the index `digest`. Refused: an index that (says it) contains itself, and too deep a nesting. */
export const enterIndex = (
  trail: IndexTrail, digest: Digest, source: DocumentSource
): Result.Result<IndexTrail, TextError> => {
  if (trail.includes(digest)) return refuseDocument(source, `the index ${digest} contains itself`)
  if (trail.length >= deepestIndex) {
    return refuseDocument(source, `indexes are nested deeper than the ${deepestIndex} levels allowed`)
  }
  return Result.succeed([...trail, digest])
}
