/**
 * One lifecycle step at a time per container, across all processes that share the root. Reads take no
 * lock. The kernel frees the lock at its holder's death.
 */
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { Kernel, perform } from "../Kernel.ts"

export const locked = <A, E, R>(
  id: string, use: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError, R | Kernel | Host> =>
  Effect.acquireUseRelease(
    Effect.flatMap(Host, ({ paths }) => perform("LockAcquire", { path: Paths.lockFile(paths, id), shared: false })),
    () => use,
    (handle) => Effect.ignore(perform("LockRelease", { handle }))
  )

/** Only if nobody holds the lock: `undefined` otherwise, at once. */
export const tryLocked = <A, E, R>(
  id: string, use: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E | KernelError, R | Kernel | Host> =>
  Effect.acquireUseRelease(
    Effect.flatMap(Host, ({ paths }) =>
      perform("LockTry", { path: Paths.lockFile(paths, id) })),
    (handle): Effect.Effect<A | undefined, E, R> => handle === undefined ? Effect.succeed(undefined) : use,
    (handle) => handle === undefined ? Effect.void : Effect.ignore(perform("LockRelease", { handle }))
  )
