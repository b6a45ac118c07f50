/**
 * What a running operation on images needs stays while it runs: records say what, and the lock of their name that
 * somebody still works on it. Collecting garbage and taking out a lease keep out of each other's way.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Paths from "../../domain/container/Paths.ts"
import type { Content } from "../../domain/image/marking.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { lockedBrieflyInScope, tryLocked } from "../container/lifecycleLock.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { newKey } from "./blobs.ts"

const holding = (shared: boolean) => <A, E, R>(use: Effect.Effect<A, E, R>): Effect.Effect<A, E | KernelError, R | Kernel | Host> =>
  Effect.uninterruptibleMask((restore) => Effect.gen(function*() {
    const { paths } = yield* Host
    const handle = yield* restore(perform("LockAcquire", { path: Paths.storeLockFile(paths), shared }))
    return yield* Effect.ensuring(restore(use), Effect.ignore(perform("LockRelease", { handle })))
  }))

/** While nothing is collected: for what finds something in the store and then says that it needs it. */
export const keepingAll: <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.Effect<A, E | KernelError, R | Kernel | Host> =
  holding(true)

/** While nobody says that he needs something. */
export const collecting: <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.Effect<A, E | KernelError, R | Kernel | Host> =
  holding(false)

/** Of a lease one of the records `LOCK-0`, `LOCK-1`, …: so its growth costs the same however much it holds already. */
interface LeaseRecord {
  readonly version: 1
  readonly holds: ReadonlyArray<Content>
  /** Id of a container that is to run on: its operation has frozen it, or is about to. */
  readonly frozen?: string
}

/** Contents of a record, unless more come at once. */
const chunk = 64

/** The lock that the holder of a lease has, by the key of one of its records. */
const lockOfLease = (key: string): string => key.replace(/-\d+$/, "")

/** The same if it can be at once; else somebody else's collection will find what is to go. */
export const collectingIfFree = <A, E, R>(
  use: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E | KernelError, R | Kernel | Host> =>
  Effect.acquireUseRelease(
    Effect.flatMap(Host, ({ paths }) => perform("LockTry", { path: Paths.storeLockFile(paths) })),
    (handle): Effect.Effect<A | undefined, E, R> => handle === undefined ? Effect.succeed(undefined) : use,
    (handle) => handle === undefined ? Effect.void : Effect.ignore(perform("LockRelease", { handle }))
  )

/** What an operation adds to its lease as it finds it or makes it: `use` and the lease's growth are one to a collection. */
export type Hold = <A, E, R>(
  use: Effect.Effect<A, E, R>, contents: (made: A) => ReadonlyArray<Content>
) => Effect.Effect<A, E | KernelError, R | Kernel | Host>

const leaseKey = (lock: string, number: number): string => `${lock}-${number}`

/** A lease that grows, until the scope closes. */
export const leaseInScope: Effect.Effect<Hold, KernelError, Kernel | Host | Scope.Scope> = Effect.gen(function*() {
  const lock = yield* newKey
  let number = 0
  let revision = 0
  let holds: ReadonlyArray<Content> = []
  const one = Semaphore.makeUnsafe(1)
  yield* lockedBrieflyInScope(lock)
  yield* Effect.addFinalizer(() =>
    Effect.forEach(Array.from({ length: number + 1 }, (_, at) => leaseKey(lock, at)), (key) =>
      Effect.ignore(perform("RecordDelete", { collection: "leases", key })), { discard: true }))
  const grow = Effect.fnUntraced(function*(more: ReadonlyArray<Content>) {
    if (holds.length >= chunk) {
      number++
      revision = 0
      holds = []
    }
    holds = [...holds, ...more]
    const record: LeaseRecord = { version: 1, holds }
    const key = leaseKey(lock, number)
    yield* perform("RecordPut", { collection: "leases", key, revision, name: "", value: JSON.stringify(record) })
    revision++
  })
  return (use, contents) => keepingAll(one.withPermits(1)(Effect.tap(use, (made) => grow(contents(made)))))
})

/** Runs with a lease on the contents: none of them is collected, be they there already or not yet. */
export const leased = <A, E, R>(
  holds: ReadonlyArray<Content>, use: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError, Exclude<R, Scope.Scope> | Kernel | Host> =>
  Effect.scoped(Effect.flatMap(leaseInScope, (hold) => Effect.andThen(hold(Effect.void, () => holds), use))) as Effect.Effect<
    A, E | KernelError, Exclude<R, Scope.Scope> | Kernel | Host
  >

interface Lease {
  readonly lock: string
  readonly keys: ReadonlyArray<string>
  readonly holds: ReadonlyArray<Content>
  readonly frozen: string | undefined
}

const listLeases: Effect.Effect<ReadonlyArray<Lease>, KernelError, Kernel> =
  Effect.map(perform("RecordList", { collection: "leases" }), (rows) => {
    const leases = new Map<string, { lock: string; keys: Array<string>; holds: Array<Content>; frozen: string | undefined }>()
    for (const { key, value } of rows) {
      const { frozen, holds } = JSON.parse(value) as LeaseRecord
      const lock = lockOfLease(key)
      const lease = leases.get(lock) ?? { lock, keys: [], holds: [], frozen }
      leases.set(lock, lease)
      lease.keys.push(key)
      lease.holds.push(...holds)
    }
    return [...leases.values()]
  })

/** False: somebody works on it. `first` is performed before its records go, if there are any left. */
const removeIfDead = Effect.fnUntraced(function*<E, R>(
  { keys, lock }: Lease, first: Effect.Effect<void, E, R>
): Effect.fn.Return<boolean, E | KernelError, R | Kernel | Host> {
  const { paths } = yield* Host
  const removed = yield* tryLocked(lock, Effect.gen(function*() {
    const left = yield* Effect.forEach(keys, (key) => perform("RecordGet", { collection: "leases", key }))
    if (left.some((row) => row !== undefined)) yield* first
    for (const key of keys) yield* perform("RecordDelete", { collection: "leases", key })
    yield* perform("FileRemove", { path: Paths.lockFile(paths, lock) })
    return true
  }))
  return removed === true
})

/** Of those that somebody works on; what dead engines have left goes, unless a container is to be thawed first. */
export const liveLeases: Effect.Effect<ReadonlyArray<Lease>, KernelError, Kernel | Host> = Effect.gen(function*() {
  const live: Array<Lease> = []
  for (const lease of yield* listLeases) {
    if (lease.frozen !== undefined || !(yield* removeIfDead(lease, Effect.void))) live.push(lease)
  }
  return live
})

/** The intent to freeze a container: `note` records it. When the scope closes it goes, if by then `isThawed` says so. */
export const freezingInScope = Effect.fnUntraced(function*(
  container: string, isThawed: () => boolean
): Effect.fn.Return<{ readonly note: Effect.Effect<void, KernelError, Kernel> }, KernelError, Kernel | Host | Scope.Scope> {
  const lock = yield* newKey
  const key = leaseKey(lock, 0)
  yield* lockedBrieflyInScope(lock)
  yield* Effect.addFinalizer(() => isThawed() ? Effect.ignore(perform("RecordDelete", { collection: "leases", key })) : Effect.void)
  const record: LeaseRecord = { version: 1, holds: [], frozen: container }
  return { note: perform("RecordPut", { collection: "leases", key, revision: 0, name: "", value: JSON.stringify(record) }) }
})

/** Performs `thaw` on each container that an operation has left frozen when its engine died. */
export const thawLeft = <A, E, R>(
  thaw: (container: string) => Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<A>, E | KernelError, R | Kernel | Host> =>
  Effect.gen(function*() {
    const thawed: Array<A> = []
    for (const lease of yield* listLeases) {
      const { frozen } = lease
      if (frozen === undefined) continue
      yield* removeIfDead(lease, Effect.map(thaw(frozen), (made) => void thawed.push(made)))
    }
    return thawed
  })
