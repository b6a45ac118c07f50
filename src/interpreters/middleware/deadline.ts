/** A door that waits only so long: an operation that does not come back fails with ETIMEDOUT. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelTag } from "../../domain/kernel/KernelOp.ts"
import type { Middleware } from "../../programs/Kernel.ts"

/** Operations that wait for somebody else by their nature have no deadline of their own. */
export const unbounded: ReadonlySet<KernelTag> = new Set<KernelTag>([
  "LockAcquire",
  "ChannelRead",
  "ChannelWrite",
  "FileAwait"
])

/**
 * `limit` gives the time an operation may take; `undefined`: no end. An operation that is late is
 * interrupted.
 */
export const deadline =
  (limit: (tag: KernelTag) => Duration.Input | undefined): Middleware => (next) => (
    tag,
    payload
  ) => {
    const duration = limit(tag)
    if (duration === undefined || unbounded.has(tag)) return next(tag, payload)
    const limitText = Duration.format(Duration.fromInputUnsafe(duration))
    return Effect.timeoutOrElse(next(tag, payload), {
      duration,
      orElse: () =>
        Effect.fail(
          new KernelError({
            op: tag,
            syscall: "deadline",
            errno: "ETIMEDOUT",
            hint: `the kernel did not answer within ${limitText}`
          })
        )
    })
  }
