/**
 * One lifecycle step at a time per container, across all processes that share the root. Reads take no
 * lock. The kernel frees the lock at its holder's death. Who waits for it may be interrupted: LockAcquire
 * is then not performed.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"

const acquire = (id: string): Effect.Effect<number, KernelError, Kernel | Host> =>
  Effect.flatMap(Host, ({ paths }) => perform("LockAcquire", { path: Paths.lockFile(paths, id), shared: false }))

const release = (handle: number): Effect.Effect<void, never, Kernel> => Effect.ignore(perform("LockRelease", { handle }))

export const locked = <A, E, R>(
  id: string, use: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError, R | Kernel | Host> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(acquire(id)), (handle) => Effect.ensuring(restore(use), release(handle))))

/** The same for a name that is locked but now and then: its file goes while it is held. */
export const lockedBriefly = <A, E, R>(
  name: string, use: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError, R | Kernel | Host> =>
  locked(name, Effect.ensuring(use, Effect.flatMap(Host, ({ paths }) =>
    Effect.ignore(perform("FileRemove", { path: Paths.lockFile(paths, name) })))))

/** Until the scope closes, or what it gives is performed. */
export const lockedInScope = (
  id: string
): Effect.Effect<Effect.Effect<void, never, Kernel>, KernelError, Kernel | Host | Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(acquire(id), release, { interruptible: true }),
    (handle) => release(handle)
  )

/** The same for a name that is locked but now and then. */
export const lockedBrieflyInScope = (
  name: string
): Effect.Effect<Effect.Effect<void, never, Kernel>, KernelError, Kernel | Host | Scope.Scope> =>
  Effect.flatMap(Host, ({ paths }) => {
    const end = (handle: number) =>
      Effect.andThen(Effect.ignore(perform("FileRemove", { path: Paths.lockFile(paths, name) })), release(handle))
    let ended = false
    const once = (handle: number) =>
      Effect.suspend(() => {
        // By then the name may be somebody else's lock
        if (ended) return Effect.void
        ended = true
        return end(handle)
      })
    return Effect.map(Effect.acquireRelease(acquire(name), once, { interruptible: true }), once)
  })

/** Only if nobody holds the lock: `undefined` otherwise, at once. */
export const tryLocked = <A, E, R>(
  id: string, use: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E | KernelError, R | Kernel | Host> =>
  Effect.acquireUseRelease(
    Effect.flatMap(Host, ({ paths }) =>
      perform("LockTry", { path: Paths.lockFile(paths, id) })),
    (handle): Effect.Effect<A | undefined, E, R> => handle === undefined ? Effect.succeed(undefined) : use,
    (handle) => handle === undefined ? Effect.void : release(handle)
  )
