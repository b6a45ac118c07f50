/**
 * Decides what a document that a registry or an archive calls a manifest is, and reads it. All that could be taken for one
 * thing here and for another elsewhere is refused: a digest must have one meaning (CVE-2021-41190).
 */
import * as Result from "effect/Result"
import type { TextError } from "../text/TextError.ts"
import type { Descriptor } from "./Descriptor.ts"
import type { Digest } from "./Digest.ts"
import { ImageIndex } from "./ImageIndex.ts"
import {
  brokenDocument, decodeDocument, type DocumentSource, type JsonObject, parseObject, refuseDocument
} from "./JsonDocument.ts"
import { Manifest } from "./Manifest.ts"
import { isGenericContentType, mediaKind, ociIndex, ociManifest, readContentType } from "./MediaType.ts"

/** `mediaType` is what the document says of itself, else what was said of it, else OCI's by its shape. */
export type ManifestDocument =
  | { readonly _tag: "Manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly _tag: "Index"; readonly mediaType: string; readonly index: ImageIndex }

const schemaOneCure = "push the image again with a current tool, or convert it: skopeo copy --format v2s2 FROM TO"

const refuseSchemaOne = (source: DocumentSource) =>
  refuseDocument(
    source, "it is of Docker's image format version 2, schema 1, which is obsolete and cannot be verified layer by layer",
    schemaOneCure
  )

/** Keys that decide what a document is. Go's readers ignore case, so any case of them counts. */
const decisiveKeys = ["schemaVersion", "mediaType", "manifests", "config", "layers", "fsLayers"]

const misspelling = (object: JsonObject): string | undefined => {
  const lower = new Map(decisiveKeys.map((key) => [key.toLowerCase(), key]))
  return Object.keys(object).find((key) => {
    const meant = lower.get(key.toLowerCase())
    return meant !== undefined && meant !== key
  })
}

type Shape = "manifest" | "index" | "legacy" | "both" | "neither"

const shapeOf = (object: JsonObject): Shape => {
  const has = (key: string) => Object.hasOwn(object, key)
  const manifest = has("config") || has("layers")
  if ((manifest && has("manifests")) || (has("fsLayers") && (manifest || has("manifests")))) return "both"
  if (has("manifests")) return "index"
  return manifest ? "manifest" : has("fsLayers") ? "legacy" : "neither"
}

/** The media type that counts, from what the document and its carrier say. */
const settleMediaType = (
  declared: unknown, carrier: string | undefined, shape: "manifest" | "index", source: DocumentSource
): Result.Result<string, TextError> => {
  const said = carrier === undefined || isGenericContentType(carrier) ? undefined : carrier
  if (declared !== undefined && typeof declared !== "string") return refuseDocument(source, "its mediaType is no string")
  if (declared !== undefined && said !== undefined && declared !== said) {
    return refuseDocument(
      source, `its mediaType is ${declared.slice(0, 255)}, but it was served as ${said.slice(0, 255)}`,
      "the two must agree: have the registry repaired, or pull by another"
    )
  }
  const mediaType = declared ?? said ?? (shape === "index" ? ociIndex : ociManifest)
  const kind = mediaKind(mediaType)
  if (kind === "legacy") return refuseSchemaOne(source)
  if (kind !== "manifest" && kind !== "index") {
    return refuseDocument(
      source, `${mediaType.slice(0, 255)} is neither a manifest's nor an index's media type`,
      "only OCI image-spec 1.1 and Docker schema 2 are read"
    )
  }
  return kind === shape
    ? Result.succeed(mediaType)
    : refuseDocument(source, `its media type ${mediaType} is that of ${kind === "index" ? "an" : "a"} ${kind}, but it is ` +
      `${shape === "index" ? "an" : "a"} ${shape}`)
}

/** How a document reached us. */
export interface ManifestCarrier {
  /** Digest or reference, for messages. */
  readonly name: string
  /** The Content-Type header, or the mediaType of the descriptor that led here. */
  readonly contentType?: string
}

/**
 * Reads a manifest or an index. The error says why the document is refused: too large, no JSON, schema 1, ambiguous, or
 * at odds with its Content-Type.
 */
export const decodeManifest = (
  bytes: Uint8Array, carrier: ManifestCarrier
): Result.Result<ManifestDocument, TextError> => Result.gen(function*() {
  const source: DocumentSource = { kind: "manifest", name: carrier.name }
  const object = yield* parseObject(bytes, source)
  // One that cannot be read agrees with nothing
  const said = readContentType(carrier.contentType) ?? carrier.contentType
  const wrongCase = misspelling(object)
  if (wrongCase !== undefined) {
    return yield* refuseDocument(source, `the key ${JSON.stringify(wrongCase)} is read by some tools and not by others`)
  }
  const shape = shapeOf(object)
  if (shape === "both") {
    return yield* refuseDocument(
      source, "it can be read as a manifest (config, layers, fsLayers) and as something else (manifests)",
      "such documents are refused because two tools would take them for different images"
    )
  }
  if (shape === "legacy" || object["schemaVersion"] === 1) return yield* refuseSchemaOne(source)
  if (shape === "neither") {
    return yield* refuseDocument(source, "it has neither layers nor manifests", brokenDocument)
  }
  const mediaType = yield* settleMediaType(object["mediaType"], said, shape, source)
  return shape === "index"
    ? { _tag: "Index", mediaType, index: yield* decodeDocument(ImageIndex, object, source) }
    : { _tag: "Manifest", mediaType, manifest: yield* decodeDocument(Manifest, object, source) }
})

/** The descriptors that a document needs to be whole; its subject is not among them, being no part of it. */
export const referencedBy = (document: ManifestDocument): ReadonlyArray<Descriptor> =>
  document._tag === "Index"
    ? document.index.manifests
    : [document.manifest.config, ...document.manifest.layers]

export const referencedDigests = (document: ManifestDocument): ReadonlyArray<Digest> =>
  referencedBy(document).map(({ digest }) => digest)
