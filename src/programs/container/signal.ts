/** Sends signals to a container's init: kill, and stop with its grace period. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { ExitStatus } from "../../domain/kernel/Supervisor.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { awaitExit } from "./awaitExit.ts"
import { locked } from "./lifecycleLock.ts"
import { groupIsGone, stateOf } from "./observation.ts"
import { settle } from "./settle.ts"

const SIGKILL = 9

const send = (process: ProcessIdentity, signal: number): Effect.Effect<void, KernelError, Kernel> =>
  perform("ProcessSignal", { process, signal }).pipe(
    // It ended a moment ago: what was wanted holds
    Effect.catchIf((error) => error.errno === "ESRCH", () => Effect.void)
  )

/** SIGRTMAX */
const lastSignal = 64

const checkSignal = (
  operation: string, record: ContainerRecord, signal: number
): Effect.Effect<void, ContainerError> =>
  Number.isInteger(signal) && signal >= 1 && signal <= lastSignal
    ? Effect.void
    : Effect.fail(new ContainerError({
      operation, object: record.name, kind: "invalid", cause: `Invalid signal: ${signal}`,
      cure: `signals are numbers from 1 to ${lastSignal}`
    }))

/** Thaws before a signal that must be acted upon: a frozen process takes none, v1 not even SIGKILL. */
const thaw = (record: ContainerRecord): Effect.Effect<void, KernelError, Kernel> =>
  record.control === undefined
    ? Effect.void
    : perform("CgroupFreeze", { ...record.control, frozen: false }).pipe(
      // It has ended of the signal already, and its supervisor has removed the group
      Effect.catchIf(groupIsGone, () => Effect.void)
    )

/** SIGKILL to the init and all that is in the cgroup, until its supervisor has said how it ended. */
export const killAndWait = Effect.fnUntraced(function*(
  record: ContainerRecord, process: ProcessIdentity
): Effect.fn.Return<ExitStatus | undefined, KernelError, Kernel | Host> {
  yield* send(process, SIGKILL)
  if (record.control !== undefined) yield* perform("CgroupKill", record.control)
  const exit = yield* awaitExit(record)
  return exit === "removed" ? undefined : exit
})

/** The same, and the end of the run taken over into the record. */
const killAndSettle = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, process: ProcessIdentity
): Effect.fn.Return<Stored<ContainerRecord>, KernelError, Kernel | Host> {
  yield* killAndWait(stored.record, process)
  return yield* settle(stored)
})

/** docker kill: to a running container only. SIGKILL does not wait for the end, as Docker's does not. */
export const kill = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, signal: number
): Effect.fn.Return<void, KernelError | ContainerError, Kernel | Host> {
  yield* checkSignal("kill", stored.record, signal)
  const state = yield* stateOf(stored.record)
  if (state.process === undefined) {
    return yield* new ContainerError({
      operation: "kill", object: stored.record.name, kind: "conflict",
      cause: `container ${stored.record.name} is not running`
    })
  }
  yield* send(state.process, signal)
  if (signal === SIGKILL) {
    if (stored.record.control !== undefined) yield* perform("CgroupKill", stored.record.control)
  } else if (state.name === "paused") yield* thaw(stored.record)
})

/**
 * docker stop: the stop signal, `timeout` seconds of grace (negative: for ever), then SIGKILL. A container
 * that does not run is left as it is.
 */
export const stop = (
  stored: Stored<ContainerRecord>, options: { readonly signal: number; readonly timeout: number }
): Effect.Effect<Stored<ContainerRecord>, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.flatMap(refresh("stop", stored), (fresh) => stopLocked(fresh, options)))

export const stopLocked = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, options: { readonly signal: number; readonly timeout: number }
): Effect.fn.Return<Stored<ContainerRecord>, KernelError | ContainerError, Kernel | Host> {
  yield* checkSignal("stop", stored.record, options.signal)
  const state = yield* stateOf(stored.record)
  if (state.process === undefined) return yield* settle(stored)
  const asked = yield* putContainer({ ...stored.record, stopRequested: true }, stored.revision)
  yield* send(state.process, options.signal)
  if (state.name === "paused") yield* thaw(asked.record)
  const ended = awaitExit(asked.record)
  if (options.timeout < 0) yield* ended
  else {
    const inTime = yield* Effect.timeoutOption(ended, `${options.timeout} seconds`)
    if (Option.isNone(inTime)) return yield* killAndSettle(asked, state.process)
  }
  return yield* settle(asked)
})
