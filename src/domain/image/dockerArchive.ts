/** The files of an archive of `docker save` (Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset"). */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { TextError } from "../text/TextError.ts"
import { Descriptor } from "./Descriptor.ts"
import {
  decodeDocument, documentLimits, type DocumentSource, encodeDocument, parseDocument, refuseDocument
} from "./JsonDocument.ts"
import { familiarName, familiarReference, parseReference, type Reference } from "./Reference.ts"

export const manifestFile = "manifest.json"
export const repositoriesFile = "repositories"

const limits = {
  images: 1024,
  tags: 4096,
  /** PATH_MAX, linux/limits.h */
  pathCharacters: 4096
}

const Path = Schema.String.check(Schema.isMaxLength(limits.pathCharacters))

const ManifestItem = Schema.Struct({
  Config: Path,
  RepoTags: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(limits.tags))),
  /** Bottom first. */
  Layers: Schema.optionalKey(Schema.Array(Path).check(Schema.isMaxLength(documentLimits.descriptors))),
  /** Of foreign layers, by diffID. */
  LayerSources: Schema.optionalKey(Schema.Record(Schema.String, Descriptor))
})

/** One image of an archive. Paths are of the archive, relative and clean. */
export interface ArchivedImage {
  readonly config: string
  /** Bottom first; each may be a link to another entry of the archive. */
  readonly layers: ReadonlyArray<string>
  readonly tags: ReadonlyArray<Reference>
  readonly layerSources: { readonly [diffId: string]: Descriptor }
}

/** A path inside the archive: no part of it may lead elsewhere. `./` before it is dropped. */
const cleanArchivePath = (path: string): string | undefined => {
  const relative = path.replace(/^(?:\.\/)+/, "")
  const parts = relative.split("/")
  return relative.includes("\0") || parts.some((part) => part === "" || part === "." || part === "..")
    ? undefined
    : relative
}

const readItem = (
  item: typeof ManifestItem.Type, source: DocumentSource
): Result.Result<ArchivedImage, TextError> => Result.gen(function*() {
  const readPath = (path: string) => {
    const clean = cleanArchivePath(path)
    return clean === undefined
      ? refuseDocument(source, `${JSON.stringify(path.slice(0, 200))} is no path inside the archive`)
      : Result.succeed(clean)
  }
  const layers: Array<string> = []
  for (const path of item.Layers ?? []) layers.push(yield* readPath(path))
  const tags: Array<Reference> = []
  for (const text of item.RepoTags ?? []) {
    const reference = yield* parseReference(text)
    if (reference.tag === undefined || reference.digest !== undefined) {
      return yield* refuseDocument(source, `${JSON.stringify(text.slice(0, 200))} of RepoTags is no name with a tag`)
    }
    tags.push(reference)
  }
  return { config: yield* readPath(item.Config), layers, tags, layerSources: item.LayerSources ?? {} }
})

/** `manifest.json`; `name`: the archive's, for messages. */
export const parseArchiveManifest = (
  bytes: Uint8Array, name: string
): Result.Result<ReadonlyArray<ArchivedImage>, TextError> => Result.gen(function*() {
  const source: DocumentSource = { kind: "docker archive", name }
  const value = yield* parseDocument(bytes, source)
  const Items = Schema.Array(ManifestItem).check(Schema.isMaxLength(limits.images))
  const items = yield* decodeDocument(Items, value, source)
  const images: Array<ArchivedImage> = []
  for (const item of items) images.push(yield* readItem(item, source))
  return images
})

/**
 * What the names of an archive's entries make it. In one that is `both`, manifest.json is what to trust for the layers:
 * docker 25.0 wrote OCI manifests beside it that lack them.
 */
export const archiveKind = (
  names: ReadonlySet<string>, archive: string
): Result.Result<"docker" | "oci" | "both", TextError> => {
  const source: DocumentSource = { kind: "docker archive", name: archive }
  const isLayout = names.has("oci-layout") && names.has("index.json")
  if (names.has(manifestFile)) return Result.succeed(isLayout ? "both" : "docker")
  if (isLayout) return Result.succeed("oci")
  return names.has(repositoriesFile)
    ? refuseDocument(
      source, "it is of the format that docker wrote before version 1.10, without manifest.json",
      "load it with an older docker and save it again"
    )
    : refuseDocument(
      source, "it has neither manifest.json nor oci-layout and index.json",
      "a root file system without an image's documents is read by import"
    )
}

/** `manifest.json` of an archive that we write. */
export const encodeArchiveManifest = (images: ReadonlyArray<ArchivedImage>): Uint8Array =>
  encodeDocument(images.map((image) => ({
    Config: image.config,
    RepoTags: image.tags.length === 0 ? null : image.tags.map(familiarReference),
    Layers: image.layers,
    ...(Object.keys(image.layerSources).length === 0 ? {} : { LayerSources: image.layerSources })
  })))

/** `repositories`, which old readers want: name → tag → the hexadecimal digits of the top layer. */
export const encodeRepositories = (
  images: ReadonlyArray<{ readonly tags: ReadonlyArray<Reference>; readonly topLayer: string }>
): Uint8Array => {
  const repositories = new Map<string, Map<string, string>>()
  for (const { tags, topLayer } of images) {
    for (const tag of tags) {
      const name = familiarName(tag)
      const known = repositories.get(name) ?? new Map<string, string>()
      repositories.set(name, known.set(tag.tag ?? "latest", topLayer))
    }
  }
  return encodeDocument(Object.fromEntries([...repositories].map(([name, tags]) => [name, Object.fromEntries(tags)])))
}
