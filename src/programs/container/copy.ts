/**
 * Trees out of containers and into them, running or not, as tar streams. The root of a live container is its
 * init's; of another its layers are mounted for the occasion.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { FileStatus, RootSource } from "../../domain/kernel/KernelOp.ts"
import { prepareRoot, rootToRead, rootToWrite } from "../../domain/layer/StorageDriver.ts"
import { Host } from "../Host.ts"
import { Kernel, perform, performAll } from "../Kernel.ts"
import { getContainer, missing, refresh, type Stored } from "../Store.ts"
import { lockedInScope } from "./lifecycleLock.ts"
import { hasWritten, isAlive, stateOf } from "./observation.ts"

export const hostRoot: RootSource = { _tag: "Directory", path: "/" }

interface Archive {
  readonly archive: number
}

type Opening<A, R> = (root: RootSource) => Effect.Effect<A, KernelError, R>

/** Its root to be written to. One that was never started has none of its own yet: it gets one. */
const writableRoot = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<RootSource, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  yield* performAll(prepareRoot(paths, record, yield* hasWritten(record)))
  return rootToWrite(paths, record)
})

/** Its root to be read, with what was written to it if anything was. */
const readableRoot = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<RootSource, KernelError, Kernel | Host> {
  return rootToRead((yield* Host).paths, record, yield* hasWritten(record))
})

/** What was opened in the root of a live process; undefined when it has ended meanwhile. */
const openLive = <A, R>(process: ProcessIdentity, open: Opening<A, R>): Effect.Effect<A | undefined, KernelError, R | Kernel> =>
  open({ _tag: "Process", process }).pipe(Effect.catch((error) =>
    Effect.flatMap(isAlive(process), (alive) => alive ? Effect.fail(error) : Effect.sleep(pause))
  )) as Effect.Effect<A | undefined, KernelError, R | Kernel>

/** Until its supervisor has told of the end. */
const pause = "5 millis"

/** Without the lock, so that trees can be copied from one container to another, or to itself. */
const openToRead = Effect.fnUntraced(function*<A, R>(
  stored: Stored<ContainerRecord>, open: Opening<A, R>
): Effect.fn.Return<A, KernelError | ContainerError, R | Kernel | Host> {
  for (;;) {
    const { process } = yield* stateOf(stored.record)
    const opened = process === undefined
      ? yield* Effect.flatMap(readableRoot(stored.record), open).pipe(Effect.catch(unlessRemoved(stored.record)))
      : yield* openLive(process, open)
    if (opened !== undefined) return opened
  }
})

/** Under the lock until the scope closes, unless it runs: it must not be started on layers that are written to. */
const openToWrite = Effect.fnUntraced(function*<A, R>(
  stored: Stored<ContainerRecord>, open: Opening<A, R>
): Effect.fn.Return<A, KernelError | ContainerError, R | Kernel | Host | Scope.Scope> {
  for (let known = stored;;) {
    const { process } = yield* stateOf(known.record)
    if (process !== undefined) {
      const opened = yield* openLive(process, open)
      if (opened !== undefined) return opened
      continue
    }
    const unlock = yield* lockedInScope(known.record.id)
    known = yield* refresh("cp", known)
    const state = yield* stateOf(known.record)
    if (state.process === undefined) return yield* Effect.flatMap(writableRoot(known.record), open)
    yield* unlock
  }
})

/** A container that is removed takes its files along: that is not a failure of the kernel. */
const unlessRemoved = (record: ContainerRecord) => (error: KernelError) =>
  Effect.flatMap(getContainer(record.id), (found) =>
    Effect.fail(found === undefined || found.record.phase === "removing" ? missing("cp", record.name) : error))

const openReader = (root: RootSource, path: string, options: { readonly name: string; readonly follow: boolean }) =>
  Effect.acquireRelease(
    perform("ArchiveRead", { root, path, ...options }),
    ({ archive }) => Effect.ignore(perform("ArchiveClose", { archive }))
  )

const pull = ({ archive }: Archive): Stream.Stream<Uint8Array, KernelError, Kernel> =>
  Stream.fromEffectRepeat(perform("ArchivePull", { archive })).pipe(Stream.takeWhile((data) => data.length > 0))

type Owner = { readonly uid: number; readonly gid: number } | undefined

const openWriter = (root: RootSource, path: string, owner: Owner) =>
  Effect.acquireRelease(
    perform("ArchiveWrite", { root, path, noOverwriteDirNonDir: true, ...(owner === undefined ? {} : { owner }) }),
    ({ archive }) => Effect.ignore(perform("ArchiveClose", { archive }))
  )

const push = <E, R>(
  { archive }: Archive, data: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<void, E | KernelError, R | Kernel> =>
  Stream.runForEach(data, (piece) => perform("ArchivePush", { archive, data: piece, last: false })).pipe(
    Effect.andThen(perform("ArchivePush", { archive, data: new Uint8Array(0), last: true }))
  )

/** lstat in a container. */
export const statIn = (
  stored: Stored<ContainerRecord>, path: string, follow: boolean
): Effect.Effect<FileStatus, KernelError | ContainerError, Kernel | Host> =>
  openToRead(stored, (root) => perform("RootStat", { root, path, follow }))

export const copyOut = (
  stored: Stored<ContainerRecord>, path: string, options: { readonly name: string; readonly follow: boolean }
): Stream.Stream<Uint8Array, KernelError | ContainerError, Kernel | Host> =>
  Stream.unwrap(Effect.map(
    openToRead(stored, (root) => openReader(root, path, options)),
    (archive) => pull(archive).pipe(Stream.catch((error) => Stream.fromEffect(unlessRemoved(stored.record)(error))))
  ))

export const copyIn = <E, R>(
  stored: Stored<ContainerRecord>, path: string, data: Stream.Stream<Uint8Array, E, R>, owner: Owner
): Effect.Effect<void, E | KernelError | ContainerError, R | Kernel | Host> =>
  Effect.scoped(Effect.flatMap(
    openToWrite(stored, (root) => openWriter(root, path, owner)), (archive) => push(archive, data)
  ))

/** The same two where no container is: on the machine that the engine runs on. */
export const archiveOut = (
  root: RootSource, path: string, options: { readonly name: string; readonly follow: boolean }
): Stream.Stream<Uint8Array, KernelError, Kernel> =>
  Stream.unwrap(Effect.map(openReader(root, path, options), pull))

export const archiveIn = <E, R>(
  root: RootSource, path: string, data: Stream.Stream<Uint8Array, E, R>, owner: Owner
): Effect.Effect<void, E | KernelError, R | Kernel> =>
  Effect.scoped(Effect.flatMap(openWriter(root, path, owner), (archive) => push(archive, data)))
