/**
 * The tree of control groups of each hierarchy: which processes are where, and what they are
 * charged for up to the root (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/).
 */
import { type Draft, fail, takeId } from "../Draft.ts"
import * as Sorted from "../Sorted.ts"
import type { Cgroup, Hierarchy } from "../World.ts"

export const cgroupAt = (draft: Draft, id: number): Cgroup =>
  draft.cgroups.get(id) ?? fail("ENODEV")

export const alterCgroup = (draft: Draft, id: number, change: Partial<Cgroup>): void => {
  draft.cgroups = draft.cgroups.set(id, { ...cgroupAt(draft, id), ...change })
}

export const hierarchyOf = (draft: Draft, cgroup: Cgroup): Hierarchy =>
  draft.hierarchies[cgroup.hierarchy]!

/** The hierarchy that has a controller, or −1. */
export const hierarchyWith = (draft: Draft, controller: string): number =>
  draft.hierarchies.findIndex((one) => one.controllers.includes(controller))

/** The cgroup and those above it, it first. */
export const lineOf = (draft: Draft, id: number): ReadonlyArray<Cgroup> => {
  const line: Array<Cgroup> = []
  for (let at = draft.cgroups.get(id); at !== undefined; at = draft.cgroups.get(at.parent)) {
    line.push(at)
  }
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

/**
 * Controllers that act in a cgroup: those of a v1 hierarchy, or those the parent handed on (v2).
 */
export const controllersOf = (draft: Draft, cgroup: Cgroup): ReadonlyArray<string> => {
  const hierarchy = hierarchyOf(draft, cgroup)
  if (hierarchy.version === 1 || cgroup.parent === 0) return hierarchy.controllers
  return cgroupAt(draft, cgroup.parent).subtree
}

export const newCgroup = (
  draft: Draft,
  hierarchy: number,
  parent: number,
  name: string
): number => {
  const id = takeId(draft)
  draft.cgroups = draft.cgroups.set(id, {
    id,
    hierarchy,
    parent,
    name,
    children: Sorted.empty(),
    subtree: [],
    values: {},
    processes: [],
    population: 0,
    tasks: 0,
    memory: 0,
    memoryPeak: 0,
    tasksPeak: 0,
    frozen: false,
    cpu: 0,
    events: {},
    devices: 0
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
    file.startsWith("devices.") || file === "cgroup.clone_children" ||
    file === "memory.use_hierarchy" ||
    (above.values["cgroup.clone_children"] === "1" &&
      (file === "cpuset.cpus" || file === "cpuset.mems"))
  )
  return taken.length === 0 ? undefined : Object.fromEntries(taken)
}

/** rmdir(2): EBUSY while it has live processes or children. */
export const removeCgroup = (draft: Draft, id: number): void => {
  const cgroup = cgroupAt(draft, id)
  if (cgroup.parent === 0 || cgroup.children.keys.length > 0 || cgroup.population > 0) fail("EBUSY")
  const parent = cgroupAt(draft, cgroup.parent)
  alterCgroup(draft, parent.id, {
    children: Sorted.remove(parent.children, cgroup.name),
    cpu: parent.cpu + cgroup.cpu
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

export const addEvent = (draft: Draft, id: number, counter: string, times = 1): void => {
  const cgroup = cgroupAt(draft, id)
  alterCgroup(draft, id, {
    events: { ...cgroup.events, [counter]: (cgroup.events[counter] ?? 0) + times }
  })
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
