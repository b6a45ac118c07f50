/** The cpuset controller: CPUs and memory nodes of a group (kernel/cgroup/cpuset*.c). */
import { type Draft, fail } from "../Draft.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, integer, remembered, shown } from "./CgroupFile.ts"
import { cgroupAt } from "./cgroupTree.ts"
import { formatRanges, parseRanges, rangeMembers } from "./values.ts"

const cpus = (draft: Draft): string =>
  formatRanges(Array.from({ length: draft.host.cpus }, (_, cpu) => cpu))

const initialRange = (draft: Draft, file: string): string =>
  file === "cpuset.cpus" ? cpus(draft) : "0"

/** CPUs or memory nodes that are really used: the nearest set above that is not empty. */
const effective = (draft: Draft, cgroup: Cgroup, file: string): string => {
  const own = cgroup.values[file] ?? ""
  if (cgroup.parent === 0) return own === "" ? initialRange(draft, file) : own
  const above = effective(draft, cgroupAt(draft, cgroup.parent), file)
  const members = rangeMembers(own).filter((one) => rangeMembers(above).includes(one))
  return members.length === 0 ? above : formatRanges(members)
}

/** A memory node that is not online is EINVAL, a CPU that can't be ERANGE. */
const parseSet = (draft: Draft, file: string, text: string): string => {
  const members = parseRanges(text, file === "cpuset.cpus" ? draft.host.cpus : 1024)
  if (file === "cpuset.mems" && rangeMembers(members).some((node) => node !== 0)) fail("EINVAL")
  return members
}

export const cpusetFilesV2: CgroupFiles = {
  ...remembered("cpuset.cpus", "", (text, draft) => parseSet(draft, "cpuset.cpus", text)),
  ...remembered("cpuset.mems", "", (text, draft) => parseSet(draft, "cpuset.mems", text)),
  ...shown(
    "cpuset.cpus.effective",
    (draft, cgroup) => `${effective(draft, cgroup, "cpuset.cpus")}\n`,
    true
  ),
  ...shown(
    "cpuset.mems.effective",
    (draft, cgroup) => `${effective(draft, cgroup, "cpuset.mems")}\n`,
    true
  ),
  ...remembered(
    "cpuset.cpus.partition",
    "member",
    (text) => ["member", "root", "isolated"].includes(text) ? text : fail("EINVAL")
  )
}

/**
 * validate_change() of v1: within the parent, around the children, and never empty under processes.
 */
const parseSetV1 = (file: string) => (text: string, draft: Draft, cgroup: Cgroup): string => {
  const set = parseSet(draft, file, text)
  const members = rangeMembers(set)
  if (cgroup.parent === 0) fail("EACCES")
  const parent = cgroupAt(draft, cgroup.parent)
  const above = rangeMembers(
    parent.values[file] ?? (parent.parent === 0 ? initialRange(draft, file) : "")
  )
  const within = (some: ReadonlyArray<number>, all: ReadonlyArray<number>) =>
    some.every((one) => all.includes(one))
  for (const child of cgroup.children.values) {
    if (!within(rangeMembers(cgroupAt(draft, child).values[file] ?? ""), members)) fail("EBUSY")
  }
  if (!within(members, above)) fail("EACCES")
  if (members.length === 0 && cgroup.processes.length > 0) fail("ENOSPC")
  return set
}

export const cpusetFilesV1: CgroupFiles = {
  ...remembered(
    "cpuset.cpus",
    (draft, cgroup) => cgroup.parent === 0 ? cpus(draft) : "",
    parseSetV1("cpuset.cpus"),
    true
  ),
  ...remembered(
    "cpuset.mems",
    (_draft, cgroup) => cgroup.parent === 0 ? "0" : "",
    parseSetV1("cpuset.mems"),
    true
  ),
  ...shown(
    "cpuset.effective_cpus",
    (draft, cgroup) =>
      `${cgroup.values["cpuset.cpus"] ?? (cgroup.parent === 0 ? cpus(draft) : "")}\n`,
    true
  ),
  ...shown(
    "cpuset.effective_mems",
    (_draft, cgroup) => `${cgroup.values["cpuset.mems"] ?? (cgroup.parent === 0 ? "0" : "")}\n`,
    true
  ),
  ...integer("cpuset.cpu_exclusive", 0, 0, 1, "EINVAL", true),
  ...integer("cpuset.mem_exclusive", 0, 0, 1, "EINVAL", true),
  ...integer("cpuset.sched_load_balance", 1, 0, 1, "EINVAL", true),
  ...integer("cpuset.memory_migrate", 0, 0, 1, "EINVAL", true)
}
