/** Frozen control groups, whose processes get no turns. */
import type { Draft } from "../Draft.ts"
import type { Process } from "../processes/Process.ts"
import { schedule } from "../processes/schedule.ts"
import { alterCgroup, cgroupAt, lineOf, processesBelow } from "./cgroupTree.ts"

/** Whether any of its cgroups, or one above, is frozen. */
export const isFrozen = (draft: Draft, process: Process): boolean => {
  for (const id of process.cgroups) {
    for (let at = draft.cgroups.get(id); at !== undefined; at = draft.cgroups.get(at.parent)) {
      if (at.frozen) return true
    }
  }
  return false
}

/** Whether the freezer of v1 holds it: there even SIGKILL waits for the thaw. */
export const isFrozenByV1 = (draft: Draft, process: Process): boolean =>
  process.cgroups.some((id, index) =>
    draft.hierarchies[index]!.version === 1 && lineOf(draft, id).some((cgroup) => cgroup.frozen)
  )

export const wakeThawed = (draft: Draft, pids: ReadonlyArray<number>): void => {
  for (const pid of pids) {
    const process = draft.processes.get(pid)
    if (process?.due === true && !isFrozen(draft, process)) schedule(draft, pid, 0)
  }
}

export const setFrozen = (draft: Draft, id: number, frozen: boolean): void => {
  if (cgroupAt(draft, id).frozen === frozen) return
  alterCgroup(draft, id, { frozen })
  if (!frozen) wakeThawed(draft, processesBelow(draft, id))
}
