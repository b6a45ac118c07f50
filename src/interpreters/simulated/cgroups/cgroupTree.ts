/**
 * The tree of control groups of each hierarchy: which processes are where, and what they are charged for
 * up to the root (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/).
 */
import { type Draft, fail, processOf, takeId } from "../Draft.ts"
import type { Process } from "../processes/Process.ts"
import { schedule } from "../processes/schedule.ts"
import * as Sorted from "../Sorted.ts"
import type { Cgroup, Hierarchy } from "../World.ts"

export const cgroupAt = (draft: Draft, id: number): Cgroup => draft.cgroups.get(id) ?? fail("ENODEV")

export const alterCgroup = (draft: Draft, id: number, change: Partial<Cgroup>): void => {
  draft.cgroups = draft.cgroups.set(id, { ...cgroupAt(draft, id), ...change })
}

export const hierarchyOf = (draft: Draft, cgroup: Cgroup): Hierarchy => draft.hierarchies[cgroup.hierarchy]!

/** The hierarchy that has a controller, or −1. */
export const hierarchyWith = (draft: Draft, controller: string): number =>
  draft.hierarchies.findIndex((one) => one.controllers.includes(controller))

/** The cgroup and those above it, it first. */
export const lineOf = (draft: Draft, id: number): ReadonlyArray<Cgroup> => {
  const line: Array<Cgroup> = []
  for (let at = draft.cgroups.get(id); at !== undefined; at = draft.cgroups.get(at.parent)) line.push(at)
  return line
}

/** The cgroup and all below it, it first. */
export const subtreeOf = (draft: Draft, id: number): ReadonlyArray<Cgroup> => {
  const all = [cgroupAt(draft, id)]
  for (let at = 0; at < all.length; at++) {
    for (const child of all[at]!.children.values) all.push(cgroupAt(draft, child))
  }
  return all
}

export const processesBelow = (draft: Draft, id: number): ReadonlyArray<number> =>
  subtreeOf(draft, id).flatMap((cgroup) => cgroup.processes)

/** Controllers that act in a cgroup: those of a v1 hierarchy, or those the parent handed on (v2). */
export const controllersOf = (draft: Draft, cgroup: Cgroup): ReadonlyArray<string> => {
  const hierarchy = hierarchyOf(draft, cgroup)
  if (hierarchy.version === 1 || cgroup.parent === 0) return hierarchy.controllers
  return cgroupAt(draft, cgroup.parent).subtree
}

export const newCgroup = (draft: Draft, hierarchy: number, parent: number, name: string): number => {
  const id = takeId(draft)
  draft.cgroups = draft.cgroups.set(id, {
    id, hierarchy, parent, name, children: Sorted.empty(), subtree: [], values: {}, processes: [], population: 0,
    tasks: 0, memory: 0, memoryPeak: 0, tasksPeak: 0, frozen: false, cpu: 0, events: {}, devices: 0
  })
  return id
}

/** cgroup.max.depth and cgroup.max.descendants of everything above: EAGAIN. */
const requireRoom = (draft: Draft, parent: Cgroup): void => {
  let depth = 1
  for (const above of lineOf(draft, parent.id)) {
    const deepest = above.values["cgroup.max.depth"] ?? "max"
    const most = above.values["cgroup.max.descendants"] ?? "max"
    if (deepest !== "max" && depth > Number(deepest)) fail("EAGAIN")
    if (most !== "max" && subtreeOf(draft, above.id).length - 1 >= Number(most)) fail("EAGAIN")
    depth++
  }
}

/** mkdir(2): the name is free. */
export const makeCgroup = (draft: Draft, parent: number, name: string): number => {
  if (name.includes("\n")) fail("EINVAL")
  const above = cgroupAt(draft, parent)
  if (hierarchyOf(draft, above).version === 2) requireRoom(draft, above)
  const id = newCgroup(draft, above.hierarchy, parent, name)
  alterCgroup(draft, parent, { children: Sorted.set(above.children, name, id) })
  const inherited = inheritedValues(draft, above)
  if (inherited !== undefined) alterCgroup(draft, id, { values: inherited })
  return id
}

/** What a v1 child takes over: the device rules, and the cpuset with cgroup.clone_children. */
const inheritedValues = (draft: Draft, above: Cgroup): Cgroup["values"] | undefined => {
  if (hierarchyOf(draft, above).version === 2) return undefined
  const taken = Object.entries(above.values).filter(([file]) =>
    file.startsWith("devices.") || file === "cgroup.clone_children" || file === "memory.use_hierarchy" ||
    (above.values["cgroup.clone_children"] === "1" && (file === "cpuset.cpus" || file === "cpuset.mems"))
  )
  return taken.length === 0 ? undefined : Object.fromEntries(taken)
}

/** rmdir(2): EBUSY while it has live processes or children. */
export const removeCgroup = (draft: Draft, id: number): void => {
  const cgroup = cgroupAt(draft, id)
  if (cgroup.parent === 0 || cgroup.children.keys.length > 0 || cgroup.population > 0) fail("EBUSY")
  const parent = cgroupAt(draft, cgroup.parent)
  alterCgroup(draft, parent.id, {
    children: Sorted.remove(parent.children, cgroup.name), cpu: parent.cpu + cgroup.cpu
  })
  draft.cgroups = draft.cgroups.remove(id)
  if (cgroup.tasks === 0) return
  // Zombies stay charged to what is above
  draft.processes.forEach((process, pid) => {
    if (process.cgroups[cgroup.hierarchy] !== id) return
    const cgroups = process.cgroups.with(cgroup.hierarchy, cgroup.parent)
    draft.processes = draft.processes.set(pid, { ...process, cgroups })
  })
}

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
      population: cgroup.population + (change.population ?? 0), tasks, memory,
      tasksPeak: Math.max(cgroup.tasksPeak, tasks), memoryPeak: Math.max(cgroup.memoryPeak, memory)
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
  if (hierarchyOf(draft, cgroup).version === 2 && cgroup.parent !== 0 && cgroup.subtree.length > 0) fail("EBUSY")
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
    if ((cgroup.values["cpuset.cpus"] ?? "") === "" || (cgroup.values["cpuset.mems"] ?? "") === "") fail("ENOSPC")
  }
  const old = cgroupAt(draft, before)
  alterCgroup(draft, before, { processes: old.processes.filter((one) => one !== pid) })
  count(draft, before, { population: -1, tasks: -1, memory: -process.memory })
  alterCgroup(draft, id, { processes: [...cgroupAt(draft, id).processes, pid] })
  count(draft, id, { population: 1, tasks: 1, memory: process.memory })
  draft.processes = draft.processes.set(pid, { ...process, cgroups: process.cgroups.with(cgroup.hierarchy, id) })
  wakeThawed(draft, [pid])
}

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

const wakeThawed = (draft: Draft, pids: ReadonlyArray<number>): void => {
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

export const addEvent = (draft: Draft, id: number, counter: string, times = 1): void => {
  const cgroup = cgroupAt(draft, id)
  alterCgroup(draft, id, { events: { ...cgroup.events, [counter]: (cgroup.events[counter] ?? 0) + times } })
}

/** The pids controller's can_fork: EAGAIN where one more would be too many. */
export const requireTaskRoom = (draft: Draft, cgroups: ReadonlyArray<number>): void => {
  const hierarchy = hierarchyWith(draft, "pids")
  if (hierarchy < 0) return
  for (const cgroup of lineOf(draft, cgroups[hierarchy]!)) {
    const most = cgroup.values["pids.max"] ?? "max"
    if (most === "max" || cgroup.tasks < Number(most)) continue
    addEvent(draft, cgroup.id, "pids.events/max")
    fail("EAGAIN")
  }
}
