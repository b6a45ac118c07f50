/**
 * Freezing and killing all of a container, as steps that an interpreter performs by reading and writing files.
 * cgroup2 does both at one write (since Linux 5.2 and 5.14); v1 has the freezer, and its kill is by hand.
 */
import type { CgroupLayout } from "./CgroupLayout.ts"
import { cgroupDirectory } from "./CgroupPath.ts"

/** Of which directory a step is about. */
export interface ControlDirectory {
  readonly directory: string
  readonly version: 1 | 2
}

/** What to look at, again and again, until it holds. */
export interface Await {
  readonly awaitFile: string
  /** One whole line of that file; "" waits for the file to be empty. */
  readonly awaitText: string
}

export type ControlStep =
  | ({
    readonly _tag: "Write"
    readonly directory: string
    readonly file: string
    readonly value: string
    /** Write before each look: v1 stays FREEZING when a process was born meanwhile (freezer-subsystem.rst). */
    readonly again: boolean
  } & Await)
  /** SIGKILL to every process listed in `file` here and in all directories below, before each look. */
  | ({
    readonly _tag: "SignalEach"
    readonly directory: string
    readonly file: string
    readonly signal: "SIGKILL"
  } & Await)

const write = (
  directory: string, file: string, value: string, awaitFile: string, awaitText: string, again = false
): ControlStep => ({ _tag: "Write", directory, file, value, awaitFile, awaitText, again })

/** cgroup2 where there is one, else the freezer; undefined where nothing can freeze a container. */
export const freezerDirectory = (layout: CgroupLayout, path: string): ControlDirectory | undefined => {
  const home = layout.unified ?? layout.controllers.freezer
  return home === undefined ? undefined : { directory: cgroupDirectory(home, path), version: home.version }
}

/** Where all processes of the container are found: any hierarchy serves if there is nothing better. */
export const processDirectory = (layout: CgroupLayout, path: string): ControlDirectory | undefined => {
  const any = layout.hierarchies[0]
  return freezerDirectory(layout, path) ??
    (any === undefined ? undefined : { directory: cgroupDirectory(any, path), version: any.version })
}

export const freezeSteps = ({ directory, version }: ControlDirectory): ReadonlyArray<ControlStep> =>
  version === 2
    ? [write(directory, "cgroup.freeze", "1", "cgroup.events", "frozen 1")]
    : [write(directory, "freezer.state", "FROZEN", "freezer.state", "FROZEN", true)]

export const thawSteps = ({ directory, version }: ControlDirectory): ReadonlyArray<ControlStep> =>
  version === 2
    ? [write(directory, "cgroup.freeze", "0", "cgroup.events", "frozen 0")]
    : [write(directory, "freezer.state", "THAWED", "freezer.state", "THAWED")]

export interface KillAbility {
  /** cgroup.kill: Linux 5.14. */
  readonly killFile: boolean
  /** cgroup.freeze (Linux 5.2) or freezer.state in the directory. */
  readonly freezer: boolean
}

/**
 * Kills whatever is in the directory and below, frozen or not, and ends when nothing is left. Without
 * cgroup.kill all are frozen first, so that none can fork away from the list; the dead leave once thawed.
 */
export const killSteps = (
  control: ControlDirectory, ability: KillAbility = { killFile: control.version === 2, freezer: true }
): ReadonlyArray<ControlStep> => {
  const { directory, version } = control
  if (version === 2 && ability.killFile) {
    return [write(directory, "cgroup.kill", "1", "cgroup.events", "populated 0")]
  }
  const gone: Await = version === 2
    ? { awaitFile: "cgroup.events", awaitText: "populated 0" }
    : { awaitFile: "cgroup.procs", awaitText: "" }
  const signal: ControlStep = { _tag: "SignalEach", directory, file: "cgroup.procs", signal: "SIGKILL", ...gone }
  if (!ability.freezer) return [signal]
  // The thaw comes second to last: the signals alone empty a v1 directory only after it
  const struck: ControlStep = { ...signal, awaitFile: "", awaitText: "" }
  return [...freezeSteps(control), struck, ...thawSteps(control), signal]
}

/** Whether the text of `awaitFile` is what the step waits for. A step without such a file waits for nothing. */
export const isSettled = (step: Await, text: string): boolean =>
  step.awaitFile === "" || (step.awaitText === "" ? text.trim() === "" : text.split("\n").includes(step.awaitText))

/** File that counts OOM kills as `oom_kill N`: memory.events of cgroup2, memory.oom_control of v1. */
export const oomFile = (layout: CgroupLayout, path: string): string | undefined => {
  const home = layout.controllers.memory
  return home === undefined
    ? undefined
    : `${cgroupDirectory(home, path)}/${home.version === 1 ? "memory.oom_control" : "memory.events"}`
}
