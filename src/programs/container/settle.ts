/**
 * Takes over into the record what a run came to, and removes what the run left on the host: cgroups (the
 * supervisor did that unless it was killed) and the volatile directory. Idempotent; under the lock.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import {
  type ContainerRecord, formatTime, hasBegun, hasRun, lostExit, type Observation, observe, rebootExit
} from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, op } from "../../domain/kernel/KernelOp.ts"
import { formatStatus } from "../../domain/kernel/Supervisor.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { now, putContainer, type Stored } from "../Store.ts"
import { look } from "./observation.ts"

/**
 * What ends a run for good. The volatile directory goes first: a supervisor that was only just cloned
 * when its engine died finds no place to live in. Then the group that an init joins before any other: one that was
 * only just cloned dies in it or cannot join it.
 */
export const endOfRun = (paths: Paths.Paths, record: ContainerRecord): ReadonlyArray<KernelOp> => [
  op("TreeRemove", { path: Paths.runDirectory(paths, record.id) }),
  ...(record.control === undefined ? [] : [
    op("CgroupKill", record.control),
    op("CgroupRemove", { directory: record.control.directory, kill: record.control.version })
  ]),
  ...record.cgroups.filter((directory) => directory !== record.control?.directory)
    .map((directory) => op("CgroupRemove", { directory }))
]

/**
 * Takes over a run of which `seen` is the last that can be seen: its init does not live, or is about to be
 * killed. An end that nobody recorded is made durable before its traces go.
 */
export const takeOver = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, seen: Observation
): Effect.fn.Return<Stored<ContainerRecord>, KernelError, Kernel | Host> {
  const { record, revision } = stored
  const { paths } = yield* Host
  let { status } = seen
  const lost = seen.rebooted ? rebootExit : lostExit
  if (status?.startedAt !== undefined && status.exited === undefined) {
    status = { ...status, exited: { at: yield* Clock.currentTimeNanos, status: lost } }
    yield* perform("FileWrite", { path: Paths.exitFile(paths, record.id), mode: 0o600, text: formatStatus(status) })
  }
  yield* performAll(endOfRun(paths, record))
  const { control: _, launch: __, ...rest } = record
  const state = observe(record, { ...seen, status, alive: false, frozen: false })
  if (!hasBegun(seen) || state.exit === undefined) {
    // This run never began: a start that failed or was cut short leaves the container as it was before
    return yield* putContainer({ ...rest, phase: hasRun(record) ? "ended" : "created", cgroups: [] }, revision)
  }
  return yield* putContainer({
    ...rest, phase: "ended", cgroups: [], exit: state.exit,
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    finishedAt: status?.exited === undefined ? yield* now : formatTime(status.exited.at)
  }, revision)
})

/**
 * For a launched container that does not run, be it that a start was begun by an engine that died; any other is
 * given back as it is.
 */
export const settle = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>
): Effect.fn.Return<Stored<ContainerRecord>, KernelError, Kernel | Host> {
  if (stored.record.phase !== "launched") return stored
  const seen = yield* look(stored.record)
  return seen.alive && seen.status?.startedAt !== undefined ? stored : yield* takeOver(stored, seen)
})
