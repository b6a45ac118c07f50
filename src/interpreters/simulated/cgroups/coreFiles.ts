/**
 * The files that every control group has, whatever its controllers: cgroup.procs and its
 * neighbours.
 */
import { current, type Draft, fail } from "../Draft.ts"
import { sendSignal, signals } from "../processes/signals.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, integer, remembered, shown, store } from "./CgroupFile.ts"
import { alterCgroup, cgroupAt, controllersOf, processesBelow, subtreeOf } from "./cgroupTree.ts"
import { setFrozen } from "./freezing.ts"
import { attachProcess } from "./membership.ts"
import { parseInteger } from "./values.ts"

/** Pids of a cgroup as the reader's pid namespace has them; 0 for what it can't see. */
const pidLines = (draft: Draft, cgroup: Cgroup): string => {
  const reader = draft.processes.get(draft.current)
  const namespace = reader?.namespaces.pid ?? draft.initial.pid
  return cgroup.processes.map((pid) => {
    const seen = draft.processes.get(pid)?.pids.find((one) => one.namespace === namespace)
    return `${seen?.pid ?? 0}\n`
  }).join("")
}

const attach = (draft: Draft, cgroup: Cgroup, text: string): void => {
  const number = parseInteger(text, 0, 2 ** 31 - 1, "EINVAL")
  const caller = current(draft)
  if (number === 0) return attachProcess(draft, caller.pid, cgroup.id)
  const target = draft.processes.values().find((one) =>
    one.pids.some((pid) => pid.namespace === caller.namespaces.pid && pid.pid === number)
  )
  attachProcess(draft, (target ?? fail("ESRCH")).pid, cgroup.id)
}

const procs = (name: string): CgroupFiles => ({
  [name]: { root: true, read: pidLines, write: attach }
})

export const coreFilesV1: CgroupFiles = {
  ...procs("cgroup.procs"),
  ...procs("tasks"),
  ...integer("cgroup.clone_children", 0, 0, 1, "EINVAL", true),
  ...integer("notify_on_release", 0, 0, 1, "EINVAL", true)
}

/** In the root of a v1 hierarchy only. */
export const rootFilesV1: CgroupFiles = {
  ...remembered("release_agent", "", (text) => text, true),
  ...shown("cgroup.sane_behavior", () => "0\n", true)
}

/**
 * Every name that some kernel has a controller for: others are EINVAL, these ENOENT when not there.
 */
const known: ReadonlySet<string> = new Set([
  "cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc", "perf_event", "dmem"
])

/** cgroup_subtree_control_write(): `+name -name …`, all or nothing. */
const control = (draft: Draft, cgroup: Cgroup, text: string): void => {
  const available = controllersOf(draft, cgroup)
  let subtree = cgroup.subtree
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    const name = word.slice(1)
    if ((word[0] !== "+" && word[0] !== "-") || !known.has(name)) fail("EINVAL")
    subtree = subtree.filter((one) => one !== name)
    if (word[0] === "-") continue
    if (!available.includes(name)) fail("ENOENT")
    subtree = [...subtree, name]
  }
  const added = subtree.filter((name) => !cgroup.subtree.includes(name))
  const removed = cgroup.subtree.filter((name) => !subtree.includes(name))
  if (added.length > 0 && cgroup.parent !== 0 && cgroup.processes.length > 0) fail("EBUSY")
  for (const child of cgroup.children.values) {
    if (cgroupAt(draft, child).subtree.some((name) => removed.includes(name))) fail("EBUSY")
  }
  alterCgroup(draft, cgroup.id, { subtree: available.filter((name) => subtree.includes(name)) })
}

const isFrozenSubtree = (draft: Draft, cgroup: Cgroup): boolean => {
  for (let at: Cgroup | undefined = cgroup; at !== undefined; at = draft.cgroups.get(at.parent)) {
    if (at.frozen) return true
  }
  return false
}

const limit = (name: string): CgroupFiles =>
  remembered(
    name,
    "max",
    (text) => text === "max" ? text : String(parseInteger(text, 0, 2 ** 31 - 1, "ERANGE")),
    true
  )

const pressure =
  "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"

/** Kills everything in the cgroup and below, frozen or not. */
export const killBelow = (draft: Draft, id: number): void => {
  for (const pid of processesBelow(draft, id)) sendSignal(draft, pid, signals.SIGKILL, "kernel")
}

export const cpuUsage = (draft: Draft, cgroup: Cgroup): number => {
  let micros = 0
  for (const one of subtreeOf(draft, cgroup.id)) micros += one.cpu
  return micros
}

export const coreFilesV2: CgroupFiles = {
  ...procs("cgroup.procs"),
  ...procs("cgroup.threads"),
  ...shown(
    "cgroup.controllers",
    (draft, cgroup) => `${controllersOf(draft, cgroup).join(" ")}\n`,
    true
  ),
  "cgroup.subtree_control": {
    root: true,
    read: (_draft, cgroup) => `${cgroup.subtree.join(" ")}\n`,
    write: control
  },
  ...limit("cgroup.max.depth"),
  ...limit("cgroup.max.descendants"),
  ...shown(
    "cgroup.stat",
    (draft, cgroup) =>
      `nr_descendants ${subtreeOf(draft, cgroup.id).length - 1}\nnr_dying_descendants 0\n`,
    true
  ),
  ...shown("cpu.pressure", () => pressure, true),
  ...shown("io.pressure", () => pressure, true),
  ...shown("memory.pressure", () => pressure, true),
  ...integer("cgroup.pressure", 1, 0, 1, "ERANGE", true),
  ...shown("cpu.stat", (draft, cgroup) => {
    const micros = cpuUsage(draft, cgroup)
    const base = `usage_usec ${micros}\nuser_usec ${micros}\nsystem_usec 0\nnice_usec 0\n`
    const throttled = "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n"
    return cgroup.parent !== 0 && controllersOf(draft, cgroup).includes("cpu")
      ? base + throttled
      : base
  }, true),
  ...shown("cgroup.events", (draft, cgroup) =>
    `populated ${Number(cgroup.population > 0)}\n` +
    `frozen ${Number(isFrozenSubtree(draft, cgroup))}\n`),
  "cgroup.freeze": {
    root: false,
    read: (_draft, cgroup) => `${cgroup.frozen ? 1 : 0}\n`,
    write: (draft, cgroup, text) =>
      setFrozen(draft, cgroup.id, parseInteger(text, 0, 1, "ERANGE") === 1)
  },
  "cgroup.kill": {
    root: false,
    write: (draft, cgroup, text) => {
      parseInteger(text, 1, 1, "ERANGE")
      killBelow(draft, cgroup.id)
    }
  },
  "cgroup.type": {
    root: false,
    read: (_draft, cgroup) => `${cgroup.values["cgroup.type"] ?? "domain"}\n`,
    write: (draft, cgroup, text) => {
      if (text !== "threaded") fail("EINVAL")
      store(draft, cgroup, "cgroup.type", "threaded")
    }
  }
}

export const freezerFilesV1: CgroupFiles = {
  "freezer.state": {
    root: false,
    read: (draft, cgroup) => `${isFrozenSubtree(draft, cgroup) ? "FROZEN" : "THAWED"}\n`,
    write: (draft, cgroup, text) => {
      if (text !== "FROZEN" && text !== "THAWED") fail("EINVAL")
      setFrozen(draft, cgroup.id, text === "FROZEN")
    }
  },
  ...shown("freezer.self_freezing", (_draft, cgroup) => `${cgroup.frozen ? 1 : 0}\n`),
  ...shown(
    "freezer.parent_freezing",
    (draft, cgroup) =>
      `${cgroup.parent !== 0 && isFrozenSubtree(draft, cgroupAt(draft, cgroup.parent)) ? 1 : 0}\n`
  )
}
