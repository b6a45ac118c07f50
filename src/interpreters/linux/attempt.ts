/**
 * From calls that throw, return a failure or call back, to effects that fail with a KernelError. Every handler
 * of this interpreter goes through here, so that nothing else leaves it.
 */
import * as Effect from "effect/Effect"
import { errnoName } from "../../domain/kernel/errno.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelTag } from "../../domain/kernel/KernelOp.ts"
import { type CancelFlag, type Done, type Failure, isFailure } from "./addon.ts"
import { monotonicNow } from "./monotonicNow.ts"

/** What is being done to what, for the error. */
export interface Subject {
  readonly op: KernelTag
  readonly path?: string
}

/** Thrown inside `attempt` for a failure that no system call reported. */
export class Refusal {
  readonly syscall: string
  readonly errno: string
  readonly hint: string | undefined

  constructor(syscall: string, errno: string, hint?: string) {
    this.syscall = syscall
    this.errno = errno
    this.hint = hint
  }
}

/** The value of a call of the addon; throws its failure, for `attempt`. */
export const valueOf = <A>(result: A | Failure): A => {
  if (isFailure(result)) throw result
  return result
}

/** Does it at once. */
export const attempt = <A>(subject: Subject, body: () => A): Effect.Effect<A, KernelError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      return Effect.fail(toKernelError(subject, cause))
    }
  })

/**
 * A task of the addon on a pool thread. Interrupting it sets the flag and waits until the thread has let go, so
 * that nothing happens afterwards; with `abandon` it does not wait: for tasks that only look, and may hang.
 */
export const awaitTask = <A>(
  subject: Subject,
  start: (cancel: CancelFlag, done: Done<A>) => undefined | Failure,
  abandon = false
): Effect.Effect<A, KernelError> =>
  Effect.callback<A, KernelError>((resume) => {
    const cancel = new Int32Array(1)
    let ended = false
    let released = () => {}
    const done: Done<A> = (result) => {
      ended = true
      released()
      resume(isFailure(result) ? Effect.fail(toKernelError(subject, result)) : Effect.succeed(result))
    }
    try {
      const refused = start(cancel, done)
      if (refused !== undefined) done(refused)
    } catch (cause) {
      ended = true
      resume(Effect.fail(toKernelError(subject, cause)))
    }
    return Effect.callback<void>((resumeRelease) => {
      if (ended || abandon) return resumeRelease(Effect.void)
      released = () => resumeRelease(Effect.void)
      Atomics.store(cancel, 0, 1)
    })
  })

/** Real time, whatever clock the program has: it is the kernel that is waited for. */
export const pause = (milliseconds: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), milliseconds)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Milliseconds between looks at something that changes without telling: 1, 2, 4 … 20. */
export const backOff = (round: number): number => Math.min(20, 2 ** round)

/** Looks until `look` is true, and fails with `late` after `limit` milliseconds. The first look comes at once. */
export const until = (
  subject: Subject,
  limit: number,
  look: () => boolean,
  late: () => Refusal
): Effect.Effect<void, KernelError> =>
  Effect.suspend(() => {
    const began = monotonicNow()
    const once = attempt(subject, () => {
      const holds = look()
      if (!holds && monotonicNow() - began > limit) throw late()
      return holds
    })
    const round = (count: number): Effect.Effect<void, KernelError> =>
      Effect.flatMap(once, (holds) =>
        holds ? Effect.void : Effect.andThen(pause(backOff(count)), Effect.suspend(() => round(count + 1))))
    return round(0)
  })

/** Any cause as the one error: a failure of the addon, an error of Node's own calls, or a mistake of ours. */
export const toKernelError = (subject: Subject, cause: unknown): KernelError => {
  if (cause instanceof KernelError) return cause
  const { op, path } = subject
  const where = path === undefined ? {} : { path }
  if (cause instanceof Refusal) {
    const { errno, hint, syscall } = cause
    return new KernelError({ op, syscall, errno, ...where, ...(hint === undefined ? {} : { hint }) })
  }
  if (isFailure(cause) && typeof cause.errno === "number" && "detail" in cause) {
    const hint = explain(cause, path)
    return new KernelError({
      op, syscall: cause.syscall, errno: errnoName(cause.errno), ...where, ...(hint === "" ? {} : { hint })
    })
  }
  return fromNode(subject, cause)
}

const explain = (failure: Failure, path: string | undefined): string => {
  const place = failure.path === "" || failure.path === path ? "" : `at ${failure.path}`
  return [place, failure.detail].filter((text) => text !== "").join(": ")
}

const fromNode = ({ op, path }: Subject, cause: unknown): KernelError => {
  const { code, message, syscall } = cause as { code?: unknown; syscall?: unknown; message?: unknown }
  const where = path === undefined ? {} : { path }
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) {
    return new KernelError({ op, syscall: typeof syscall === "string" ? syscall : "node", errno: code, ...where })
  }
  const hint = typeof message === "string" ? message : String(cause)
  const errno = code === "ERR_DLOPEN_FAILED" ? "ELIBBAD" : "EINVAL"
  return new KernelError({ op, syscall: code === "ERR_DLOPEN_FAILED" ? "dlopen" : "node", errno, ...where, hint })
}
