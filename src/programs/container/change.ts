/** Small changes of state: pause and unpause, rename, update of limits. */
import * as Effect from "effect/Effect"
import { limitOps } from "../../domain/container/cgroupPlan.ts"
import type { ContainerConfig, ResourceConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { isContainerName } from "../../domain/container/ContainerName.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { checkResources } from "../../domain/container/checkConfig.ts"
import { compileResources } from "../../domain/container/resources.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { putContainer, refresh, type Stored } from "../Store.ts"
import { deviceNodes } from "./deviceNodes.ts"
import { locked } from "./lifecycleLock.ts"
import { stateOf } from "./observation.ts"

/** The freezer itself remembers: the record holds nothing of it. */
export const setPaused = (
  stored: Stored<ContainerRecord>, paused: boolean
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
    yield* perform("CgroupFreeze", { ...record.control, frozen: paused })
  }))
}

export const rename = (
  stored: Stored<ContainerRecord>, name: string
): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.gen(function*() {
    const fresh = yield* refresh("rename", stored)
    const fail = (kind: "invalid" | "conflict", cause: string) =>
      new ContainerError({ operation: "rename", object: fresh.record.name, kind, cause })
    const wanted = name.startsWith("/") ? name.slice(1) : name
    if (wanted === "") return yield* fail("invalid", "the new name of a container cannot be empty")
    if (!isContainerName(wanted)) {
      return yield* fail("invalid", `Invalid container name (${name}): only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
    }
    if (wanted === fresh.record.name) return yield* fail("invalid", "the new name is the same as the current name")
    yield* putContainer({ ...fresh.record, name: wanted }, fresh.revision).pipe(
      Effect.catchIf(
        (error) => error.errno === "EEXIST",
        () => fail("conflict", `the container name "/${wanted}" is already in use`)
      )
    )
  }))

/** What `update` may change; absent fields stay. */
export interface Update {
  readonly resources: ResourceConfig
  readonly restart?: ContainerConfig["restart"]
}

/**
 * The record first, then the kernel: a crash between leaves limits that `system check` sees and mends.
 * Gives warnings of what this host cannot limit.
 */
export const update = (
  stored: Stored<ContainerRecord>, change: Update
): Effect.Effect<ReadonlyArray<string>, KernelError | ContainerError, Kernel | Host> =>
  locked(stored.record.id, Effect.gen(function*() {
    const fresh = yield* refresh("update", stored)
    const { record } = fresh
    const refuse = (cause: string) => new ContainerError({ operation: "update", object: record.name, kind: "invalid", cause })
    const host = yield* Host
    const { layout, texts } = yield* host.facts
    const resources = { ...record.config.resources, ...change.resources }
    const config = { ...record.config, resources, ...(change.restart === undefined ? {} : { restart: change.restart }) }
    const nodes = yield* deviceNodes({ ...config, privileged: false, devices: [] })
    const compiled = (of: ResourceConfig) =>
      Effect.fromResult(compileResources(of, nodes)).pipe(Effect.mapError(refuse))
    const parent = config.cgroupParent === "" ? Paths.cgroupParent(host.paths) : config.cgroupParent
    const warnings = yield* Effect.fromResult(checkResources(yield* compiled(resources), texts)).pipe(Effect.mapError(refuse))
    const limits = yield* Effect.fromResult(limitOps({
      layout, path: `/${parent}/${record.id}`.replace(/\/+/g, "/"),
      resources: yield* compiled(change.resources), current: yield* compiled(record.config.resources),
      interfaceFiles: yield* host.interfaceFiles(parent)
    })).pipe(Effect.mapError(refuse))
    const state = yield* stateOf(record)
    yield* putContainer({ ...record, config }, fresh.revision)
    if (state.process !== undefined) yield* performAll(limits.ops)
    return [...warnings, ...limits.warnings]
  }))
