/** Free-form notes on manifests, indexes and descriptors (OCI image-spec, annotations.md), with the keys that we read. */
import * as Schema from "effect/Schema"
import { byteLength } from "../text/Utf8.ts"
import { documentLimits } from "./JsonDocument.ts"

type StringMap = { readonly [key: string]: string }

/** Of all keys and values together. */
const mapBytes = (map: StringMap): number =>
  Object.entries(map).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)

/** A map from strings to strings of a bounded size: annotations, and the labels of an image. */
export const StringMap = Schema.Record(Schema.String, Schema.String).check(
  Schema.isMaxProperties(documentLimits.annotations),
  Schema.makeFilter((map: StringMap) =>
    mapBytes(map) <= documentLimits.annotationBytes || `Expected at most ${documentLimits.annotationBytes} bytes`)
)

/** The tag, or in some archives the whole name, of an image in an OCI layout. */
export const refNameKey = "org.opencontainers.image.ref.name"
/** The whole name of an image, as containerd and docker write it. */
export const imageNameKey = "io.containerd.image.name"
/** `attestation-manifest` on what is about another manifest of the index and no image (BuildKit, attestation storage). */
export const referenceTypeKey = "vnd.docker.reference.type"
