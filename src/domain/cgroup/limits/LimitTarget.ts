/** What the limits of each controller are turned into, and what they need to know of the host for it. */
import type { CgroupLayout } from "../CgroupLayout.ts"
import { cgroupDirectory } from "../CgroupPath.ts"
import { type Controller, legacyName } from "../Controller.ts"

export interface LimitWrite {
  readonly _tag: "Write"
  readonly directory: string
  readonly file: string
  readonly value: string
}

/** A resource that cannot be had as asked. */
export interface ResourceProblem {
  readonly _tag: "Problem"
  /** Field of Resources, e.g. `memory.swap`. */
  readonly resource: string
  /** `warning`: the container can run without it. `error`: it must not be started so. */
  readonly severity: "warning" | "error"
  /** A sentence without its full stop. */
  readonly reason: string
}

export type LimitOutcome = LimitWrite | ResourceProblem

export interface LimitTarget {
  readonly layout: CgroupLayout
  /** The container's cgroup. */
  readonly path: string
  /** Names of the files in directories like the container's; undefined: not looked at, all are expected. */
  readonly interfaceFiles: ReadonlySet<string> | undefined
}

export interface LimitHome {
  readonly version: 1 | 2
  readonly directory: string
}

export const problem = (
  resource: string, severity: ResourceProblem["severity"], reason: string
): ResourceProblem => ({ _tag: "Problem", resource, severity, reason })

export const homeOf = (target: LimitTarget, controller: Controller): LimitHome | undefined => {
  const home = target.layout.controllers[controller]
  return home === undefined
    ? undefined
    : { version: home.version, directory: cgroupDirectory(home, target.path) }
}

/** Where a file may or may not exist: true when nobody looked. */
export const mayExist = (target: LimitTarget, file: string): boolean => target.interfaceFiles?.has(file) ?? true

/** For files that only some kernels have and that are not worth a failure: true only when it was seen. */
export const isSeen = (target: LimitTarget, file: string): boolean => target.interfaceFiles?.has(file) ?? false

/** A write, or a warning where the kernel has no such file. */
export const limitWrite = (
  target: LimitTarget, resource: string, directory: string, file: string, value: string | number
): LimitOutcome =>
  mayExist(target, file)
    ? { _tag: "Write", directory, file, value: String(value) }
    : problem(resource, "warning", `this kernel does not have ${file}, so ${resource} is not limited`)

/** One problem for each resource that was asked of a controller which is nowhere. */
export const unavailable = (
  target: LimitTarget, controller: Controller, resources: ReadonlyArray<string>,
  severity: ResourceProblem["severity"] = "warning"
): ReadonlyArray<ResourceProblem> => {
  const reason = target.layout.absent[controller] ?? `the ${legacyName(controller)} controller is missing`
  return resources.map((resource) => problem(resource, severity, `${reason}, so ${resource} is not limited`))
}

/** v1 writes -1 for "unlimited" in memory and CPU files, cgroup2 `max` everywhere. */
export const limitText = (version: 1 | 2, value: number): string =>
  value < 0 ? (version === 1 ? "-1" : "max") : String(value)
