/**
 * Makes records and kernel agree again after whatever happened to the engines before: a pure decision over
 * what is recorded and what is seen, then its operations. Idempotent; may itself be cut short anywhere.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import { type ContainerRecord, isOfAnotherBoot } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { isId, orphans } from "../../domain/container/recovery.ts"
import { defaultDriver } from "../../domain/layer/StorageDriver.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll, performEach } from "../Kernel.ts"
import { late } from "../late.ts"
import { getContainer, listContainers, putContainer, type Stored } from "../Store.ts"
import { rememberDriver } from "../storageDriver.ts"
import { hasUnfinished } from "../image/hasUnfinished.ts"
import { claimDirectories } from "./claimDirectories.ts"
import { ensureParent } from "./cgroupParent.ts"
import { tryLocked } from "./lifecycleLock.ts"
import { isAlive, listIfPresent, look, readIfPresent, statusLimit } from "./observation.ts"
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

/** Those of a list whose look gave what is wanted. */
const filterByLook = <A, B>(
  all: ReadonlyArray<A>, seen: ReadonlyArray<Result.Result<B, KernelError>>, holds: (value: B) => boolean
): ReadonlyArray<A> =>
  all.filter((_, index) => {
    const one = seen[index]!
    return Result.isSuccess(one) && holds(one.success)
  })

/**
 * Launched containers that need nothing: they are watched over, and have no execs that might have lost theirs. Looks
 * without locks, at all in one go, since of many containers nearly all are like this. What cannot be looked at is
 * not among them, and tells why when it is looked at by itself.
 */
const watchedOver = Effect.fnUntraced(function*(
  records: ReadonlyArray<ContainerRecord>
): Effect.fn.Return<ReadonlySet<string>, KernelError, Kernel | Host> {
  const { facts, paths } = yield* Host
  const { bootId } = (yield* facts).texts
  const ids = records
    .filter((record) => record.phase === "launched" && !record.limitsPending && !isOfAnotherBoot(record, bootId))
    .map(({ id }) => id)
  const texts = yield* performEach("FileRead", ids.map((id) =>
    ({ path: `${Paths.runDirectory(paths, id)}/status`, limit: statusLimit })))
  const begun = ids.flatMap((id, index) => {
    const status = parseStatus(Result.getOrElse(texts[index]!, () => ""))
    return status === undefined || status.exited !== undefined ? [] : [{ id, process: status.supervisor }]
  })
  const alive = filterByLook(begun, yield* performEach("ProcessSignal", begun.map(({ process }) =>
    ({ process, signal: 0 }))), () => true)
  // Of the directory of execs, which most have not, there would be an error each
  const runs = yield* performEach("DirList", alive.map(({ id }) => ({ path: Paths.runDirectory(paths, id) })))
  const withoutExecs = filterByLook(alive, runs, (names) => !names.includes(Paths.execsName))
  const withExecs = filterByLook(alive, runs, (names) => names.includes(Paths.execsName))
  const execs = yield* performEach("DirList", withExecs.map(({ id }) => ({ path: Paths.execsDirectory(paths, id) })))
  const idle = filterByLook(withExecs, execs, (names) => names.length === 0)
  return new Set([...withoutExecs, ...idle].map(({ id }) => id))
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

/**
 * What is on the host under our names, and which ids have records. `listed` had one some time before: what of them
 * has gone by now was removed by somebody, who removes the record after all the rest.
 */
export const seenLeftovers = Effect.fnUntraced(function*(listed: ReadonlySet<string>) {
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
  const locks = yield* listIfPresent(Paths.locksDirectory(paths))
  // The records come last: what was made before has its record by now, since records are written first
  const known = new Set(listed)
  for (const id of new Set([...cgroups.flatMap(({ names }) => names), ...runs, ...durable, ...locks])) {
    if (!isId(id) || known.has(id)) continue
    if ((yield* perform("RecordGet", { collection: "containers", key: id })) !== undefined) known.add(id)
  }
  return { cgroups, runs, durable, locks, known }
})

const unfinished = late(() => import("../image/removeUnfinished.ts"))

const removeOrphans = Effect.fnUntraced(function*(
  listed: ReadonlySet<string>
): Effect.fn.Return<Recovered, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const seen = yield* seenLeftovers(listed)
  const found = orphans({ paths, ...seen })
  yield* performAll(found.operations)
  const settled: Recovered = (yield* hasUnfinished)
    ? yield* Effect.flatMap(unfinished, ({ removeUnfinished }) => removeUnfinished)
    : { mended: [], quarantined: [] }
  for (const id of seen.locks) {
    if (!seen.known.has(id)) yield* tryLocked(id, perform("FileRemove", { path: Paths.lockFile(paths, id) }))
  }
  return { mended: [...found.sentences, ...settled.mended], quarantined: settled.quarantined }
})

/** Directories that every program counts on. */
const makeRooms = Effect.flatMap(Host, ({ paths }) =>
  performAll([
    op("DirEnsure", { path: paths.root, mode: 0o710 }),
    op("DirEnsure", { path: Paths.containersDirectory(paths), mode: 0o710 }),
    op("DirEnsure", { path: Paths.blobsDirectory(paths), mode: 0o700 }),
    ...["sha256", "sha512"].map((algorithm) =>
      op("DirEnsure", { path: `${Paths.blobsDirectory(paths)}/${algorithm}`, mode: 0o700 })),
    op("DirEnsure", { path: Paths.ingestDirectory(paths), mode: 0o700 }),
    op("DirEnsure", { path: Paths.layersDirectory(paths, defaultDriver), mode: 0o710 }),
    op("DirEnsure", { path: paths.execRoot, mode: 0o711 }),
    op("DirEnsure", { path: Paths.runsDirectory(paths), mode: 0o711 }),
    op("DirEnsure", { path: Paths.locksDirectory(paths), mode: 0o700 })
  ]))

/** Runs at every engine start. Containers that somebody else works on are passed over. */
export const recover: Effect.Effect<Recovered, KernelError | ContainerError, Kernel | Host> = Effect.gen(function*() {
  const claims = yield* claimDirectories
  yield* makeRooms
  yield* performAll(claims)
  // What cannot be had is refused when something is to be kept by it
  yield* Effect.ignore(rememberDriver)
  yield* Effect.flatMap(Host, ({ paths }) => ensureParent(Paths.cgroupParent(paths)))
  const mended: Array<string> = []
  const quarantined: Array<{ readonly id: string; readonly reason: string }> = []
  const containers = yield* listContainers
  const watched = yield* watchedOver(containers.map(({ record }) => record))
  for (const stored of containers) {
    const { id, phase } = stored.record
    if ((phase !== "launched" && phase !== "removing") || watched.has(id)) continue
    yield* tryLocked(id, recoverContainer(stored)).pipe(
      Effect.matchEffect({
        onSuccess: (sentence) => Effect.sync(() => {
          if (sentence !== undefined) mended.push(sentence)
        }),
        onFailure: (error) => Effect.sync(() => quarantined.push({ id, reason: error.message }))
      })
    )
  }
  const left = yield* removeOrphans(new Set(containers.map(({ record }) => record.id)))
  return { mended: [...mended, ...left.mended], quarantined: [...quarantined, ...left.quarantined] }
})
