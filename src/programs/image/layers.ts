/**
 * Layers: their bytes come once, and become the stored blob and the unpacked directory at the same time. A directory
 * counts when its record is written; until then the lock of its name tells that somebody works on it, or removes it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { type Digest, hexOf } from "../../domain/image/Digest.ts"
import type { ImageLayer } from "../../domain/image/ImageRecord.ts"
import { layerMediaType } from "../../domain/image/MediaType.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Success } from "../../domain/kernel/KernelOp.ts"
import { layerCompression, lengthened } from "../../domain/layer/compression.ts"
import { isOfBlob, isSuspect, isWhole, layerKey, type LayerRecord, type StorageDriver } from "../../domain/layer/LayerRecord.ts"
import { beginLayer, isFlat, layerForm, shownDirectories } from "../../domain/layer/StorageDriver.ts"
import { lockedBriefly, lockedBrieflyInScope } from "../container/lifecycleLock.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import {
  commitBlob, fileBytes, ingestName, newIngestInScope, openIngest, type OpenBlob, readBlob, sizeOfBlob
} from "./blobs.ts"
import { driverInUse } from "../storageDriver.ts"
import { hashText } from "./storeImage.ts"

interface StoredLayer {
  readonly record: LayerRecord
  readonly revision: number
}

const readLayer = Effect.fnUntraced(function*(
  driver: StorageDriver, chainId: Digest
): Effect.fn.Return<StoredLayer | undefined, KernelError, Kernel> {
  const row = yield* perform("RecordGet", { collection: "layers", key: layerKey(driver, chainId) })
  return row === undefined ? undefined : { record: JSON.parse(row.value) as LayerRecord, revision: row.revision }
})

const bootId: Effect.Effect<string, KernelError, Host> = Effect.flatMap(Host, ({ facts }) =>
  Effect.map(facts, ({ texts }) => texts.bootId))

const unsynced = Effect.gen(function*() {
  return { boot: yield* bootId, at: yield* Clock.currentTimeMillis }
})

/** As the driver in use has recorded it, maybe before a reboot: another driver may have it, too. */
export const recordedLayer = (chainId: Digest): Effect.Effect<LayerRecord | undefined, KernelError, Kernel | Host> =>
  Effect.flatMap(Host, ({ storageDriver }) =>
    Effect.flatMap(storageDriver, (driver) => Effect.map(readLayer(driver, chainId), (stored) => stored?.record)))

/** The same, if it is whole for certain. */
export const getLayer = (chainId: Digest): Effect.Effect<LayerRecord | undefined, KernelError, Kernel | Host> =>
  Effect.gen(function*() {
    const record = yield* recordedLayer(chainId)
    return record !== undefined && isWhole(record, yield* bootId) ? record : undefined
  })

export const listLayers: Effect.Effect<ReadonlyArray<LayerRecord>, KernelError, Kernel> =
  Effect.map(perform("RecordList", { collection: "layers" }), (rows) => rows.map(({ value }) => JSON.parse(value) as LayerRecord))

/** False: somebody else was first. `revision`: of what it takes the place of. */
const putLayer = (record: LayerRecord, revision = 0): Effect.Effect<boolean, KernelError, Kernel> =>
  perform("RecordPut", {
    collection: "layers", key: layerKey(record.driver, record.chainId), revision, name: "", value: JSON.stringify(record)
  }).pipe(
    Effect.as(true),
    Effect.catchIf((error) => error.errno === "ESTALE" || error.errno === "EEXIST", () => Effect.succeed(false))
  )

const ofLayers: ReadonlySet<string> = new Set(["ArchivePush", "LayerFinish", "ArchiveDigest"])

/** What a layer is refused for, in the user's terms: the kernel's hint says what no layer may hold. */
const ofArchive = (operation: string, object: string) => <E>(error: E): E | ContainerError =>
  error instanceof KernelError && ofLayers.has(error.op) && error.hint !== undefined
    ? new ContainerError({ operation, object, kind: "invalid", cause: error.hint })
    : error

export type UnpackedLayer = Success<"LayerFinish">

/** How the bytes of a layer come, and where else they go. */
export interface Intake<E, R> {
  /** The diffID, where it is known. */
  readonly expected: Digest | undefined
  /** Bytes that are stored already. */
  readonly early: Stream.Stream<Uint8Array, E | KernelError, R | Kernel | Host>
  /** Those that follow. */
  readonly data: Stream.Stream<Uint8Array, E, R>
  /** Gets each piece that follows, too. */
  readonly ingest: OpenBlob | undefined
  /** Performed when all bytes have come, before the layers below are waited for, unless their files come first. */
  readonly arrived: Effect.Effect<void, E | KernelError | ContainerError, R | Kernel | Host>
  /** Directories of the layers below, top first, when these are there. */
  readonly below: Effect.Effect<ReadonlyArray<string>, E | KernelError | ContainerError, R | Kernel | Host>
}

/** Unpacks into a directory that is made for it, and removes it again when that fails. */
export const unpack = Effect.fnUntraced(function*<E, R>(
  driver: StorageDriver, directory: string, intake: Intake<E, R>
): Effect.fn.Return<UnpackedLayer, E | KernelError | ContainerError, R | Kernel | Host> {
  const { arrived, below, data, early, expected, ingest } = intake
  return yield* Effect.scoped(Effect.gen(function*() {
    // A flat layer is a change of what is below it
    const under = isFlat(driver) ? yield* below : []
    // Left by an engine that died over it
    yield* perform("TreeRemove", { path: directory })
    yield* performAll([beginLayer(driver, directory, under[0])])
    const { archive } = yield* Effect.acquireRelease(
      perform("LayerWrite", { path: directory, form: layerForm(driver) }),
      (open) => Effect.ignore(perform("ArchiveClose", open))
    )
    const push = (piece: Uint8Array, last: boolean) => perform("ArchivePush", { archive, data: piece, last })
    yield* Stream.runForEach(early, (piece) => push(piece, false))
    yield* Stream.runForEach(data, (piece) =>
      ingest === undefined
        ? push(piece, false)
        : Effect.all([perform("BlobAppend", { blob: ingest.blob, data: piece }), push(piece, false)], { concurrency: 2, discard: true }))
    yield* push(new Uint8Array(0), true)
    yield* arrived
    const others = isFlat(driver) ? [] : yield* below
    return yield* perform("LayerFinish", { archive, below: others, ...(expected === undefined ? {} : { expected }) })
  })).pipe(Effect.onError(() => Effect.ignore(perform("TreeRemove", { path: directory }))))
})

/** An image's layer, and what brings it here when it is not. */
export interface WantedLayer<E, R> {
  readonly operation: string
  readonly layer: ImageLayer
  /** The layer below. */
  readonly parent: Digest | undefined
  /** The bytes of the blob from an offset on. */
  readonly fetch: (offset: number) => Stream.Stream<Uint8Array, E, R>
  /** The layers below, bottom first, when they are there. */
  readonly below: Effect.Effect<ReadonlyArray<LayerRecord>, E | KernelError | ContainerError, R | Kernel | Host>
}

/** Held while the blob's bytes come, until they are there or the scope closes. */
const lockedBlob = (digest: Digest) => lockedBrieflyInScope(`blob-${hexOf(digest)}`)

const appended = <E, R>({ blob }: OpenBlob, data: Stream.Stream<Uint8Array, E, R>) =>
  Stream.runForEach(data, (piece) => perform("BlobAppend", { blob, data: piece }))

/** The blob's file, begun or gone on with; one that has too much is begun again. */
const openFor = Effect.fnUntraced(function*(
  layer: ImageLayer
): Effect.fn.Return<OpenBlob, KernelError, Kernel | Host | Scope.Scope> {
  const { digest, size } = layer.blob
  const open = yield* openIngest(ingestName(digest), digest.startsWith("sha512:") ? "sha512" : "sha256")
  if (open.size <= size) return open
  yield* perform("BlobTruncate", { blob: open.blob })
  return { ...open, size: 0 }
})

/** Fetches the blob alone, unless another layer of the same bytes has brought them. */
const fetchBlobOnly = <E, R>(wanted: WantedLayer<E, R>, begin = openFor(wanted.layer)) =>
  Effect.scoped(Effect.gen(function*() {
    yield* lockedBlob(wanted.layer.blob.digest)
    if ((yield* sizeOfBlob(wanted.layer.blob.digest)) !== undefined) return
    const open = yield* begin
    yield* appended(open, wanted.fetch(open.size))
    yield* commitBlob(open, wanted.layer.blob.digest)
  }))

/** The bytes are to blame: they have another digest, or are no archive. Not to be gone on with. */
const isBadContent = (error: unknown): boolean =>
  error instanceof KernelError &&
  ((error.op === "BlobCommit" && error.errno === "EBADMSG") || (ofLayers.has(error.op) && error.hint !== undefined))

const checkDiffId = (
  { layer, operation }: { readonly layer: ImageLayer; readonly operation: string }, diffId: string
): Effect.Effect<void, ContainerError> =>
  diffId === layer.diffId ? Effect.void : Effect.fail(
    new ContainerError({
      operation, object: layer.blob.digest, kind: "invalid",
      cause: `cannot ${operation} the layer ${layer.blob.digest}: it unpacks to ${diffId}, but the image's config says ${layer.diffId}`,
      cure: "the image is broken: tell who published it"
    })
  )

/**
 * Unpacks, from the store or while the bytes come. Under the lock of the chain id. `former`: what there was before a reboot;
 * containers may know its directory, which becomes whole again and is synced at once, so that it is not made a third time.
 */
const makeLayer = Effect.fnUntraced(function*<E, R>(
  wanted: WantedLayer<E, R>, driver: StorageDriver, hasBlob: boolean, former: StoredLayer | undefined
): Effect.fn.Return<LayerRecord, E | KernelError | ContainerError, R | Kernel | Host> {
  const { below, layer, operation, parent } = wanted
  const { paths } = yield* Host
  const { blob, chainId } = layer
  const name = former?.record.directory ?? hexOf(chainId)
  const directory = Paths.layerDirectory(paths, driver, name)
  const lower = Effect.map(below, (layers) => shownDirectories(paths, layers))
  const nothing = Stream.empty
  const fromStore = unpack(driver, directory, {
    expected: layer.diffId, early: readBlob(blob.digest), data: nothing, ingest: undefined, arrived: Effect.void, below: lower
  })
  // Whether an earlier engine had left what it took for the beginning
  let resumed = false
  const begin = Effect.tap(openFor(layer), (open) => Effect.sync(() => { resumed = open.size > 0 }))
  const whileItComes = Effect.scoped(Effect.gen(function*() {
    const unlock = yield* lockedBlob(blob.digest)
    // Another layer of the same bytes may have brought them
    if ((yield* sizeOfBlob(blob.digest)) !== undefined) return yield* Effect.andThen(unlock, fromStore)
    const open = yield* begin
    let isStored = false
    const arrived = Effect.andThen(commitBlob(open, blob.digest), Effect.suspend(() => {
      isStored = true
      return unlock
    }))
    return yield* unpack(driver, directory, {
      expected: layer.diffId, early: open.size === 0 ? nothing : fileBytes(Paths.ingestFile(paths, ingestName(blob.digest))),
      data: wanted.fetch(open.size), ingest: open, arrived, below: lower
    }).pipe(Effect.tapError((error) =>
      isBadContent(error) && !isStored ? Effect.ignore(perform("BlobTruncate", { blob: open.blob })) : Effect.void
    ))
  }))
  const fetched = <A, E1, R1>(effect: Effect.Effect<A, E1, R1>) =>
    Effect.catchIf(effect, (error) => resumed && isBadContent(error), () => effect)
  // A flat layer has to wait for those below: its bytes do not
  const first = isFlat(driver) ? Effect.andThen(fetched(fetchBlobOnly(wanted, begin)), fromStore) : fetched(whileItComes)
  const taken = hasBlob ? fromStore : first
  const done = yield* taken.pipe(Effect.mapError(ofArchive(operation, blob.digest)))
  yield* checkDiffId(wanted, done.diffId).pipe(Effect.onError(() => Effect.ignore(perform("TreeRemove", { path: directory }))))
  if (former !== undefined) yield* perform("FilesystemSync", { path: directory })
  const record: LayerRecord = {
    version: 1, driver, chainId, diffId: layer.diffId, ...(parent === undefined ? {} : { parent }),
    directory: name, size: done.contents, opaque: done.opaque,
    blobs: [...new Set([...former?.record.blobs ?? [], blob.digest])],
    ...(former === undefined ? { unsynced: yield* unsynced } : {})
  }
  return yield* recordLayer(record, former)
})

/**
 * Records what was unpacked, in the place of what there was before a reboot. Whoever was first with the same has his
 * directory recorded: then this one is rubbish.
 */
const recordLayer = Effect.fnUntraced(function*(
  record: LayerRecord, former: StoredLayer | undefined
): Effect.fn.Return<LayerRecord, KernelError, Kernel | Host> {
  if (yield* putLayer(record, former?.revision)) return record
  for (;;) {
    const stored = yield* readLayer(record.driver, record.chainId)
    if (stored !== undefined && isWhole(stored.record, yield* bootId)) {
      return yield* rememberBlobs(stored.record, record.blobs ?? [])
    }
    if (yield* putLayer(record, stored?.revision)) return record
  }
})

/** Remembers of a layer that archives are of its diffID. Who changes the record at the same time has something else to say. */
const rememberBlobs = Effect.fnUntraced(function*(
  record: LayerRecord, blobs: ReadonlyArray<Digest>
): Effect.fn.Return<LayerRecord, KernelError, Kernel> {
  for (;;) {
    const stored = yield* readLayer(record.driver, record.chainId)
    if (stored === undefined || blobs.every((blob) => isOfBlob(stored.record, blob))) return stored?.record ?? record
    const next = { ...stored.record, blobs: [...new Set([...stored.record.blobs ?? [], ...blobs])] }
    if (yield* putLayer(next, stored.revision)) return next
  }
})

/** Of a layer that is unpacked already, another archive: it must come to the same. */
const verifyBlob = Effect.fnUntraced(function*<E, R>(
  wanted: WantedLayer<E, R>, record: LayerRecord
): Effect.fn.Return<LayerRecord, KernelError | ContainerError, Kernel | Host> {
  const { layer, operation } = wanted
  const { paths } = yield* Host
  const { diffId } = yield* perform("ArchiveDigest", {
    path: Paths.blobFile(paths, layer.blob.digest), expected: layer.diffId
  }).pipe(Effect.mapError(ofArchive(operation, layer.blob.digest)))
  yield* checkDiffId(wanted, diffId)
  return yield* rememberBlobs(record, [layer.blob.digest])
})

/**
 * Who makes a layer has the lock of its chain id, so that nobody else does, and the lock of its directory's name, so that
 * nobody takes it for rubbish while there is no record. For most layers the two are one; only one that was committed or
 * imported has a directory of another name.
 */
const holdingDirectory = <A, E, R>(
  former: StoredLayer | undefined, make: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError, R | Kernel | Host> =>
  former === undefined || former.record.directory === hexOf(former.record.chainId)
    ? make
    : lockedBriefly(former.record.directory, make)

/** Makes sure that an image's layer is here, unpacked and as a blob. */
export const obtainLayer = <E, R>(
  wanted: WantedLayer<E, R>
): Effect.Effect<LayerRecord, E | KernelError | ContainerError, R | Kernel | Host> =>
  lockedBriefly(hexOf(wanted.layer.chainId), Effect.gen(function*() {
    const { blob, chainId } = wanted.layer
    const driver = yield* driverInUse
    const known = yield* readLayer(driver, chainId)
    const hasBlob = (yield* sizeOfBlob(blob.digest)) !== undefined
    if (known === undefined || !isWhole(known.record, yield* bootId)) {
      return yield* holdingDirectory(known, makeLayer(wanted, driver, hasBlob, known))
    }
    if (!hasBlob) yield* fetchBlobOnly(wanted)
    return isOfBlob(known.record, blob.digest) ? known.record : yield* verifyBlob(wanted, known.record)
  }))

/**
 * Makes a layer anew that a loss of power may have cut short, in its place: containers know it. Undefined when its archive
 * is not stored any more. `below`: bottom first.
 */
export const remakeLayer = Effect.fnUntraced(function*(
  operation: string, record: LayerRecord, below: ReadonlyArray<LayerRecord>
): Effect.fn.Return<LayerRecord | undefined, KernelError | ContainerError, Kernel | Host> {
  const { chainId, diffId, driver, parent } = record
  return yield* lockedBriefly(hexOf(chainId), Effect.gen(function*() {
    const stored = yield* readLayer(driver, chainId)
    // Another engine was first
    if (stored === undefined || isWhole(stored.record, yield* bootId)) return stored?.record
    for (const digest of stored.record.blobs ?? []) {
      const size = yield* sizeOfBlob(digest)
      if (size === undefined) continue
      const blob = { mediaType: layerMediaType("none"), digest, size }
      const wanted = {
        operation, layer: { diffId, chainId, blob }, parent, fetch: () => Stream.empty, below: Effect.succeed(below)
      }
      return yield* holdingDirectory(stored, makeLayer<never, never>(wanted, driver, true, stored))
    }
    return undefined
  }))
})

/** Nobody needs it now: whoever does in the end makes it anew. */
export const doubtLayer = ({ chainId, driver }: LayerRecord): Effect.Effect<void, KernelError, Kernel | Host> =>
  lockedBriefly(hexOf(chainId), Effect.gen(function*() {
    const stored = yield* readLayer(driver, chainId)
    if (stored === undefined || !isSuspect(stored.record, yield* bootId)) return
    yield* putLayer({ ...stored.record, unsynced: { boot: "", at: 0 } }, stored.revision)
  }))

/** It is on disk now, as it was when it was looked at. */
export const markSynced = ({ chainId, driver, unsynced: seen }: LayerRecord): Effect.Effect<void, KernelError, Kernel | Host> =>
  lockedBriefly(hexOf(chainId), Effect.gen(function*() {
    const stored = yield* readLayer(driver, chainId)
    if (stored === undefined || stored.record.unsynced?.at !== seen?.at) return
    const { unsynced: _, ...record } = stored.record
    yield* putLayer(record, stored.revision)
  }))

/** A layer that has come whole and is not stored yet. */
export interface TakenLayer {
  readonly diffId: Digest
  /**
   * Stores it over the layers below. To be performed while nothing is collected, together with what makes an image of
   * it: until then nobody needs it.
   */
  readonly store: (below: ReadonlyArray<LayerRecord>) => Effect.Effect<
    { readonly layer: ImageLayer; readonly record: LayerRecord }, KernelError, Kernel | Host
  >
}

/** The first bytes of a stream, which tell how it is compressed. */
const withHead = <E, R>(data: Stream.Stream<Uint8Array, E, R>) => {
  let head: Uint8Array = new Uint8Array(0)
  return {
    head: () => head,
    data: Stream.tap(data, (piece) =>
      Effect.sync(() => {
        head = lengthened(head, piece)
      }))
  }
}

/**
 * Takes in a layer of which nothing is known before it has come. What is not stored in the end goes with the scope.
 * `below`: the layers that it is to lie on, bottom first.
 */
export const takeLayer = Effect.fnUntraced(function*<E, R>(source: {
  readonly operation: string
  /** How errors name where the bytes come from. */
  readonly object: string
  readonly data: Stream.Stream<Uint8Array, E, R>
  readonly below: ReadonlyArray<LayerRecord>
}): Effect.fn.Return<TakenLayer, E | KernelError | ContainerError, R | Kernel | Host | Scope.Scope> {
  const { paths } = yield* Host
  const driver = yield* driverInUse
  const open = yield* newIngestInScope()
  const directory = Paths.layerDirectory(paths, driver, open.key)
  let stored = false
  yield* Effect.addFinalizer(() => stored ? Effect.void : Effect.ignore(perform("TreeRemove", { path: directory })))
  const { data, head } = withHead(source.data)
  const done = yield* unpack(driver, directory, {
    expected: undefined, early: Stream.empty, data, ingest: open, arrived: Effect.void,
    below: Effect.succeed(shownDirectories(paths, source.below))
  }).pipe(Effect.mapError(ofArchive(source.operation, source.object)))
  const diffId = done.diffId as Digest
  const store = Effect.fnUntraced(function*(below: ReadonlyArray<LayerRecord>) {
    const blob = yield* commitBlob(open)
    const parent = below.at(-1)?.chainId
    const chainId = parent === undefined ? diffId : hashText(`${parent} ${diffId}`)
    const record: LayerRecord = {
      version: 1, driver, chainId, diffId, ...(parent === undefined ? {} : { parent }),
      directory: open.key, size: done.contents, opaque: done.opaque, blobs: [blob.digest], unsynced: yield* unsynced
    }
    // A failure may come after the effect: then recovery knows whether there is a record
    stored = true
    const known = yield* recordLayer(record, undefined)
    stored = known.directory === open.key
    return { layer: { diffId, chainId, blob: { ...blob, mediaType: layerMediaType(layerCompression(head())) } }, record: known }
  })
  return { diffId, store }
})
