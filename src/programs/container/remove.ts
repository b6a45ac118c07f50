/** Removes a container and all that is its own. `removing` in the record means: recovery will finish it. */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { locked } from "./lifecycleLock.ts"
import { stateOf } from "./observation.ts"
import { endOfRun } from "./settle.ts"
import { killAndWait } from "./signal.ts"

/** What a removal does once the record says `removing`; idempotent. */
export const removal = (paths: Paths.Paths, record: ContainerRecord) => [
  ...endOfRun(paths, record),
  op("TreeRemove", { path: Paths.containerDirectory(paths, record.id) }),
  op("RecordDelete", { collection: "containers", key: record.id }),
  op("FileRemove", { path: Paths.lockFile(paths, record.id) })
]

/** `force` kills a running container first; without it that is a conflict. */
export const removeLocked = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, options: { readonly force: boolean }
): Effect.fn.Return<void, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const state = yield* stateOf(stored.record)
  if (state.process !== undefined && !options.force) {
    return yield* new ContainerError({
      operation: "rm", object: stored.record.name, kind: "conflict",
      cause: `cannot remove container "${stored.record.name}": container is ${state.name}`,
      cure: "stop the container before removing or force remove"
    })
  }
  const exit = state.process === undefined ? state.exit : yield* killAndWait(stored.record, state.process)
  // Once begun it is finished, whether or not anybody still waits for it
  yield* Effect.uninterruptible(Effect.gen(function*() {
    // What `removal` does ends the run too; how it ended is told to whoever waits, and goes with the record
    if (stored.record.phase !== "removing") {
      yield* putContainer({ ...stored.record, phase: "removing", ...(exit === undefined ? {} : { exit }) }, stored.revision)
    }
    yield* performAll(removal(paths, stored.record))
  }))
})

export const remove = (
  stored: Stored<ContainerRecord>, options: { readonly force: boolean }
): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.flatMap(refresh("rm", stored), (fresh) => removeLocked(fresh, options)))

/** The end of a `--rm` container: gone already is fine, running again is not ours to touch. */
export const reap = Effect.fnUntraced(function*(
  id: string
): Effect.fn.Return<void, KernelError | ContainerError, Kernel | Host> {
  const row = yield* perform("RecordGet", { collection: "containers", key: id })
  if (row === undefined) return
  const stored = { record: JSON.parse(row.value) as ContainerRecord, revision: row.revision }
  yield* remove(stored, { force: false }).pipe(
    Effect.catchIf((error) => error._tag === "ContainerError" && error.kind !== "invalid", () => Effect.void)
  )
})
