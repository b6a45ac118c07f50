/**
 * Makes records and kernel agree again after whatever happened to the engines before: a pure decision over
 * what is recorded and what is seen, then its operations. Idempotent; may itself be cut short anywhere.
 */
import * as Effect from "effect/Effect"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { orphans } from "../../domain/container/recovery.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { getContainer, listContainers, putContainer, type Stored } from "../Store.ts"
import { ensureParent } from "./cgroupParent.ts"
import { tryLocked } from "./lifecycleLock.ts"
import { isAlive, isOfAnotherBoot, look, readIfPresent, readStatus } from "./observation.ts"
import { removal } from "./remove.ts"
import { takeOver } from "./settle.ts"
import { settleLimits } from "./update.ts"
import { parseStatus } from "../../domain/kernel/Supervisor.ts"

/** What recovery did or could not do, for the user. */
export interface Recovered {
  /** Sentences about containers and leftovers that were put right. */
  readonly mended: ReadonlyArray<string>
  /** Containers that could not be, with the reason: they are left alone and the engine goes on. */
  readonly quarantined: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

const listIfPresent = (path: string): Effect.Effect<ReadonlyArray<string>, KernelError, Kernel> =>
  perform("DirList", { path }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed([]))
  )

/** A container under its lock: finishes a removal, ends what lost its supervisor, takes over what ended. */
const recoverContainer = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>
): Effect.fn.Return<string | undefined, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const fresh = yield* getContainer(stored.record.id)
  if (fresh === undefined) {
    // Removed just now: the lock that we hold was made by ourselves
    yield* perform("FileRemove", { path: Paths.lockFile(paths, stored.record.id) })
    return undefined
  }
  const { record } = fresh
  if (record.phase === "removing") {
    yield* performAll(removal(paths, record))
    return `finished the removal of ${record.name}`
  }
  if (record.phase !== "launched") return undefined
  const seen = yield* look(record)
  const supervised = seen.status !== undefined && !seen.rebooted && (yield* isAlive(seen.status.supervisor))
  if (supervised && seen.status?.exited === undefined) {
    yield* removeDeadExecs(record.id)
    yield* settleLimits(fresh)
    return record.limitsPending ? `put the limits of ${record.name} into force` : undefined
  }
  // One that lost its supervisor is ended: nobody reads its output nor would tell of its end
  const settled = yield* takeOver(fresh, seen)
  if (record.config.autoRemove && settled.record.phase === "ended") {
    const marked = yield* putContainer({ ...settled.record, phase: "removing" }, settled.revision)
    yield* performAll(removal(paths, marked.record))
    return `removed ${record.name}, which had ended`
  }
  if (seen.rebooted) return `ended ${record.name}, which ran when the host went down`
  return seen.alive ? `ended ${record.name}, whose supervisor was gone` : `took over the end of ${record.name}`
})

/**
 * Whether a launched container needs nothing: it is watched over, and has no execs that might have lost theirs.
 * Looks without a lock, since of many containers nearly all are like this.
 */
const isWatched = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<boolean, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const { id } = record
  if (yield* isOfAnotherBoot(record)) return false
  const status = yield* readStatus(id)
  if (status === undefined || status.exited !== undefined || !(yield* isAlive(status.supervisor))) return false
  return (yield* listIfPresent(Paths.execsDirectory(paths, id))).length === 0
})

/** Directories of execs whose supervisor has gone while the container runs on. */
const removeDeadExecs = Effect.fnUntraced(function*(
  id: string
): Effect.fn.Return<void, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  for (const exec of yield* listIfPresent(Paths.execsDirectory(paths, id))) {
    const directory = Paths.execDirectory(paths, id, exec)
    const status = yield* readIfPresent(`${directory}/status`)
    const supervisor = status === undefined ? undefined : parseStatus(status)?.supervisor
    // Without a status it may be just beginning
    if (supervisor !== undefined && !(yield* isAlive(supervisor))) yield* perform("TreeRemove", { path: directory })
  }
})

/** What is on the host under our names, and which ids have records. */
export const seenLeftovers = Effect.gen(function*() {
  const host = yield* Host
  const { paths } = host
  const { layout } = yield* host.facts
  const parent = Paths.cgroupParent(paths)
  const cgroups: Array<{ readonly hierarchy: string; readonly version: 1 | 2; readonly names: ReadonlyArray<string> }> = []
  for (const { mount, version } of layout.hierarchies) {
    const hierarchy = `${mount}${parent}`
    cgroups.push({ hierarchy, version, names: yield* listIfPresent(hierarchy) })
  }
  const runs = yield* listIfPresent(Paths.runsDirectory(paths))
  const durable = yield* listIfPresent(Paths.containersDirectory(paths))
  // The records come last: what was made before has its record by now, since records are written first
  const known = new Set((yield* perform("RecordList", { collection: "containers" })).map((row) => row.key))
  return { cgroups, runs, durable, known }
})

const removeOrphans = Effect.fnUntraced(function*(): Effect.fn.Return<ReadonlyArray<string>, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const images = yield* listIfPresent(Paths.imagesDirectory(paths))
  const locks = yield* listIfPresent(Paths.locksDirectory(paths))
  const seen = yield* seenLeftovers
  const found = orphans({ paths, ...seen })
  yield* performAll(found.operations)
  yield* removeUnfinishedImages(images)
  for (const id of locks) {
    if (!seen.known.has(id)) yield* tryLocked(id, perform("FileRemove", { path: Paths.lockFile(paths, id) }))
  }
  return found.sentences
})

/** Layers that were being unpacked when their engine died: no record, and nobody holds the lock. */
const removeUnfinishedImages = Effect.fnUntraced(function*(
  digests: ReadonlyArray<string>
): Effect.fn.Return<void, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  for (const digest of digests) {
    const recorded = yield* perform("RecordGet", { collection: "images", key: `sha256:${digest}` })
    if (recorded !== undefined) continue
    yield* tryLocked(digest, Effect.gen(function*() {
      const now = yield* perform("RecordGet", { collection: "images", key: `sha256:${digest}` })
      if (now === undefined) yield* perform("TreeRemove", { path: Paths.imageDirectory(paths, digest) })
      yield* perform("FileRemove", { path: Paths.lockFile(paths, digest) })
    }))
  }
})

/** Directories that every program counts on. */
const makeRooms = Effect.flatMap(Host, ({ paths }) =>
  performAll([
    op("DirEnsure", { path: paths.root, mode: 0o710 }),
    op("DirEnsure", { path: Paths.containersDirectory(paths), mode: 0o710 }),
    op("DirEnsure", { path: Paths.imagesDirectory(paths), mode: 0o710 }),
    op("DirEnsure", { path: paths.execRoot, mode: 0o711 }),
    op("DirEnsure", { path: Paths.runsDirectory(paths), mode: 0o711 }),
    op("DirEnsure", { path: Paths.locksDirectory(paths), mode: 0o700 })
  ]))

/** Runs at every engine start. Containers that somebody else works on are passed over. */
export const recover: Effect.Effect<Recovered, KernelError, Kernel | Host> = Effect.gen(function*() {
  yield* makeRooms
  yield* Effect.flatMap(Host, ({ paths }) => ensureParent(Paths.cgroupParent(paths)))
  const mended: Array<string> = []
  const quarantined: Array<{ readonly id: string; readonly reason: string }> = []
  for (const stored of yield* listContainers) {
    if (stored.record.phase !== "launched" && stored.record.phase !== "removing") continue
    const { id, limitsPending, phase } = stored.record
    const recovery = Effect.flatMap(phase === "launched" && !limitsPending ? isWatched(stored.record) : Effect.succeed(false), (watched) =>
      watched ? Effect.succeed(undefined) : tryLocked(id, recoverContainer(stored)))
    yield* recovery.pipe(
      Effect.matchEffect({
        onSuccess: (sentence) => Effect.sync(() => {
          if (sentence !== undefined) mended.push(sentence)
        }),
        onFailure: (error) => Effect.sync(() => quarantined.push({ id, reason: error.message }))
      })
    )
  }
  mended.push(...yield* removeOrphans())
  return { mended, quarantined }
})
