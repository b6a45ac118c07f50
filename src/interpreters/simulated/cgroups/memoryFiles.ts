/**
 * The memory controller: limits that bite. A charge beyond a limit wakes the OOM killer, which
 * takes the largest process of the group whose limit it is (mm/oom_kill.c).
 */
import { type Draft, fail, processOf } from "../Draft.ts"
import type { Process } from "../processes/Process.ts"
import { sendSignal, signals } from "../processes/signals.ts"
import type { Cgroup } from "../World.ts"
import {
  type CgroupFiles, counters, integer, remembered, shown, store, valueOf
} from "./CgroupFile.ts"
import {
  addEvent, cgroupAt, hierarchyOf, hierarchyWith, lineOf, processesBelow
} from "./cgroupTree.ts"
import { chargeMemory } from "./membership.ts"
import { parseMemory, showMemory, unlimitedV1 } from "./values.ts"

/** Bytes; infinite without a limit. */
export const memoryLimit = (draft: Draft, cgroup: Cgroup): number => {
  const v2 = hierarchyOf(draft, cgroup).version === 2
  const value = v2 ? cgroup.values["memory.max"] : cgroup.values["memory.limit_in_bytes"]
  return value === undefined || value === "max" || value === unlimitedV1
    ? Number.POSITIVE_INFINITY
    : Number(value)
}

const eventFile = (draft: Draft, cgroup: Cgroup): string =>
  hierarchyOf(draft, cgroup).version === 2 ? "memory.events" : "memory.oom_control"

/** oom_badness(): bytes used, and oom_score_adj thousandths of what the group may use. */
const badness = (process: Process, total: number): number =>
  process.oomScoreAdjust <= -1000
    ? Number.NEGATIVE_INFINITY
    : process.memory + (process.oomScoreAdjust / 1000) * total

const victimOf = (draft: Draft, cgroup: Cgroup): Process | undefined => {
  let victim: Process | undefined
  const total = Math.min(memoryLimit(draft, cgroup), draft.host.memoryTotal)
  for (const pid of processesBelow(draft, cgroup.id)) {
    const one = draft.processes.get(pid)
    if (
      one === undefined || one.state === "zombie" ||
      badness(one, total) === Number.NEGATIVE_INFINITY
    ) continue
    if (victim === undefined || badness(one, total) > badness(victim, total)) victim = one
  }
  return victim
}

const setMemory = (draft: Draft, pid: number, bytes: number): void => {
  const process = processOf(draft, pid)
  chargeMemory(draft, process, bytes - process.memory)
  draft.processes = draft.processes.set(pid, { ...process, memory: bytes })
}

/**
 * Kills one process, or with memory.oom.group all of its group; its memory is free at once (the OOM
 * reaper).
 */
const kill = (draft: Draft, victim: Process): void => {
  const hierarchy = hierarchyWith(draft, "memory")
  const line = lineOf(draft, victim.cgroups[hierarchy]!)
  for (const above of line) addEvent(draft, above.id, `${eventFile(draft, above)}/oom_kill`)
  const group = line.findLast((one) => valueOf(one, "memory.oom.group", "0") === "1")
  const pids = group === undefined ? [victim.pid] : processesBelow(draft, group.id)
  if (group !== undefined) addEvent(draft, group.id, "memory.events/oom_group_kill")
  for (const pid of pids) {
    const one = draft.processes.get(pid)
    if (one === undefined || one.state === "zombie") continue
    setMemory(draft, pid, 0)
    sendSignal(draft, pid, signals.SIGKILL, "kernel")
  }
}

/** Kills until the group fits its limit, or nothing can be killed. */
const enforce = (draft: Draft, id: number): void => {
  for (;;) {
    const cgroup = cgroupAt(draft, id)
    if (cgroup.memory <= memoryLimit(draft, cgroup)) return
    addEvent(draft, id, `${eventFile(draft, cgroup)}/oom`)
    const victim = victimOf(draft, cgroup)
    if (victim === undefined) return
    kill(draft, victim)
  }
}

/**
 * Sets the memory of a process: ENOMEM beyond what the host has, the OOM killer beyond a group's
 * limit. False when the killer took the process itself.
 */
export const resize = (draft: Draft, pid: number, bytes: number): boolean => {
  if (bytes > draft.host.memoryTotal) fail("ENOMEM")
  setMemory(draft, pid, bytes)
  const hierarchy = hierarchyWith(draft, "memory")
  if (hierarchy < 0) return true
  for (const cgroup of lineOf(draft, processOf(draft, pid).cgroups[hierarchy]!)) {
    const now = cgroupAt(draft, cgroup.id)
    if (now.memory > memoryLimit(draft, now)) {
      addEvent(draft, now.id, `${eventFile(draft, now)}/max`)
      enforce(draft, now.id)
    }
  }
  return !processOf(draft, pid).pending.includes(signals.SIGKILL)
}

const bytes = (name: string, initial: string): CgroupFiles =>
  remembered(name, initial, (text) => showMemory(parseMemory(text, "max"), "max"))

export const memoryFilesV2: CgroupFiles = {
  "memory.max": {
    root: false,
    read: (_draft, cgroup) => `${valueOf(cgroup, "memory.max", "max")}\n`,
    write: (draft, cgroup, text) => {
      store(draft, cgroup, "memory.max", showMemory(parseMemory(text, "max"), "max"))
      enforce(draft, cgroup.id)
    }
  },
  ...bytes("memory.high", "max"),
  ...bytes("memory.low", "0"),
  ...bytes("memory.min", "0"),
  ...bytes("memory.swap.max", "max"),
  ...bytes("memory.swap.high", "max"),
  ...integer("memory.oom.group", 0, 0, 1),
  ...shown("memory.current", (_draft, cgroup) => `${cgroup.memory}\n`),
  ...shown("memory.peak", (_draft, cgroup) => `${cgroup.memoryPeak}\n`),
  ...shown("memory.swap.current", () => "0\n"),
  ...shown(
    "memory.events",
    (_draft, cgroup) =>
      counters(cgroup, "memory.events", ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"])
  ),
  ...shown("memory.stat", (_draft, cgroup) =>
    `anon ${cgroup.memory}\nfile 0\nkernel 0\nshmem 0\n` +
    `inactive_anon 0\nactive_anon ${cgroup.memory}\n` +
    "inactive_file 0\nactive_file 0\nunevictable 0\n", true)
}

/** A limit of v1; `check` refuses one that contradicts the other. */
const limitV1 = (
  name: string,
  check: (draft: Draft, cgroup: Cgroup, limit: number) => void
): CgroupFiles => ({
  [name]: {
    root: true,
    read: (_draft, cgroup) => `${valueOf(cgroup, name, unlimitedV1)}\n`,
    write: (draft, cgroup, text) => {
      if (cgroup.parent === 0) fail("EINVAL")
      const limit = parseMemory(text, "-1")
      check(draft, cgroup, limit)
      store(draft, cgroup, name, showMemory(limit, unlimitedV1))
    }
  }
})

const limitOf = (cgroup: Cgroup, name: string): number => {
  const value = valueOf(cgroup, name, unlimitedV1)
  return value === unlimitedV1 ? Number.POSITIVE_INFINITY : Number(value)
}

export const memoryFilesV1: CgroupFiles = {
  ...limitV1("memory.limit_in_bytes", (_draft, cgroup, limit) => {
    if (limit > limitOf(cgroup, "memory.memsw.limit_in_bytes")) fail("EINVAL")
    // Nothing here can be reclaimed, and v1 does not kill to make a limit fit
    if (limit < cgroup.memory) fail("EBUSY")
  }),
  ...limitV1("memory.memsw.limit_in_bytes", (_draft, cgroup, limit) => {
    if (limit < limitOf(cgroup, "memory.limit_in_bytes")) fail("EINVAL")
    if (limit < cgroup.memory) fail("EBUSY")
  }),
  ...limitV1("memory.soft_limit_in_bytes", () => undefined),
  // Accepted and ignored since 6.0
  "memory.kmem.limit_in_bytes": {
    root: true,
    read: () => `${unlimitedV1}\n`,
    write: () => undefined
  },
  ...integer("memory.swappiness", 60, 0, 200, "EINVAL", true),
  ...remembered("memory.use_hierarchy", "1", (text) => text === "1" ? text : fail("EINVAL"), true),
  "memory.oom_control": {
    root: true,
    read: (_draft, cgroup) =>
      `oom_kill_disable ${valueOf(cgroup, "memory.oom_control", "0")}\nunder_oom 0\n` +
      counters(cgroup, "memory.oom_control", ["oom_kill"]),
    write: (draft, cgroup, text) => {
      if (cgroup.parent === 0 || (text !== "0" && text !== "1")) fail("EINVAL")
      store(draft, cgroup, "memory.oom_control", text)
    }
  },
  ...shown("memory.usage_in_bytes", (_draft, cgroup) => `${cgroup.memory}\n`, true),
  ...shown("memory.memsw.usage_in_bytes", (_draft, cgroup) => `${cgroup.memory}\n`, true),
  ...shown("memory.max_usage_in_bytes", (_draft, cgroup) => `${cgroup.memoryPeak}\n`, true),
  ...shown(
    "memory.failcnt",
    (_draft, cgroup) => `${cgroup.events["memory.oom_control/max"] ?? 0}\n`,
    true
  ),
  ...shown("memory.stat", (draft, cgroup) => {
    const least = Math.min(...lineOf(draft, cgroup.id).map((one) => memoryLimit(draft, one)))
    return `cache 0\nrss ${cgroup.memory}\nshmem 0\nmapped_file 0\nswap 0\n` +
      "inactive_file 0\nactive_file 0\n" +
      `hierarchical_memory_limit ${showMemory(least, unlimitedV1)}\n` +
      `total_cache 0\ntotal_rss ${cgroup.memory}\ntotal_inactive_file 0\n`
  }, true)
}
