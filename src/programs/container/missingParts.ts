/** What of a container somebody else has removed: its cgroups while it runs, its directories, layers of its image. */
import * as Effect from "effect/Effect"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { prepareRoot, writtenDirectory, writtenMark } from "../../domain/layer/StorageDriver.ts"
import { Host } from "../Host.ts"
import { type Kernel, performAll } from "../Kernel.ts"
import { isAlive, isThere, look } from "./observation.ts"

export interface MissingPart {
  /** A sentence without its full stop. */
  readonly problem: string
  readonly mended: boolean
}

const isMissing = (path: string): Effect.Effect<boolean, KernelError, Kernel> => Effect.map(isThere(path), (there) => !there)

/** A running container's cgroups; at its end its supervisor removes them before all else. */
const missingCgroups = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<ReadonlyArray<MissingPart>, KernelError, Kernel | Host> {
  const { alive, status } = yield* look(record)
  if (!alive || status?.init === undefined) return []
  const missing = yield* Effect.filter(record.cgroups, isMissing)
  if (missing.length === 0 || !(yield* isAlive(status.init))) return []
  return missing.map((directory) => ({
    problem: `its cgroup ${directory} has gone, restart it to have it limited again`, mended: false
  }))
})

/** Without its writable layer a container that has run does not start again: an empty one is better than none. */
const missingLayer = Effect.fnUntraced(function*(
  record: ContainerRecord, repair: boolean
): Effect.fn.Return<ReadonlyArray<MissingPart>, KernelError, Kernel | Host> {
  if (record.phase !== "launched" && record.phase !== "ended") return []
  const { paths } = yield* Host
  const written = writtenDirectory(paths, record)
  const isComplete = !(yield* isMissing(written)) && !(yield* isMissing(writtenMark(paths, record)))
  if (isComplete) return []
  const mends = repair && !(yield* look(record)).alive
  if (mends) yield* performAll(prepareRoot(paths, record, false))
  return [{ problem: `its writable layer ${written} has gone, and with it what it wrote`, mended: mends }]
})

export const missingParts = Effect.fnUntraced(function*(
  record: ContainerRecord, repair: boolean
): Effect.fn.Return<ReadonlyArray<MissingPart>, KernelError, Kernel | Host> {
  const layers = yield* Effect.filter(record.layers, isMissing)
  return [
    ...layers.map((path) => ({ problem: `the layer ${path} of its root has gone, import its image again`, mended: false })),
    ...yield* missingLayer(record, repair),
    ...yield* missingCgroups(record)
  ]
})
