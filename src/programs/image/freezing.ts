/** A container that stands still while it is read, and runs on whatever becomes of its reader. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { setPaused } from "../container/change.ts"
import { stateOf } from "../container/observation.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { getContainer, type Stored } from "../Store.ts"
import { freezingInScope, thawLeft } from "./leases.ts"

/** Who has no container to thaw need not: it has ended, or somebody was first. */
const thaw = (stored: Stored<ContainerRecord>): Effect.Effect<boolean, KernelError, Kernel | Host> =>
  Effect.as(setPaused(stored, false), true).pipe(
    Effect.catchTag("ContainerError", () => Effect.succeed(false))
  )

/** While the container stands still, if it runs and is wanted to. That it is to run on is recorded first. */
export const frozen = <A, E, R>(
  stored: Stored<ContainerRecord>, pause: boolean, use: Effect.Effect<A, E, R>
): Effect.Effect<A, E | KernelError | ContainerError, R | Kernel | Host> =>
  Effect.flatMap(stateOf(stored.record), ({ name }) => {
    if (!pause || name !== "running") return use
    let isThawed = true
    const thawed = Effect.ignore(Effect.map(thaw(stored), () => void (isThawed = true)))
    // A scope of its own: that of `use` may be a wider one
    return Effect.scopedWith((scope) => Effect.gen(function*() {
      const { note } = yield* Scope.provide(freezingInScope(stored.record.id, () => isThawed), scope)
      const intend = Effect.andThen(Effect.sync(() => void (isThawed = false)), note)
      // A freezing that fails may have come after all
      const freeze = Effect.tapError(setPaused(stored, true, intend), () => isThawed ? Effect.void : thawed)
      return yield* Effect.acquireUseRelease(freeze, () => use, () => thawed)
    }))
  })

/** Containers that a dead engine has left frozen run on: sentences about them. */
export const thawFrozen: Effect.Effect<ReadonlyArray<string>, KernelError, Kernel | Host> =
  Effect.map(thawLeft(Effect.fnUntraced(function*(id) {
    const stored = yield* getContainer(id)
    return stored !== undefined && (yield* thaw(stored))
      ? `let ${stored.record.name} run on, which was paused to be committed`
      : undefined
  })), (sentences) => sentences.filter((one) => one !== undefined))
