/**
 * Containers that ran when a trace began. A simulated machine gets them by being told to start them, so that what the
 * trace says to their processes finds some; their records are then put back as the trace has them.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ContainerRecord } from "../../../domain/container/ContainerRecord.ts"
import type * as Paths from "../../../domain/container/Paths.ts"
import type { RecordRow } from "../../../domain/kernel/KernelOp.ts"
import { prepareRoot } from "../../../domain/layer/StorageDriver.ts"
import { parseStatus } from "../../../domain/kernel/Supervisor.ts"
import type { TraceEntry } from "../../../interpreters/middleware/TraceEntry.ts"
import { Engine } from "../../../programs/Engine.ts"
import { Host } from "../../../programs/Host.ts"
import { type Kernel, perform, performAll } from "../../../programs/Kernel.ts"
import { rowsSeen } from "./worldBefore.ts"

export interface Running {
  readonly row: RecordRow
  readonly layers: ReadonlyArray<string>
  /** Of its init, then. */
  readonly pid: number
  /** Of the engine that the trace is of. */
  readonly paths: Paths.Paths
}

const statusFile = /^(.+)\/containers\/([0-9a-f]{64})\/status$/

/** The directory beside whose `containers` there are `blobs`: every engine makes sure of both first. */
const rootOf = (entries: ReadonlyArray<TraceEntry>): string | undefined =>
  entries.flatMap(({ op }) => op.tag === "DirEnsure" && op.payload.path.endsWith("/blobs") ? [op.payload.path] : [])[0]
    ?.slice(0, -"/blobs".length)

/** A status file tells of a process as long as nobody has looked whether it lives. */
const wasGone = (entries: ReadonlyArray<TraceEntry>, pid: number): boolean => {
  const asked = entries.find(({ op }) => op.tag === "ProcessSignal" && op.payload.process.pid === pid)
  return asked?.outcome._tag === "Failure" && asked.outcome.error.errno === "ESRCH"
}

/** By their status files, as long as no supervisor of the trace can have written those. */
export const runningBefore = (entries: ReadonlyArray<TraceEntry>): ReadonlyArray<Running> => {
  const root = rootOf(entries)
  const decided = new Set<string>()
  const running: Array<Running> = []
  for (const { op, outcome } of entries) {
    if (op.tag === "SupervisorStart") decided.add(op.payload.spec.id)
    if (op.tag !== "FileRead" || outcome._tag !== "Success") continue
    const [, execRoot, id] = statusFile.exec(op.payload.path) ?? []
    if (root === undefined || execRoot === undefined || id === undefined || decided.has(id)) continue
    decided.add(id)
    const status = parseStatus(outcome.value as string)
    const row = entries.flatMap(rowsSeen).find(({ key }) => key === id)
    if (row === undefined || status?.init === undefined || status.exited !== undefined) continue
    if (wasGone(entries, status.init.pid)) continue
    const { layers } = JSON.parse(row.value) as Pick<ContainerRecord, "layers">
    running.push({ row, layers, pid: status.init.pid, paths: { root, execRoot } })
  }
  return running
}

const putBack = ({ key, name, revision, value }: RecordRow) => Effect.gen(function*() {
  yield* perform("RecordDelete", { collection: "containers", key })
  for (let write = 0; write < revision; write++) {
    yield* perform("RecordPut", { collection: "containers", key, revision: write, name, value })
  }
})

/** What a container has that was started before. */
const writableLayer = (paths: Paths.Paths, { value }: RecordRow) =>
  performAll(prepareRoot(paths, JSON.parse(value) as ContainerRecord, false))

/** What cannot be started shows as a difference. */
export const startAgain = ({ paths, row }: Running): Effect.Effect<void, never, Kernel> =>
  Effect.andThen(writableLayer(paths, row), Engine.use((engine) => engine.start(row.key))).pipe(
    Effect.provide(Layer.provide(Engine.local({ onExit: [] }), Host.layer({ paths, builtinImages: [] }))),
    Effect.ignore,
    Effect.andThen(Effect.ignore(putBack(row)))
  )
