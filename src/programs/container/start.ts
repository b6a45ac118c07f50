/**
 * Starts a container: the record says `launched` before the first effect, then everything up to the
 * supervisor, then its word that the program runs. A failure takes all of it back.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { decodeFrames } from "../../domain/kernel/frames.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Frame } from "../../domain/kernel/Supervisor.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { locked } from "./lifecycleLock.ts"
import { stateOf } from "./observation.ts"
import { type Preparation, prepareStart } from "./prepareStart.ts"
import { endOfRun, settle } from "./settle.ts"
import { startFailure } from "./startFailure.ts"

export interface Started {
  readonly record: ContainerRecord
  readonly process: ProcessIdentity
  /** The first client's channel, attached before the program ran; its owner closes it. */
  readonly channel: number
  /** Frames that came along with the news of the start. */
  readonly frames: ReadonlyArray<Frame>
  readonly warnings: ReadonlyArray<string>
}

/** Waits for the supervisor's word: started, or failed at one of its operations. */
const awaitStart = Effect.fnUntraced(function*(
  name: string, preparation: Preparation, channel: number
): Effect.fn.Return<Pick<Started, "process" | "frames">, KernelError | ContainerError, Kernel> {
  for (;;) {
    const frames = decodeFrames(yield* perform("ChannelRead", { channel }))
    const [first, ...rest] = frames
    if (first === undefined) {
      return yield* new ContainerError({
        operation: "start", object: name, kind: "failed", cause: "the supervisor ended before the container started"
      })
    }
    if (first._tag === "Failed") return yield* startFailure(name, preparation.supervisor.program, first)
    if (first._tag === "Started") return { process: first.process, frames: rest }
  }
})

/** The record as it is after a start that failed: created, or ended as before, with the reason. */
const failed = (before: ContainerRecord, reason: string, code: number): ContainerRecord => {
  const { control: _, ...rest } = before
  return {
    ...rest, cgroups: [], error: reason,
    exit: { code, signal: 0, oomKilled: false }
  }
}

/** Launches what was prepared; `stored` is the record as read. */
const launch = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, preparation: Preparation, attach: number
): Effect.fn.Return<Started, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const { id, name } = stored.record
  if (stored.record.phase === "ended") yield* perform("FileRemove", { path: Paths.exitFile(paths, id) })
  const launched = yield* putContainer(preparation.record, stored.revision)
  let channel: number | undefined
  return yield* Effect.gen(function*() {
    yield* performAll(preparation.before)
    const started = yield* perform("SupervisorStart", { spec: preparation.supervisor, attach })
    channel = started.channel
    const seen = yield* awaitStart(name, preparation, channel)
    return { record: launched.record, channel, ...seen, warnings: preparation.warnings }
  }).pipe(Effect.onExit((exit) => {
    if (Exit.isSuccess(exit)) return Effect.void
    const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
    const reason = error === undefined ? "the start was interrupted" : error.message
    const code = error instanceof ContainerError && error.exitCode !== undefined ? error.exitCode : 128
    return Effect.ignore(Effect.gen(function*() {
      if (channel !== undefined) yield* perform("ChannelClose", { channel })
      yield* performAll(endOfRun(paths, launched.record))
      yield* putContainer(failed(stored.record, reason, code), launched.revision)
    }))
  }))
})

/** Starts under a lock that the caller holds. */
export const startLocked = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, options: { readonly attach: number; readonly onExit: ReadonlyArray<string> }
): Effect.fn.Return<Started, KernelError | ContainerError, Kernel | Host> {
  const settled = yield* settle(stored)
  const { record } = settled
  const state = yield* stateOf(record)
  if (state.name === "running" || state.name === "paused" || state.name === "removing") {
    return yield* new ContainerError({
      operation: "start", object: record.name, kind: "conflict",
      cause: state.name === "paused"
        ? "cannot start a paused container, try unpause instead"
        : `container ${record.name} is ${state.name === "running" ? "already running" : "being removed"}`
    })
  }
  const preparation = yield* prepareStart(record, options.onExit)
  return yield* launch(settled, preparation, options.attach)
})

export const start = (
  stored: Stored<ContainerRecord>, options: { readonly attach: number; readonly onExit: ReadonlyArray<string> }
): Effect.Effect<Started, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.flatMap(refresh("start", stored), (fresh) => startLocked(fresh, options)))
