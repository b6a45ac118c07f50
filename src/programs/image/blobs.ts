/** Contents by their digest: taken in as streams, given out as streams. What is there is whole and was verified. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { algorithmOf, type Digest, hexOf } from "../../domain/image/Digest.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { lockedBrieflyInScope } from "../container/lifecycleLock.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"

/** Bytes that are read at a time. */
const pieceBytes = 1 << 20

/** 64 hexadecimal digits that nobody else has. */
export const newKey: Effect.Effect<string> = Effect.gen(function*() {
  let digits = ""
  while (digits.length < 64) digits += (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
  return digits
})

/** Bytes of a stored blob, undefined when it is not there. */
export const sizeOfBlob = Effect.fnUntraced(function*(
  digest: Digest
): Effect.fn.Return<number | undefined, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  return yield* perform("FileStat", { path: Paths.blobFile(paths, digest), follow: false }).pipe(
    Effect.map(({ size }) => size),
    Effect.catchIf((error) => error.errno === "ENOENT" || error.errno === "ENOTDIR", () => Effect.succeed(undefined))
  )
})

/** The bytes of a file from `offset` to its end. `isFixed`: whatever file has the name by then has the same bytes. */
export const fileBytes = (path: string, offset = 0, isFixed = false): Stream.Stream<Uint8Array, KernelError, Kernel> =>
  Stream.unfold({ offset, inode: 0 }, (at) =>
    Effect.map(
      perform("FileReadRange", { path, inode: isFixed ? 0 : at.inode, offset: at.offset, limit: pieceBytes }),
      ({ data, inode }) => data.length === 0 ? undefined : [data, { offset: at.offset + data.length, inode }] as const
    ))

/** Another engine that brings the same blob may put its file in the place of this one meanwhile. */
export const readBlob = (digest: Digest, offset = 0): Stream.Stream<Uint8Array, KernelError, Kernel | Host> =>
  Stream.unwrap(Effect.map(Host, ({ paths }) => fileBytes(Paths.blobFile(paths, digest), offset, true)))

/** The whole of a small blob: a manifest or a config. */
export const blobBytes = Effect.fnUntraced(function*(
  operation: string, digest: Digest, limit = 4 << 20
): Effect.fn.Return<Uint8Array, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const broken = (cause: string) =>
    new ContainerError({ operation, object: digest, kind: "failed", cause, cure: "pull or load the image again" })
  const { data } = yield* perform("FileReadRange", { path: Paths.blobFile(paths, digest), inode: 0, offset: 0, limit: limit + 1 }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.fail(broken("the store has lost it")))
  )
  return data.length > limit ? yield* broken(`it has more than the ${limit} bytes allowed`) : data
})

export interface OpenBlob {
  readonly blob: number
  /** What an earlier writer has left. */
  readonly size: number
}

/** A file that the contents of a digest come into; an unfinished one is gone on with. Closed with the scope. */
export const openIngest = Effect.fnUntraced(function*(
  name: string, algorithm: "sha256" | "sha512"
): Effect.fn.Return<OpenBlob, KernelError, Kernel | Host | Scope.Scope> {
  const { paths } = yield* Host
  return yield* Effect.acquireRelease(
    perform("BlobOpen", { path: Paths.ingestFile(paths, name), algorithm }),
    ({ blob }) => Effect.ignore(perform("BlobClose", { blob }))
  )
})

export const ingestName = (digest: Digest): string => `${algorithmOf(digest)}-${hexOf(digest)}`

/** Of what has no digest yet: `key` is the name of the lock that its writer holds. */
const newIngest = (key: string): string => `new-${key}`

/** The lock that the writer of an ingest file holds. */
export const lockOfIngest = (name: string): string => {
  const rest = name.slice(name.indexOf("-") + 1)
  return name.startsWith("new-") ? rest : `blob-${rest}`
}

export const commitBlob = Effect.fnUntraced(function*(
  { blob }: OpenBlob, digest?: Digest
): Effect.fn.Return<{ readonly digest: Digest; readonly size: number }, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const done = yield* perform("BlobCommit", {
    blob, directory: Paths.blobsDirectory(paths), ...(digest === undefined ? {} : { digest })
  })
  return { digest: done.digest as Digest, size: done.size }
})

/**
 * A file for contents whose digest nobody knows yet. What is not committed goes with the scope. `key`: the name of the lock
 * that is held until then, for whatever else belongs to it.
 */
export const newIngestInScope = Effect.fnUntraced(function*(
  algorithm: "sha256" | "sha512" = "sha256"
): Effect.fn.Return<OpenBlob & { readonly key: string }, KernelError, Kernel | Host | Scope.Scope> {
  const { paths } = yield* Host
  const key = yield* newKey
  const name = newIngest(key)
  yield* lockedBrieflyInScope(key)
  // After a commit there is none of this name
  yield* Effect.addFinalizer(() => Effect.ignore(perform("FileRemove", { path: Paths.ingestFile(paths, name) })))
  return { ...(yield* openIngest(name, algorithm)), key }
})

/** Stores bytes that are all here: a manifest or a config. */
export const putBlob = (
  bytes: Uint8Array, digest?: Digest
): Effect.Effect<{ readonly digest: Digest; readonly size: number }, KernelError, Kernel | Host> =>
  Effect.scoped(Effect.gen(function*() {
    const open = yield* newIngestInScope(digest === undefined ? "sha256" : algorithmOf(digest))
    yield* perform("BlobAppend", { blob: open.blob, data: bytes })
    return yield* commitBlob(open, digest)
  }))
