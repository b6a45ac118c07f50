/**
 * Images out of an archive that docker save or a tool for OCI layouts has written: its contents are stored as they
 * come, then what its documents say is made of them.
 */
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { chooseManifests } from "../../domain/image/chooseManifests.ts"
import type { Descriptor } from "../../domain/image/Descriptor.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { type ArchivedImage, archiveKind, manifestFile, parseArchiveManifest } from "../../domain/image/dockerArchive.ts"
import { checkLayers, decodeImageConfig, type ImageConfig } from "../../domain/image/ImageConfig.ts"
import { enterIndex, type IndexTrail } from "../../domain/image/ImageIndex.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { encodeManifest, type Manifest } from "../../domain/image/Manifest.ts"
import { decodeManifest } from "../../domain/image/ManifestDocument.ts"
import { blob, layer } from "../../domain/image/marking.ts"
import { mediaKind, ociConfig, ociManifest } from "../../domain/image/MediaType.ts"
import { blobPath, checkLayout, indexFile, layoutFile, type LayoutImage, parseLayoutIndex } from "../../domain/image/ociLayout.ts"
import { formatPlatform, type ImagePlatform, platformOf, platformRank } from "../../domain/image/Platform.ts"
import { familiarReference, type Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { detectCompression, detectionBytes } from "../../domain/layer/compression.ts"
import { defaultLayerLimits } from "../../domain/layer/LayerLimits.ts"
import { checkRatio } from "../../domain/layer/LayerUnpacking.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { ArchiveContents } from "./ArchiveContents.ts"
import { putBlob } from "./blobs.ts"
import { collectIfFree } from "./collectGarbage.ts"
import { Compression, CompressionFailure } from "./Compression.ts"
import { hostPlatform } from "./hostPlatform.ts"
import { invalidText } from "./imageRecords.ts"
import { type Hold, leaseInScope } from "./leases.ts"
import type { Observe } from "./Progress.ts"
import { layersOf, storeNamed } from "./storeImage.ts"
import { unpackedLayers } from "./unpackedLayers.ts"

export interface LoadOptions<E, R> {
  /** How errors name the archive: its path, or `-`. */
  readonly source: string
  readonly data: Stream.Stream<Uint8Array, E, R>
  /** Undefined: of images for several platforms the one that the host runs best. */
  readonly platform: ImagePlatform | undefined
  readonly observe: Observe
}

export interface Loaded {
  readonly image: ImageRecord
  readonly names: ReadonlyArray<Reference>
}

type LoadError = KernelError | ContainerError

const operation = "load"

const ofText = <A>(result: Result.Result<A, TextError>): Effect.Effect<A, ContainerError> =>
  Effect.mapError(Effect.fromResult(result), invalidText(operation))

const broken = (source: string, cause: string): ContainerError =>
  new ContainerError({
    operation, object: source, kind: "invalid", cause, cure: "save the image again, or load another archive"
  })

/** An image as an archive tells of it, before its layers are unpacked. */
interface Told {
  readonly manifest: { readonly bytes: Uint8Array; readonly mediaType: string; readonly digest: Digest | undefined }
  readonly config: ImageConfig
  readonly id: Digest
  readonly layers: ReadonlyArray<Descriptor>
  readonly names: ReadonlyArray<Reference>
}

/** A docker archive: its manifest is made of what there is. */
const dockerImage = Effect.fnUntraced(function*(
  contents: ArchiveContents, image: ArchivedImage, source: string
): Effect.fn.Return<Told, ContainerError> {
  const bytes = contents.document(image.config)
  const file = contents.file(image.config)
  if (bytes === undefined || file === undefined) return yield* broken(source, `the config ${image.config} is not in it`)
  const config = yield* ofText(decodeImageConfig(bytes, image.config))
  const layers: Array<Descriptor> = []
  for (const path of image.layers) {
    const found = contents.file(path)
    if (found === undefined) return yield* broken(source, `the layer ${path} is not in it`)
    layers.push(found)
  }
  const described = { mediaType: ociConfig, digest: file.digest, size: file.size }
  yield* ofText(checkLayers(config, { config: described, layers }))
  return {
    manifest: { bytes: encodeManifest({ config: described, layers }), mediaType: ociManifest, digest: undefined },
    config, id: file.digest, layers, names: image.tags
  }
})

/** A blob of a layout, verified when it was stored; its path is only a claim. */
const layoutBlob = (contents: ArchiveContents, digest: Digest): Uint8Array | undefined =>
  contents.file(blobPath(digest))?.digest === digest ? contents.document(blobPath(digest)) : undefined

/** What came must be as long as its manifest says, as when it is pulled. */
const checkSize = (
  what: string, contents: ArchiveContents, { digest, size }: Descriptor, source: string
): Effect.Effect<void, ContainerError> => {
  const found = contents.file(blobPath(digest))?.size
  return found === size
    ? Effect.void
    : Effect.fail(broken(source, `the ${what} ${digest} has ${found} bytes, but its manifest says ${size}`))
}

const manifestImage = Effect.fnUntraced(function*(
  contents: ArchiveContents, digest: Digest, mediaType: string, bytes: Uint8Array, manifest: Manifest, source: string
): Effect.fn.Return<Omit<Told, "names">, ContainerError> {
  const configBytes = layoutBlob(contents, manifest.config.digest)
  if (configBytes === undefined) return yield* broken(source, `the config ${manifest.config.digest} is not in it`)
  yield* checkSize("config", contents, manifest.config, source)
  const config = yield* ofText(decodeImageConfig(configBytes, manifest.config.digest))
  yield* ofText(checkLayers(config, manifest))
  for (const layer of manifest.layers) {
    const { digest } = layer
    if (contents.file(blobPath(digest))?.digest !== digest) return yield* broken(source, `the layer ${digest} is not in it`)
    yield* checkSize("layer", contents, layer, source)
  }
  return { manifest: { bytes, mediaType, digest }, config, id: manifest.config.digest, layers: manifest.layers }
})

/** What an entry of a layout's index leads to: through indexes, to the manifest for the platform. */
const layoutImage = (
  contents: ArchiveContents, descriptor: Descriptor, wanted: ImagePlatform, trail: IndexTrail, source: string
): Effect.Effect<Omit<Told, "names">, ContainerError> =>
  Effect.gen(function*() {
    const { digest, mediaType } = descriptor
    const bytes = layoutBlob(contents, digest)
    if (bytes === undefined) return yield* broken(source, `the manifest ${digest} is not in it`)
    const document = yield* ofText(decodeManifest(bytes, { name: digest, contentType: mediaType }))
    if (document._tag === "Manifest") {
      return yield* manifestImage(contents, digest, document.mediaType, bytes, document.manifest, source)
    }
    const inside = yield* ofText(enterIndex(trail, digest, { kind: "index", name: digest }))
    const candidates = yield* ofText(chooseManifests(document.index, wanted, { name: source }))
    // An archive of one platform of several names the others, too
    const present = candidates.find((one) => layoutBlob(contents, one.digest) !== undefined) ?? candidates[0]
    return yield* layoutImage(contents, present, wanted, inside, source)
  })

const layoutImages = Effect.fnUntraced(function*(
  contents: ArchiveContents, wanted: ImagePlatform, source: string
): Effect.fn.Return<ReadonlyArray<Told>, ContainerError> {
  yield* ofText(checkLayout(contents.document(layoutFile) ?? new Uint8Array(0), source))
  const entries = yield* ofText(parseLayoutIndex(contents.document(indexFile) ?? new Uint8Array(0), source))
  const images: Array<Told> = []
  for (const entry of entries.filter(isImage)) {
    const image = yield* layoutImage(contents, entry.descriptor, wanted, [], source)
    images.push({ ...image, names: entry.reference === undefined ? [] : [entry.reference] })
  }
  return images
})

const isImage = ({ descriptor }: LayoutImage): boolean =>
  ["manifest", "index"].includes(mediaKind(descriptor.mediaType)) && descriptor.artifactType === undefined

/**
 * Of an archive that is both, docker's documents say which images there are and what they are called. Where the layout has
 * the same image whole, it keeps the manifest of that, and so its digest.
 */
const bothImages = Effect.fnUntraced(function*(
  contents: ArchiveContents, wanted: ImagePlatform, source: string
): Effect.fn.Return<ReadonlyArray<Told>, ContainerError> {
  const told = yield* dockerImages(contents, source)
  const layouts = yield* Effect.orElseSucceed(layoutImages(contents, wanted, source), (): ReadonlyArray<Told> => [])
  return told.map((image) => {
    const same = layouts.find(({ id }) => id === image.id)
    return same === undefined ? image : { ...same, names: image.names }
  })
})

const dockerImages = Effect.fnUntraced(function*(
  contents: ArchiveContents, source: string
): Effect.fn.Return<ReadonlyArray<Told>, ContainerError> {
  const images = yield* ofText(parseArchiveManifest(contents.document(manifestFile) ?? new Uint8Array(0), source))
  return yield* Effect.forEach(images, (image) => dockerImage(contents, image, source))
})

const readImages = Effect.fnUntraced(function*(
  contents: ArchiveContents, wanted: ImagePlatform, source: string
): Effect.fn.Return<ReadonlyArray<Told>, ContainerError> {
  switch (yield* ofText(archiveKind(new Set(contents.files.keys()), source))) {
    case "docker":
      return yield* dockerImages(contents, source)
    case "oci":
      return yield* layoutImages(contents, wanted, source)
    case "both":
      return yield* bothImages(contents, wanted, source)
  }
})

/** Those for a platform that was asked for. */
const onlyFor = Effect.fnUntraced(function*(
  platform: ImagePlatform | undefined, images: ReadonlyArray<Told>, source: string
): Effect.fn.Return<ReadonlyArray<Told>, ContainerError> {
  if (platform === undefined) return images
  const ofImage = ({ config }: Told) => platformOf(config)
  const meant = images.filter((image) => {
    const own = ofImage(image)
    return own !== undefined && platformRank(platform, own) !== undefined
  })
  if (meant.length > 0) return meant
  const there = new Set(images.map(ofImage).map((own) => own === undefined ? "an unknown platform" : formatPlatform(own)))
  return yield* new ContainerError({
    operation, object: source, kind: "invalid", cause: `no image in it is for ${formatPlatform(platform)}`,
    cure: `leave --platform out, or name what is there: ${[...there].join(", ")}`
  })
})

/** Unpacks an image's layers and records it. */
const take = Effect.fnUntraced(function*(
  told: Told, hold: Hold, observe: Observe
): Effect.fn.Return<Loaded, LoadError, Kernel | Host> {
  const { config, id, manifest, names } = told
  const layers = layersOf(config, told.layers)
  yield* hold(Effect.void, () => layers.flatMap((one) => [blob(one.blob.digest), layer(one.chainId)]))
  const unpacked = yield* unpackedLayers(operation, layers)
  const { digest, size } = yield* hold(putBlob(manifest.bytes, manifest.digest), (made) => [blob(made.digest)])
  const target = { mediaType: manifest.mediaType, digest, size }
  const image = yield* storeNamed({ target, id, config, layers, unpacked }, names)
  for (const name of names) yield* observe({ status: `Loaded image: ${familiarReference(name)}` })
  if (names.length === 0) yield* observe({ status: `Loaded image ID: ${id}` })
  return { image, names }
})

/** The first bytes of a stream, and all of it. */
const peeked = <E, R>(
  data: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<readonly [head: Uint8Array, whole: Stream.Stream<Uint8Array, E>], E, R | Scope.Scope> =>
  Effect.gen(function*() {
    const pull = yield* Stream.toPull(data)
    const first: Array<Uint8Array> = []
    let length = 0
    while (length < detectionBytes) {
      const parts = yield* Pull.catchDone(pull, () => Effect.succeed<ReadonlyArray<Uint8Array>>([]))
      if (parts.length === 0) break
      first.push(...parts)
      length += parts.reduce((sum, part) => sum + part.length, 0)
    }
    return [joinBytes(first), Stream.concat(Stream.fromIterable(first), Stream.fromPull(Effect.succeed(pull)))] as const
  }) as Effect.Effect<readonly [Uint8Array, Stream.Stream<Uint8Array, E>], E, R | Scope.Scope>

/** The archive itself, whatever it is compressed with. */
const plain = <E, R>(
  source: string, data: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Stream.Stream<Uint8Array, E | ContainerError>, E | ContainerError, R | Compression | Scope.Scope> =>
  Effect.gen(function*() {
    const { decompress } = yield* Compression
    const [head, whole] = yield* peeked(data)
    const found = detectCompression(head)
    if (found === "none") return whole
    if (found !== "gzip" && found !== "zstd") {
      return yield* broken(source, `it is compressed with ${found}, which is not undone here`)
    }
    let [compressed, expanded] = [0, 0]
    const counted = Stream.tap(whole, (piece) => Effect.sync(() => { compressed += piece.length }))
    return Stream.mapError(decompress(found, counted), (error): E | ContainerError =>
      error instanceof CompressionFailure ? broken(source, error.cause) : error as E).pipe(
      Stream.tap((piece) => {
        expanded += piece.length
        const bomb = checkRatio(defaultLayerLimits, compressed, expanded)
        return bomb === undefined ? Effect.void : Effect.fail(broken(source, bomb.reason))
      })
    )
  })

export const loadArchive = <E, R>(
  options: LoadOptions<E, R>
): Effect.Effect<ReadonlyArray<Loaded>, E | LoadError, Exclude<R, Scope.Scope> | Kernel | Host | Compression> =>
  Effect.scoped(Effect.gen(function*() {
    const { observe, platform, source } = options
    const hold = yield* leaseInScope
    const contents = new ArchiveContents(source, hold)
    yield* contents.read(yield* plain(source, options.data))
    const images = yield* readImages(contents, platform ?? (yield* hostPlatform), source)
    if (images.length === 0) return yield* broken(source, "there is no image in it")
    return yield* Effect.forEach(yield* onlyFor(platform, images, source), (image) => take(image, hold, observe))
  })).pipe(
    // What has come of an archive that is of no use
    Effect.onError(() => Effect.ignore(collectIfFree))
  ) as Effect.Effect<ReadonlyArray<Loaded>, E | LoadError, Exclude<R, Scope.Scope> | Kernel | Host | Compression>
