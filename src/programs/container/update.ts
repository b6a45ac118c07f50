/**
 * Changes the limits of a container, running or not. The record says `limitsPending` while they may not be in
 * force yet, so that recovery puts them into force when the engine dies in between.
 */
import * as Effect from "effect/Effect"
import { limitOps } from "../../domain/container/cgroupPlan.ts"
import { checkCpus, checkResources } from "../../domain/container/checkConfig.ts"
import type { ContainerConfig, ResourceConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { limitRefusal } from "../../domain/container/limitRefusal.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { compileResources } from "../../domain/container/resources.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, performAll } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { deviceNodes } from "./deviceNodes.ts"
import { locked } from "./lifecycleLock.ts"
import { stateOf } from "./observation.ts"

/** What `update` may change; absent fields stay. */
export interface Update {
  readonly resources: ResourceConfig
  readonly restart?: ContainerConfig["restart"]
}

interface Limits {
  readonly ops: ReadonlyArray<KernelOp>
  readonly warnings: ReadonlyArray<string>
}

/** The container's cgroup as the control files' paths have it. */
export const cgroupPath = (record: ContainerRecord, paths: Paths.Paths): string =>
  `/${record.config.cgroupParent || Paths.cgroupParent(paths)}/${record.id}`.replace(/\/+/g, "/")

/** The writes for `wanted` in the record's cgroup; `current` is in force. */
const limitsOf = Effect.fnUntraced(function*(
  record: ContainerRecord, wanted: ResourceConfig, current: ResourceConfig
): Effect.fn.Return<Limits, KernelError | ContainerError, Kernel | Host> {
  const host = yield* Host
  const { layout } = yield* host.facts
  const refuse = (cause: string) => new ContainerError({ operation: "update", object: record.name, kind: "invalid", cause })
  const nodes = yield* deviceNodes({
    ...record.config, privileged: false, devices: [], resources: { ...current, ...wanted }
  })
  const compiled = (of: ResourceConfig) =>
    Effect.fromResult(compileResources(of, nodes)).pipe(Effect.mapError(refuse))
  const path = cgroupPath(record, host.paths)
  return yield* Effect.fromResult(limitOps({
    layout, path, resources: yield* compiled(wanted), current: yield* compiled(current),
    interfaceFiles: yield* host.interfaceFiles(path.slice(0, path.lastIndexOf("/")))
  })).pipe(Effect.mapError(refuse))
})

/** A run that has ended took its cgroups along: then there is nothing to limit. */
const write = (
  record: ContainerRecord, ops: ReadonlyArray<KernelOp>
): Effect.Effect<void, KernelError, Kernel | Host> =>
  performAll(ops).pipe(Effect.catchIf((error) => error.errno === "ENOENT", (error) =>
    Effect.flatMap(stateOf(record), (state) => state.process === undefined ? Effect.void : Effect.fail(error))))

/** Puts all limits of the record into force, whatever holds now, and takes the mark away. */
export const settleLimits = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>
): Effect.fn.Return<Stored<ContainerRecord>, KernelError | ContainerError, Kernel | Host> {
  const { record, revision } = stored
  if (!record.limitsPending) return stored
  const { ops } = yield* limitsOf(record, record.config.resources, {})
  // v1 refuses a memory limit above the one of memory and swap: which is first depends on what holds now
  yield* write(record, ops).pipe(Effect.catchIf(
    (error) => error.errno === "EINVAL", () => Effect.andThen(write(record, [...ops].reverse()), write(record, ops))
  ))
  return yield* putContainer({ ...record, limitsPending: false }, revision)
})

/** Puts a change that was recorded into force. */
const inForce = (
  marked: Stored<ContainerRecord>, ops: ReadonlyArray<KernelOp>
): Effect.Effect<void, KernelError, Kernel | Host> =>
  write(marked.record, ops).pipe(
    Effect.andThen(Effect.asVoid(putContainer({ ...marked.record, limitsPending: false }, marked.revision)))
  )

/** Takes a change back that failed or was interrupted on the way. */
const takeBack = (
  marked: Stored<ContainerRecord>, before: ContainerConfig
): Effect.Effect<void, never, Kernel | Host> =>
  Effect.ignore(Effect.flatMap(putContainer({ ...marked.record, config: before }, marked.revision), settleLimits))

/** Gives warnings of what this host cannot limit. A change that the kernel refuses is taken back. */
export const update = (
  stored: Stored<ContainerRecord>, change: Update
): Effect.Effect<ReadonlyArray<string>, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.gen(function*() {
    const { record, revision } = yield* refresh("update", stored)
    const { texts } = yield* (yield* Host).facts
    const before = record.config
    const resources = { ...before.resources, ...change.resources }
    const checked = compileResources(resources, yield* deviceNodes({ ...before, privileged: false, devices: [], resources }))
    const warnings = yield* Effect.fromResult(checked).pipe(
      Effect.tap(() => Effect.fromResult(checkCpus(resources, texts))),
      Effect.flatMap((compiled) => Effect.fromResult(checkResources(compiled, texts))),
      Effect.mapError((cause) => new ContainerError({ operation: "update", object: record.name, kind: "invalid", cause }))
    )
    const limits = yield* limitsOf(record, change.resources, before.resources)
    const config = { ...before, resources, ...(change.restart === undefined ? {} : { restart: change.restart }) }
    const launched = record.phase === "launched"
    yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(putContainer({ ...record, config, limitsPending: launched }, revision), (marked) =>
        launched
          ? restore(inForce(marked, limits.ops)).pipe(
            Effect.onError(() => takeBack(marked, before)),
            Effect.mapError((error) => limitRefusal("update", record.name, record.id, config, change.resources, error))
          )
          : Effect.void))
    return [...warnings, ...limits.warnings]
  }))
