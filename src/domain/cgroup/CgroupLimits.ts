/**
 * A container's resources turned into writes to control files, on whichever version each controller is. The
 * same function serves the start and an update: give it only what changed, and what was in force before.
 */
import type { CgroupLayout } from "./CgroupLayout.ts"
import { exceptionList, exceptionWrites } from "./DeviceExceptions.ts"
import { allowsAll, deviceProgram } from "./DeviceProgram.ts"
import type { DeviceRule } from "./DeviceRule.ts"
import { blockLimits } from "./limits/blockLimits.ts"
import { cpuLimits, cpusetLimits } from "./limits/cpuLimits.ts"
import {
  homeOf, type LimitOutcome, type LimitTarget, type LimitWrite, problem, type ResourceProblem, unavailable
} from "./limits/LimitTarget.ts"
import { memoryLimits } from "./limits/memoryLimits.ts"
import { hugepageLimits, pidsLimits, unifiedFiles } from "./limits/otherLimits.ts"
import { Resources } from "./Resources.ts"

export { Resources }
export type { LimitWrite, ResourceProblem }

export interface LimitOptions {
  /** In force already; absent for a fresh directory. Decides the order of writes and what a part implies. */
  readonly current?: Resources
  /**
   * Names of the files in a directory like the container's (any of the engine's, not a root: roots lack most).
   * With them, what the kernel cannot do is a problem told beforehand instead of a failing write.
   */
  readonly interfaceFiles?: ReadonlySet<string>
}

/** A BPF_PROG_TYPE_CGROUP_DEVICE program for a cgroup2 directory. */
export interface DeviceProgram {
  readonly directory: string
  /** `struct bpf_insn` array. */
  readonly program: Uint8Array
}

export interface LimitPlan {
  /** In the order in which they have to be made. */
  readonly writes: ReadonlyArray<LimitWrite>
  readonly problems: ReadonlyArray<ResourceProblem>
  readonly deviceProgram?: DeviceProgram
}

const legacyDevices = (directory: string, rules: ReadonlyArray<DeviceRule>): ReadonlyArray<LimitOutcome> => {
  const list = exceptionList(rules)
  return list._tag === "Failure"
    ? [problem("devices", "error", list.failure)]
    : exceptionWrites(list.success).map(({ file, value }) => ({ _tag: "Write", directory, file, value }))
}

/** Rules that restrict something must be in force: a container without them could open the host's disks. */
const deviceAccess = (
  target: LimitTarget, rules: ReadonlyArray<DeviceRule>
): { readonly outcomes: ReadonlyArray<LimitOutcome>; readonly program?: DeviceProgram } => {
  const home = homeOf(target, "devices")
  if (home === undefined) {
    return { outcomes: allowsAll(rules) ? [] : unavailable(target, "devices", ["devices"], "error") }
  }
  if (home.version === 1) return { outcomes: legacyDevices(home.directory, rules) }
  return allowsAll(rules)
    ? { outcomes: [] }
    : { outcomes: [], program: { directory: home.directory, program: deviceProgram(rules) } }
}

/**
 * The writes for `resources` in the container's cgroup `path`, cpuset first (v1 takes no process without one),
 * `unified` last. Resources that cannot be had here are problems, never writes that must fail.
 */
export const writes = (
  layout: CgroupLayout, path: string, resources: Resources, options: LimitOptions = {}
): LimitPlan => {
  const { current = {} } = options
  const target: LimitTarget = { layout, path, interfaceFiles: options.interfaceFiles }
  const devices = resources.devices === undefined ? undefined : deviceAccess(target, resources.devices)
  const { blockIO, cpu, memory, pids } = resources
  const outcomes: ReadonlyArray<LimitOutcome> = [
    ...(cpu === undefined ? [] : cpusetLimits(target, cpu)),
    ...(devices?.outcomes ?? []),
    ...(memory === undefined ? [] : memoryLimits(target, memory, current.memory ?? {})),
    ...(cpu === undefined ? [] : cpuLimits(target, cpu, current.cpu ?? {})),
    ...(pids === undefined ? [] : pidsLimits(target, pids)),
    ...(blockIO === undefined ? [] : blockLimits(target, blockIO)),
    ...hugepageLimits(target, resources.hugepageLimits ?? []),
    ...unifiedFiles(target, resources.unified ?? {})
  ]
  return {
    writes: outcomes.filter((outcome) => outcome._tag === "Write"),
    problems: outcomes.filter((outcome) => outcome._tag === "Problem"),
    ...(devices?.program === undefined ? {} : { deviceProgram: devices.program })
  }
}
