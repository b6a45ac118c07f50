/** Whose names a container has: with `--network container:X` those of X, as it has X's addresses. */
import * as Effect from "effect/Effect"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { joinedContainer } from "../../domain/text/flags/NamespaceMode.ts"
import type { Kernel } from "../Kernel.ts"
import { getContainer } from "../Store.ts"

/**
 * The container whose hostname, hosts and resolv.conf are used (moby, initializeNetworking); where that has gone
 * meanwhile, the last one on the way to it. It ends: a container joins only what was there before it.
 */
export const networkOwner = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<ContainerRecord, KernelError, Kernel> {
  let owner = record
  for (;;) {
    const joined = joinedContainer(owner.config.networkMode)
    const next = joined === undefined ? undefined : yield* getContainer(joined)
    if (next === undefined) return owner
    owner = next.record
  }
})
