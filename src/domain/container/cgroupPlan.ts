/** The control-group side of a start: directories, limits, and what the supervisor has to know of them. */
import * as Result from "effect/Result"
import type { CgroupLayout } from "../cgroup/CgroupLayout.ts"
import { type ResourceProblem, writes } from "../cgroup/CgroupLimits.ts"
import {
  attachFiles, cgroupDirectory, containerDirectories, containerSteps, containerViews, controlHierarchy, type DirectoryStep,
  parentSteps
} from "../cgroup/CgroupPath.ts"
import type { Resources } from "../cgroup/Resources.ts"
import { type KernelOp, op } from "../kernel/KernelOp.ts"
import type { CgroupMount } from "./plan.ts"

/** The freezer or cgroup2 directory: where a container is frozen and killed. */
export interface CgroupControl {
  readonly directory: string
  readonly version: 1 | 2
}

export interface CgroupPlan {
  /** In order: parents where they are missing, directories, limits. */
  readonly make: ReadonlyArray<KernelOp>
  /** The container's own directories, one per hierarchy. */
  readonly directories: ReadonlyArray<string>
  readonly attach: ReadonlyArray<string>
  /** The cgroup2 directory for CLONE_INTO_CGROUP, or "". */
  readonly cloneInto: string
  readonly mounts: ReadonlyArray<CgroupMount>
  readonly control: CgroupControl | undefined
  readonly killFiles: ReadonlyArray<string>
  readonly killProcs: ReadonlyArray<string>
  readonly oomFile: string
  readonly warnings: ReadonlyArray<string>
}

/** Texts of control files by directory and name. */
export type ControlTexts = { readonly [directory: string]: { readonly [file: string]: string } }

const inherited = (step: Extract<DirectoryStep, { _tag: "Inherit" }>, texts: ControlTexts): ReadonlyArray<KernelOp> =>
  step.files.flatMap((file) => {
    if ((texts[step.directory]?.[file] ?? "").trim() !== "") return []
    for (let at = step.from; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
      const value = (texts[at]?.[file] ?? "").trim()
      if (value !== "") return [op("CgroupWrite", { directory: step.directory, file, value })]
    }
    return []
  })

const expand = (steps: ReadonlyArray<DirectoryStep>, texts: ControlTexts): ReadonlyArray<KernelOp> =>
  steps.flatMap((step): ReadonlyArray<KernelOp> => {
    switch (step._tag) {
      case "MakeDirectory":
        return [op(step.mayExist ? "CgroupEnsure" : "CgroupMake", { directory: step.directory }) as KernelOp]
      case "Write": {
        const { directory, file, value } = step
        return [op("CgroupWrite", { directory, file, value })]
      }
      case "Inherit":
        return inherited(step, texts)
    }
  })

/** Makes a parent ready for containers. */
export const parentOps = (layout: CgroupLayout, parent: string, texts: ControlTexts): ReadonlyArray<KernelOp> =>
  expand(parentSteps(layout, parent), texts)

const settle = (problems: ReadonlyArray<ResourceProblem>): Result.Result<ReadonlyArray<string>, string> => {
  const error = problems.find((one) => one.severity === "error")
  return error === undefined ? Result.succeed(problems.map((one) => one.reason)) : Result.fail(error.reason)
}

/** Where the container is frozen and killed: cgroup2 when there is one, else the freezer. */
export const controlOf = (layout: CgroupLayout, path: string): CgroupControl | undefined => {
  const home = controlHierarchy(layout)
  return home === undefined ? undefined : { directory: cgroupDirectory(home, path), version: home.version }
}

export const cgroupPlan = (options: {
  readonly layout: CgroupLayout
  /** The container's cgroup: `/fx-engine/ID`. */
  readonly path: string
  readonly resources: Resources
  /** False: its parent has yet to be made. */
  readonly parentReady: boolean
  readonly texts: ControlTexts
  readonly interfaceFiles: ReadonlySet<string> | undefined
}): Result.Result<CgroupPlan, string> => {
  const { interfaceFiles, layout, parentReady, path, resources, texts } = options
  const limits = writes(layout, path, resources, interfaceFiles === undefined ? {} : { interfaceFiles })
  const parent = path.slice(0, path.lastIndexOf("/"))
  const control = controlOf(layout, path)
  const memory = layout.controllers.memory
  return Result.map(settle(limits.problems), (warnings): CgroupPlan => ({
    make: [
      ...(parentReady ? [] : parentOps(layout, parent, texts)),
      ...expand(containerSteps(layout, path), texts),
      ...limits.writes.map(({ directory, file, value }) => op("CgroupWrite", { directory, file, value })),
      ...(limits.deviceProgram === undefined ? [] : [op("CgroupDevices", limits.deviceProgram)])
    ],
    directories: containerDirectories(layout, path),
    attach: attachFiles(layout, path),
    cloneInto: layout.unified === undefined ? "" : cgroupDirectory(layout.unified, path),
    mounts: containerViews(layout, path),
    control,
    killFiles: control?.version === 2 ? [`${control.directory}/cgroup.kill`] : [],
    killProcs: control?.version === 1 ? [`${control.directory}/cgroup.procs`] : [],
    oomFile: memory === undefined
      ? ""
      : `${cgroupDirectory(memory, path)}/${memory.version === 2 ? "memory.events" : "memory.oom_control"}`,
    warnings
  }))
}

/** The writes of an update; `current`: the resources that are in force. */
export const limitOps = (options: {
  readonly layout: CgroupLayout
  readonly path: string
  readonly resources: Resources
  readonly current: Resources
  readonly interfaceFiles: ReadonlySet<string> | undefined
}): Result.Result<{ readonly ops: ReadonlyArray<KernelOp>; readonly warnings: ReadonlyArray<string> }, string> => {
  const { current, interfaceFiles, layout, path, resources } = options
  const limits = writes(layout, path, resources, {
    current, ...(interfaceFiles === undefined ? {} : { interfaceFiles })
  })
  return Result.map(settle(limits.problems), (warnings) => ({
    ops: limits.writes.map(({ directory, file, value }) => op("CgroupWrite", { directory, file, value })),
    warnings
  }))
}
