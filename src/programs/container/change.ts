/** Small changes of state: pause and unpause, rename. */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { isContainerName, nameRule } from "../../domain/container/ContainerName.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { locked } from "./lifecycleLock.ts"
import { groupIsGone, stateOf } from "./observation.ts"

/**
 * The freezer itself remembers: the record holds nothing of it. `intend` is performed under the container's lock, when
 * nothing but the freezer may refuse it any more.
 */
export const setPaused = (
  stored: Stored<ContainerRecord>, paused: boolean, intend: Effect.Effect<void, KernelError, Kernel | Host> = Effect.void
): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> => {
  const operation = paused ? "pause" : "unpause"
  return locked(stored.record.id, Effect.gen(function*() {
    const { record } = yield* refresh(operation, stored)
    const state = yield* stateOf(record)
    const conflict = (cause: string) => new ContainerError({ operation, object: record.name, kind: "conflict", cause })
    if (state.process === undefined) return yield* conflict(`container ${record.name} is not running`)
    if (paused && state.name === "paused") return yield* conflict(`container ${record.name} is already paused`)
    if (!paused && state.name !== "paused") return yield* conflict(`container ${record.name} is not paused`)
    if (record.control === undefined) {
      return yield* conflict(`container ${record.name} cannot be frozen: this host has neither cgroup2 nor the freezer`)
    }
    yield* intend
    yield* perform("CgroupFreeze", { ...record.control, frozen: paused }).pipe(
      Effect.catchIf(groupIsGone, () => conflict(`container ${record.name} is not running`))
    )
  }))
}

export const rename = (
  stored: Stored<ContainerRecord>, name: string
): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.gen(function*() {
    const fresh = yield* refresh("rename", stored)
    const fail = (kind: "invalid" | "conflict", cause: string, cure?: string) =>
      new ContainerError({
        operation: "rename", object: fresh.record.name, kind, cause, ...(cure === undefined ? {} : { cure })
      })
    const wanted = name.startsWith("/") ? name.slice(1) : name
    if (wanted === "") return yield* fail("invalid", "the new name of a container cannot be empty")
    if (!isContainerName(wanted)) {
      return yield* fail("invalid", `Invalid container name (${name})`, nameRule)
    }
    if (wanted === fresh.record.name) return yield* fail("invalid", "the new name is the same as the current name")
    yield* putContainer({ ...fresh.record, name: wanted }, fresh.revision).pipe(
      Effect.catchIf(
        (error) => error.errno === "EEXIST",
        () => fail("conflict", `the container name "/${wanted}" is already in use`, "remove or rename that container")
      )
    )
  }))
