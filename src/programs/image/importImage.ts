/**
 * Makes a one-layer image of a tar stream. It is unpacked under a name of its own and has no record until
 * all is there: a crash leaves a directory that recovery removes.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { type ImageDefaults, type ImageRecord, normalizeReference } from "../../domain/image/ImageRecord.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { Kernel, perform } from "../Kernel.ts"
import { locked } from "../container/lifecycleLock.ts"
import { archiveIn } from "../container/copy.ts"
import { listContainers, listImages, now } from "../Store.ts"

const newDigest = Effect.gen(function*() {
  let digits = ""
  while (digits.length < 64) digits += (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
  return digits
})

const put = (record: ImageRecord, revision: number) =>
  perform("RecordPut", {
    collection: "images", key: record.id, revision, name: record.reference, value: JSON.stringify(record)
  })

/** What is wrong with the archive, without the place where it was being unpacked. */
const ofArchive = <E>(source: string) => (error: E): E | ContainerError =>
  error instanceof KernelError && error.op === "ArchivePush" && error.hint !== undefined
    ? new ContainerError({ operation: "import", object: source, kind: "invalid", cause: error.hint })
    : error

/** An image of the same reference loses it to the new one, and goes when no container is of it. */
const takeReference = Effect.fnUntraced(function*(reference: string) {
  const old = (yield* listImages).find(({ record }) => record.reference === reference)
  if (old !== undefined && old.revision > 0) yield* put({ ...old.record, reference: "" }, old.revision)
})

export const importImage = Effect.fnUntraced(function*<E, R>(source: {
  readonly reference: string
  readonly data: Stream.Stream<Uint8Array, E, R>
  readonly defaults: ImageDefaults
}): Effect.fn.Return<ImageRecord, E | KernelError | ContainerError, R | Kernel | Host> {
  const { paths } = yield* Host
  const reference = normalizeReference(source.reference)
  if (reference === undefined) {
    return yield* new ContainerError({
      operation: "import", object: source.reference, kind: "invalid",
      cause: `invalid reference format: "${source.reference}"`, cure: "use name or name:tag in lower case"
    })
  }
  const digest = yield* newDigest
  const directory = Paths.imageDirectory(paths, digest)
  // Held while it is unpacked: recovery removes only what nobody works on
  return yield* locked(digest, Effect.gen(function*() {
    yield* perform("DirMake", { path: directory, mode: 0o755 })
    yield* archiveIn({ _tag: "Directory", path: directory }, "/", source.data, undefined).pipe(
      Effect.mapError(ofArchive(source.reference))
    )
    const record: ImageRecord = {
      version: 1, id: `sha256:${digest}`, reference, createdAt: yield* now, layers: [directory],
      size: yield* perform("TreeSize", { path: directory }), config: source.defaults
    }
    yield* takeReference(reference)
    yield* put(record, 0)
    return record
  }).pipe(
    Effect.onError(() => Effect.ignore(perform("TreeRemove", { path: directory }))),
    Effect.ensuring(Effect.ignore(perform("FileRemove", { path: Paths.lockFile(paths, digest) })))
  ))
})

/** By reference or id; refused while containers are of it. */
export const removeImage = Effect.fnUntraced(function*(
  wanted: string
): Effect.fn.Return<ImageRecord, KernelError | ContainerError, Kernel | Host> {
  const reference = normalizeReference(wanted)
  const fail = (kind: "missing" | "conflict", cause: string, cure?: string) =>
    new ContainerError({ operation: "rmi", object: wanted, kind, cause, ...(cure === undefined ? {} : { cure }) })
  const found = (yield* listImages).find(({ record }) =>
    record.reference === reference || record.id === wanted || record.id.slice("sha256:".length).startsWith(wanted)
  )
  if (found?.revision === 0) return yield* fail("conflict", `${wanted} belongs to the engine itself`)
  if (found === undefined) return yield* fail("missing", `No such image: ${wanted}`)
  const { record } = found
  const users = (yield* listContainers).filter((one) => one.record.imageId === record.id)
  if (users.length > 0) {
    const names = users.map((one) => one.record.name).join(", ")
    const them = users.length === 1 ? "that container" : "those containers"
    return yield* fail(
      "conflict", `unable to remove image ${wanted}: it is used by ${names}`, `remove ${them} first`
    )
  }
  yield* perform("RecordDelete", { collection: "images", key: record.id })
  for (const directory of record.layers) {
    if (directory.startsWith(`${Paths.imagesDirectory((yield* Host).paths)}/`)) yield* perform("TreeRemove", { path: directory })
  }
  return record
})
