/** Which processes are in which control groups, and what the groups above count of them. */
import { type Draft, fail, processOf } from "../Draft.ts"
import type { Process } from "../processes/Process.ts"
import type { Cgroup } from "../World.ts"
import { alterCgroup, cgroupAt, hierarchyOf, lineOf } from "./cgroupTree.ts"
import { wakeThawed } from "./freezing.ts"

interface Change {
  readonly population?: number
  readonly tasks?: number
  readonly memory?: number
}

/** Adds to the counters of a cgroup and all above it. */
const count = (draft: Draft, id: number, change: Change): void => {
  for (const cgroup of lineOf(draft, id)) {
    const tasks = cgroup.tasks + (change.tasks ?? 0)
    const memory = cgroup.memory + (change.memory ?? 0)
    alterCgroup(draft, cgroup.id, {
      population: cgroup.population + (change.population ?? 0),
      tasks,
      memory,
      tasksPeak: Math.max(cgroup.tasksPeak, tasks),
      memoryPeak: Math.max(cgroup.memoryPeak, memory)
    })
  }
}

/** Counts a new process in all its cgroups. */
export const enterCgroups = (draft: Draft, process: Process): void => {
  for (const id of process.cgroups) {
    alterCgroup(draft, id, { processes: [...cgroupAt(draft, id).processes, process.pid] })
    count(draft, id, { population: 1, tasks: 1, memory: process.memory })
  }
}

/** A process dies: it no longer keeps its cgroups busy, but is charged until it is reaped. */
export const leaveCgroups = (draft: Draft, process: Process): void => {
  for (const id of process.cgroups) {
    const cgroup = cgroupAt(draft, id)
    alterCgroup(draft, id, { processes: cgroup.processes.filter((pid) => pid !== process.pid) })
    count(draft, id, { population: -1, memory: -process.memory })
  }
}

/** A zombie is reaped. */
export const releaseCgroups = (draft: Draft, process: Process): void => {
  for (const id of process.cgroups) count(draft, id, { tasks: -1 })
}

export const chargeMemory = (draft: Draft, process: Process, bytes: number): void => {
  for (const id of process.cgroups) count(draft, id, { memory: bytes })
}

/** What v2 calls a domain with internal processes: only the root may have both. */
const requireLeaf = (draft: Draft, cgroup: Cgroup): void => {
  if (
    hierarchyOf(draft, cgroup).version === 2 && cgroup.parent !== 0 && cgroup.subtree.length > 0
  ) fail("EBUSY")
}

/** Writing a pid to cgroup.procs. */
export const attachProcess = (draft: Draft, pid: number, id: number): void => {
  const process = processOf(draft, pid)
  if (process.state === "zombie") fail("ESRCH")
  const cgroup = cgroupAt(draft, id)
  const before = process.cgroups[cgroup.hierarchy]!
  if (before === id) return
  requireLeaf(draft, cgroup)
  const hierarchy = hierarchyOf(draft, cgroup)
  if (hierarchy.version === 1 && hierarchy.controllers.includes("cpuset") && cgroup.parent !== 0) {
    // cpuset_can_attach: a v1 cpuset without CPUs or memory nodes takes no process
    if (
      (cgroup.values["cpuset.cpus"] ?? "") === "" || (cgroup.values["cpuset.mems"] ?? "") === ""
    ) fail("ENOSPC")
  }
  const old = cgroupAt(draft, before)
  alterCgroup(draft, before, { processes: old.processes.filter((one) => one !== pid) })
  count(draft, before, { population: -1, tasks: -1, memory: -process.memory })
  alterCgroup(draft, id, { processes: [...cgroupAt(draft, id).processes, pid] })
  count(draft, id, { population: 1, tasks: 1, memory: process.memory })
  draft.processes = draft.processes.set(pid, {
    ...process,
    cgroups: process.cgroups.with(cgroup.hierarchy, id)
  })
  wakeThawed(draft, [pid])
}
