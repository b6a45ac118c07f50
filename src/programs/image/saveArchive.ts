/** Images as one tar archive, which docker and tools for OCI layouts both read. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { type ArchiveEntry, composeArchive, type SavedImage } from "../../domain/image/composeArchive.ts"
import { decodeManifest } from "../../domain/image/ManifestDocument.ts"
import { parseImageLookup } from "../../domain/image/ImageLookup.ts"
import { equalReferences, type Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { TarEntry } from "../../domain/layer/TarEntry.ts"
import { encodeHeader, endOfArchive, padding } from "../../domain/layer/TarEncoder.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { blobBytes, readBlob } from "./blobs.ts"
import { findStored, invalidText, type StoredImage } from "./imageRecords.ts"
import { leaseInScope } from "./leases.ts"
import { contentsOf } from "./storeImage.ts"

/** The names that an image is saved under: the one it was asked for by; of an id none. */
const tagsOf = (image: StoredImage, wanted: Reference | undefined): ReadonlyArray<Reference> =>
  wanted === undefined ? [] : image.tags.filter((tag) => equalReferences(tag, wanted))

const savedImage = Effect.fnUntraced(function*(
  image: StoredImage, tags: ReadonlyArray<Reference>
): Effect.fn.Return<SavedImage, KernelError | ContainerError, Kernel | Host> {
  const { id, layers, platform, target } = image.record
  const bytes = yield* blobBytes("save", target.digest)
  const document = yield* Effect.fromResult(decodeManifest(bytes, { name: target.digest, contentType: target.mediaType })).pipe(
    Effect.mapError(invalidText("save"))
  )
  if (document._tag === "Index") {
    return yield* new ContainerError({
      operation: "save", object: id, kind: "failed", cause: "its manifest is an index", cure: "pull the image again"
    })
  }
  return {
    manifest: { ...target, platform }, config: document.manifest.config, layers: layers.map(({ blob }) => blob),
    diffIds: layers.map(({ diffId }) => diffId), tags
  }
})

const chosen = Effect.fnUntraced(function*(
  wanted: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<readonly [StoredImage, ReadonlyArray<Reference>]>, KernelError | ContainerError, Kernel | Host> {
  const images = new Map<string, readonly [StoredImage, ReadonlyArray<Reference>]>()
  for (const text of wanted) {
    const image = yield* findStored("save", text)
    if (image.builtin !== undefined) {
      return yield* new ContainerError({
        operation: "save", object: text, kind: "conflict", cause: `${text} belongs to the engine itself and is not stored as an image`,
        cure: "commit a container of it, and save what that makes"
      })
    }
    const lookup = yield* Effect.fromResult(parseImageLookup(text)).pipe(Effect.mapError(invalidText("save")))
    const before = images.get(image.id)?.[1] ?? []
    const more = tagsOf(image, lookup.reference).filter((tag) => !before.some((one) => equalReferences(one, tag)))
    images.set(image.id, [image, [...before, ...more]])
  }
  return [...images.values()]
})

const entryOf = (path: string, size: number): TarEntry => ({
  path, type: "file", mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", size, mtime: { seconds: 0, nanoseconds: 0 },
  linkpath: "", devmajor: 0, devminor: 0, xattrs: new Map(), sparse: null
})

const directoryOf = (path: string): TarEntry => ({ ...entryOf(path, 0), type: "dir", mode: 0o755 })

const header = (entry: TarEntry): Uint8Array => Result.getOrThrow(encodeHeader(entry))

const entryBytes = (entry: ArchiveEntry): Stream.Stream<Uint8Array, KernelError, Kernel | Host> => {
  const size = entry._tag === "File" ? entry.bytes.length : entry.descriptor.size
  const data = entry._tag === "File" ? Stream.make(entry.bytes) : readBlob(entry.descriptor.digest)
  return Stream.make(header(entryOf(entry.path, size))).pipe(Stream.concat(data), Stream.concat(Stream.make(padding(size))))
}

/** The directories that the entries lie in, before what is in them. */
const directories = (entries: ReadonlyArray<ArchiveEntry>): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const { path } of entries) {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) found.add(path.slice(0, at))
  }
  return [...found].sort()
}

/** By names, digests or ids. What is being read stays until the stream has ended. */
export const saveArchive = (
  wanted: ReadonlyArray<string>
): Stream.Stream<Uint8Array, KernelError | ContainerError, Kernel | Host> =>
  Stream.unwrap(Effect.gen(function*() {
    const hold = yield* leaseInScope
    const images = yield* hold(chosen(wanted), (found) =>
      found.flatMap(([{ record }]) => contentsOf({ target: record.target.digest, id: record.id, layers: record.layers })))
    const entries = composeArchive(yield* Effect.forEach(images, ([image, tags]) => savedImage(image, tags)))
    return Stream.fromIterable(directories(entries).map((path) => header(directoryOf(path)))).pipe(
      Stream.concat(Stream.flatMap(Stream.fromIterable(entries), entryBytes)),
      Stream.concat(Stream.make(endOfArchive))
    )
  }))
