/** The files of an OCI image layout (OCI image-spec, image-layout.md): a directory or archive of blobs with an index. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { TextError } from "../text/TextError.ts"
import { archivedName } from "./Descriptor.ts"
import type { Descriptor } from "./Descriptor.ts"
import { algorithmOf, type Digest, hexOf } from "./Digest.ts"
import type { ImageIndex } from "./ImageIndex.ts"
import { decodeDocument, type DocumentSource, encodeDocument, parseObject, refuseDocument } from "./JsonDocument.ts"
import { decodeManifest } from "./ManifestDocument.ts"
import { ociIndex } from "./MediaType.ts"
import { isTag, parseReference, type Reference } from "./Reference.ts"

export const layoutFile = "oci-layout"
export const indexFile = "index.json"

/** The only version that there is. */
const layoutVersion = "1.0.0"

export const blobPath = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`

const Layout = Schema.Struct({ imageLayoutVersion: Schema.String.check(Schema.isMaxLength(64)) })

/** Whether the file `oci-layout` announces what we read. */
export const checkLayout = (bytes: Uint8Array, name: string): Result.Result<void, TextError> => {
  const source: DocumentSource = { kind: "OCI layout", name }
  return parseObject(bytes, source).pipe(
    Result.flatMap((object) => decodeDocument(Layout, object, source)),
    Result.flatMap(({ imageLayoutVersion }) =>
      imageLayoutVersion === layoutVersion
        ? Result.succeed(undefined)
        : refuseDocument(source, `its version is ${imageLayoutVersion}`, `only version ${layoutVersion} is read`))
  )
}

export const encodeLayout = (): Uint8Array => encodeDocument({ imageLayoutVersion: layoutVersion })

/** An entry of index.json: a manifest or an index, and what it is called there. */
export interface LayoutImage {
  readonly descriptor: Descriptor
  readonly reference?: Reference
  /** A name that is only a tag: the directory's or archive's name must be given by the user. */
  readonly tag?: string
}

/** Tools put a tag, a whole name or any text into the annotation; what is neither of the first two names nothing. */
const named = (descriptor: Descriptor): LayoutImage => {
  const name = archivedName(descriptor)
  if (name === undefined) return { descriptor }
  if (isTag(name)) return { descriptor, tag: name }
  const reference = parseReference(name)
  return Result.isSuccess(reference) ? { descriptor, reference: reference.success } : { descriptor }
}

/** `index.json`. */
export const parseLayoutIndex = (
  bytes: Uint8Array, name: string
): Result.Result<ReadonlyArray<LayoutImage>, TextError> =>
  Result.flatMap(decodeManifest(bytes, { name }), (document) =>
    document._tag === "Index"
      ? Result.succeed(document.index.manifests.map(named))
      : refuseDocument({ kind: "OCI layout", name }, "it holds a manifest where an index is wanted"))

export const encodeLayoutIndex = (manifests: ImageIndex["manifests"]): Uint8Array =>
  encodeDocument({ schemaVersion: 2, mediaType: ociIndex, manifests })
