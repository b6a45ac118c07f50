/** One image for one platform, or one artifact (OCI image-spec, manifest.md; Docker schema 2 has the same shape). */
import * as Schema from "effect/Schema"
import { StringMap } from "./Annotations.ts"
import { Descriptor, Descriptors } from "./Descriptor.ts"
import { encodeDocument } from "./JsonDocument.ts"
import { mediaKind, MediaType, ociManifest } from "./MediaType.ts"

export const Manifest = Schema.Struct({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optionalKey(MediaType),
  artifactType: Schema.optionalKey(MediaType),
  config: Descriptor,
  /** Bottom first. */
  layers: Descriptors,
  /** What the manifest is about: a signature names what it signs. */
  subject: Schema.optionalKey(Descriptor),
  annotations: Schema.optionalKey(StringMap)
})
export type Manifest = typeof Manifest.Type

/** What the manifest holds, or undefined for an image: an artifact cannot be run. */
export const artifactTypeOf = (manifest: Manifest): string | undefined => {
  if (mediaKind(manifest.config.mediaType) === "config" && manifest.artifactType === undefined) return undefined
  return manifest.artifactType ?? manifest.config.mediaType
}

/** The bytes of an OCI manifest that we make; the same image gives the same bytes. */
export const encodeManifest = (manifest: Pick<Manifest, "config" | "layers" | "annotations">): Uint8Array =>
  encodeDocument({ schemaVersion: 2, mediaType: ociManifest, ...manifest })
