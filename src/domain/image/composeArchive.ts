/**
 * The archive that `save` writes: an OCI layout and a docker archive in one, as docker's since version 25, so that every
 * tool finds what it looks for. The same images give the same bytes.
 */
import type { Descriptor } from "./Descriptor.ts"
import { imageNameKey, refNameKey } from "./Annotations.ts"
import { type Digest, hexOf } from "./Digest.ts"
import { encodeArchiveManifest, encodeRepositories, manifestFile, repositoriesFile } from "./dockerArchive.ts"
import { layerMedia } from "./MediaType.ts"
import { blobPath, encodeLayout, encodeLayoutIndex, indexFile, layoutFile } from "./ociLayout.ts"
import { formatReference, type Reference } from "./Reference.ts"

export interface SavedImage {
  /** Of the manifest, with its platform; its blob is saved too. */
  readonly manifest: Descriptor
  readonly config: Descriptor
  /** Bottom first, as the manifest has them. */
  readonly layers: ReadonlyArray<Descriptor>
  readonly diffIds: ReadonlyArray<Digest>
  /** Names with tags; none for an image saved by its id. */
  readonly tags: ReadonlyArray<Reference>
}

/** An entry of the archive: small files with their bytes, blobs by digest from the store. */
export type ArchiveEntry =
  | { readonly _tag: "File"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly _tag: "Blob"; readonly path: string; readonly descriptor: Descriptor }

const file = (path: string, bytes: Uint8Array): ArchiveEntry => ({ _tag: "File", path, bytes })

const layoutDescriptors = ({ manifest, tags }: SavedImage): ReadonlyArray<Descriptor> =>
  tags.length === 0 ? [manifest] : tags.map((tag) => ({
    ...manifest,
    annotations: { ...manifest.annotations, [imageNameKey]: formatReference(tag), [refNameKey]: tag.tag ?? "latest" }
  }))

const foreignSources = ({ diffIds, layers }: SavedImage): { readonly [diffId: string]: Descriptor } =>
  Object.fromEntries(layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index]
    return diffId !== undefined && layerMedia(descriptor.mediaType)?.foreign === true ? [[diffId, descriptor]] : []
  }))

/**
 * The entries in the order to write them: the documents that say what there is first, so that a reader of a stream knows
 * what to keep, then each blob once, by path. A foreign layer is there only if the store has it, which is for the caller.
 */
export const composeArchive = (images: ReadonlyArray<SavedImage>): ReadonlyArray<ArchiveEntry> => {
  const blobs = new Map<string, Descriptor>()
  for (const { config, layers, manifest } of images) {
    for (const descriptor of [manifest, config, ...layers]) blobs.set(blobPath(descriptor.digest), descriptor)
  }
  const archived = images.map((image) => ({
    config: blobPath(image.config.digest),
    layers: image.layers.map(({ digest }) => blobPath(digest)),
    tags: image.tags,
    layerSources: foreignSources(image)
  }))
  const named = images.flatMap(({ diffIds, tags }) => {
    const top = diffIds.at(-1)
    return top === undefined || tags.length === 0 ? [] : [{ tags, topLayer: hexOf(top) }]
  })
  return [
    file(layoutFile, encodeLayout()),
    file(indexFile, encodeLayoutIndex(images.flatMap(layoutDescriptors))),
    file(manifestFile, encodeArchiveManifest(archived)),
    ...(named.length === 0 ? [] : [file(repositoriesFile, encodeRepositories(named))]),
    ...[...blobs].sort(([one], [other]) => one < other ? -1 : 1)
      .map(([path, descriptor]): ArchiveEntry => ({ _tag: "Blob", path, descriptor }))
  ]
}
