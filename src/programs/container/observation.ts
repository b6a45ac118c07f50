/** Looks at a container as it is now: its supervisor's status, whether its init lives, whether it is frozen. */
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import {
  type ContainerRecord, type ContainerState, isOfAnotherBoot, type Observation, observe
} from "../../domain/container/ContainerRecord.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { writtenMark } from "../../domain/layer/StorageDriver.ts"
import { parseStatus, type SupervisorStatus } from "../../domain/kernel/Supervisor.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { getContainer } from "../Store.ts"

export const statusLimit = 16_384

/** The text of a small file, undefined when there is none. */
export const readIfPresent = (path: string, limit = statusLimit): Effect.Effect<string | undefined, KernelError, Kernel> =>
  perform("FileRead", { path, limit }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT" || error.errno === "ENOTDIR", () => Effect.succeed(undefined))
  )

/** The names in a directory, none when there is none. */
export const listIfPresent = (path: string): Effect.Effect<ReadonlyArray<string>, KernelError, Kernel> =>
  perform("DirList", { path }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed([]))
  )

/** Whether the path names anything, be it a link to nowhere. */
export const isThere = (path: string): Effect.Effect<boolean, KernelError, Kernel> =>
  perform("FileStat", { path, follow: false }).pipe(
    Effect.as(true),
    Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(false))
  )

/** Whether this very process exists (a zombie counts as gone). */
export const isAlive = (process: ProcessIdentity): Effect.Effect<boolean, KernelError, Kernel> =>
  perform("ProcessSignal", { process, signal: 0 }).pipe(
    Effect.as(true),
    Effect.catchIf((error) => error.errno === "ESRCH", () => Effect.succeed(false))
  )

/** The status file of a run, else the durable copy that the supervisor left at its end. */
export const readStatus = Effect.fnUntraced(function*(
  id: string
): Effect.fn.Return<SupervisorStatus | undefined, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const text = (yield* readIfPresent(`${Paths.runDirectory(paths, id)}/status`)) ??
    (yield* readIfPresent(Paths.exitFile(paths, id)))
  return text === undefined ? undefined : parseStatus(text)
})

/** v2 `cgroup.freeze` or v1 `freezer.state`; false where there is nothing to freeze with. */
const isFrozen = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<boolean, KernelError, Kernel> {
  if (record.control === undefined) return false
  const { directory, version } = record.control
  const file = version === 2 ? "cgroup.freeze" : "freezer.state"
  const texts = yield* perform("CgroupRead", { directory, files: [file] })
  const text = texts[file]?.trim() ?? ""
  return text === "1" || text === "FROZEN" || text === "FREEZING"
})

/** A control group that was removed, before or while its file was opened. */
export const groupIsGone = (error: KernelError): boolean => error.errno === "ENOENT" || error.errno === "ENODEV"

/** Whether a container has something of its own, which a run or a copy may have written to. */
export const hasWritten = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<boolean, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  return yield* isThere(writtenMark(paths, record))
})

export const look = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<Observation, KernelError, Kernel | Host> {
  const gone = { alive: false, frozen: false, rebooted: false }
  if (record.phase !== "launched") return { ...gone, status: undefined }
  const { facts } = yield* Host
  const status = yield* readStatus(record.id)
  // Pids of another boot are other processes
  if (isOfAnotherBoot(record, (yield* facts).texts.bootId)) {
    // A start that had not come to making the writable layer has run nothing
    return { ...gone, status, rebooted: status !== undefined || (yield* hasWritten(record)) }
  }
  const init = status?.exited === undefined ? status?.init : undefined
  if (status === undefined || init === undefined) return { ...gone, status }
  if (yield* isAlive(init)) return { ...gone, status, alive: true, frozen: yield* isFrozen(record) }
  // Until its supervisor has told of the end it has not ended
  if (status.startedAt !== undefined && (yield* isAlive(status.supervisor))) {
    return { ...gone, status, alive: true }
  }
  // That may have been told between our looks
  return { ...gone, status: (yield* readStatus(record.id)) ?? status }
})

/** A container as it is now. */
export interface Summary {
  readonly record: ContainerRecord
  readonly state: ContainerState
}

/**
 * The record again if it is another by now: who holds no lock may look for traces of a run that somebody else
 * has just ended. Undefined when it is still the same; `removed` when there is none any more.
 */
export const changed = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<ContainerRecord | "removed" | undefined, KernelError, Kernel> {
  const now = yield* getContainer(record.id)
  if (now === undefined) return "removed"
  return JSON.stringify(now.record) === JSON.stringify(record) ? undefined : now.record
})

/** Undefined when it was removed since its record was read. */
export const summaryOf = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<Summary | undefined, KernelError, Kernel | Host> {
  for (let known = record;;) {
    const seen = yield* look(known)
    const other = known.phase === "launched" && seen.status === undefined ? yield* changed(known) : undefined
    if (other === "removed") return undefined
    if (other === undefined) return { record: known, state: observe(known, seen) }
    known = other
  }
})

/** One that was removed meanwhile is dead. */
export const stateOf = (record: ContainerRecord): Effect.Effect<ContainerState, KernelError, Kernel | Host> =>
  Effect.map(summaryOf(record), (summary) => summary?.state ?? { name: "dead", error: "" })
