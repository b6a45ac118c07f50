/**
 * Starts a container: the record says `launched` before the first effect, then everything up to the
 * supervisor, then its word that the program runs. A failure takes all of it back.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord, ContainerState } from "../../domain/container/ContainerRecord.ts"
import { limitRefusal } from "../../domain/container/limitRefusal.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { fillVolumes } from "./imageVolumes.ts"
import { locked } from "./lifecycleLock.ts"
import { stateOf } from "./observation.ts"
import { type Preparation, prepareStart } from "./prepareStart.ts"
import { endOfRun, settle } from "./settle.ts"
import { type Running, startSupervisor } from "./startSupervisor.ts"

export interface StartOptions {
  /** Which streams the first client wants. */
  readonly attach: number
  /** The command that finishes an auto-removed container when nobody is there to do it. */
  readonly onExit: ReadonlyArray<string>
}

export interface Started extends Running {
  readonly record: ContainerRecord
  readonly warnings: ReadonlyArray<string>
}

/** The record as it is after a start that failed: created, or ended as before, with the reason. */
const failed = (before: ContainerRecord, reason: string, code: number): ContainerRecord => {
  const { control: _, ...rest } = before
  return {
    ...rest, cgroups: [], error: reason,
    exit: { code, signal: 0, oomKilled: false }
  }
}

/** Ends what a start that failed or was interrupted has begun. */
const takeBack = Effect.fnUntraced(function*(
  before: ContainerRecord, launched: Stored<ContainerRecord>, cause: Cause.Cause<KernelError | ContainerError>
): Effect.fn.Return<void, never, Kernel | Host> {
  const error = cause.reasons.find((reason) => reason._tag === "Fail")?.error
  const reason = error === undefined ? "the start was interrupted" : error.message
  const code = error instanceof ContainerError && error.exitCode !== undefined ? error.exitCode : 128
  const { paths } = yield* Host
  yield* performAll(endOfRun(paths, launched.record)).pipe(
    Effect.andThen(putContainer(failed(before, reason, code), launched.revision)), Effect.ignore
  )
})

/** Launches what was prepared; `stored` is the record as read. */
const launch = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, preparation: Preparation, attach: number
): Effect.fn.Return<Started, KernelError | ContainerError, Kernel | Host | Scope.Scope> {
  const { paths } = yield* Host
  const { config, id, name } = stored.record
  if (stored.record.phase === "ended") yield* perform("FileRemove", { path: Paths.exitFile(paths, id) })
  const run = Effect.gen(function*() {
    yield* fillVolumes(stored.record)
    yield* performAll(preparation.before).pipe(
      Effect.mapError((error) => limitRefusal("start", name, id, config, config.resources, error))
    )
    const running = yield* startSupervisor("start", name, preparation.supervisor, attach)
    return { ...running, warnings: preparation.warnings }
  })
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(putContainer(preparation.record, stored.revision), (launched) =>
      restore(run).pipe(
        Effect.onError((cause) => takeBack(stored.record, launched, cause)),
        Effect.map((started) => ({ record: launched.record, ...started }))
      )))
})

interface Settled {
  readonly stored: Stored<ContainerRecord>
  readonly state: ContainerState
}

/** Takes over an earlier run that has ended; with the state after that. */
const settleAndLook = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>
): Effect.fn.Return<Settled, KernelError, Kernel | Host> {
  for (let known = stored;;) {
    known = yield* settle(known)
    const state = yield* stateOf(known.record)
    // Else it has ended between our looks
    if (known.record.phase !== "launched" || state.process !== undefined) return { stored: known, state }
  }
})

const startSettled = Effect.fnUntraced(function*(
  { state, stored }: Settled, options: StartOptions
): Effect.fn.Return<Started, KernelError | ContainerError, Kernel | Host | Scope.Scope> {
  const { record } = stored
  if (state.name === "running" || state.name === "paused" || state.name === "removing") {
    return yield* new ContainerError({
      operation: "start", object: record.name, kind: "conflict",
      cause: state.name === "paused"
        ? "cannot start a paused container, try unpause instead"
        : `container ${record.name} is ${state.name === "running" ? "already running" : "being removed"}`
    })
  }
  const preparation = yield* prepareStart(record, options.onExit)
  return yield* launch(stored, preparation, options.attach)
})

/** Starts under a lock that the caller holds. */
export const startLocked = (
  stored: Stored<ContainerRecord>, options: StartOptions
): Effect.Effect<Started, KernelError | ContainerError, Kernel | Host | Scope.Scope> =>
  Effect.flatMap(settleAndLook(stored), (settled) => startSettled(settled, options))

/** Docker: starting what runs already is no error. Gives the warnings. */
export const startUnlessRunning = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, options: { readonly onExit: ReadonlyArray<string> }
): Effect.fn.Return<ReadonlyArray<string>, KernelError | ContainerError, Kernel | Host> {
  // First without the lock: it may be held by a stop that takes its time
  if ((yield* stateOf(stored.record)).name === "running") return []
  return yield* locked(stored.record.id, Effect.gen(function*() {
    const settled = yield* settleAndLook(yield* refresh("start", stored))
    if (settled.state.name === "running") return []
    return (yield* Effect.scoped(startSettled(settled, { ...options, attach: 0 }))).warnings
  }))
})

export const start = (
  stored: Stored<ContainerRecord>, options: StartOptions
): Effect.Effect<Started, KernelError | ContainerError, Kernel | Host | Scope.Scope> =>
  locked(stored.record.id, Effect.flatMap(refresh("start", stored), (fresh) => startLocked(fresh, options)))
