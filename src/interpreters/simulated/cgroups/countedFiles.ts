/**
 * Controllers that count things: pids, huge pages, and what else has a number
 * (kernel/cgroup/pids.c, misc.c).
 */
import { fail } from "../Draft.ts"
import { type CgroupFiles, counters, lines, remembered, shown } from "./CgroupFile.ts"
import { parseInteger } from "./values.ts"

/** PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h). */
const pidLimit = 4_194_304

export const pidsFiles: CgroupFiles = {
  ...remembered(
    "pids.max",
    "max",
    (text) => text === "max" ? text : String(parseInteger(text, 0, pidLimit, "EINVAL"))
  ),
  ...shown("pids.current", (_draft, cgroup) => `${cgroup.tasks}\n`),
  ...shown("pids.peak", (_draft, cgroup) => `${cgroup.tasksPeak}\n`),
  ...shown("pids.events", (_draft, cgroup) => counters(cgroup, "pids.events", ["max"])),
  ...shown("pids.events.local", (_draft, cgroup) => counters(cgroup, "pids.events", ["max"]))
}

export const hugetlbFiles = (version: 1 | 2): CgroupFiles => {
  const files: Array<CgroupFiles> = []
  for (const [name, size] of [["2MB", 2 ** 21], ["1GB", 2 ** 30]] as const) {
    const parse = (text: string) => {
      if (text === (version === 2 ? "max" : "-1")) {
        return version === 2
          ? "max"
          : "9223372036854771712"
      }
      return String(
        Math.floor(parseInteger(text, 0, Number.MAX_SAFE_INTEGER, "EINVAL") / size) * size
      )
    }
    if (version === 2) {
      files.push(
        remembered(`hugetlb.${name}.max`, "max", parse),
        remembered(`hugetlb.${name}.rsvd.max`, "max", parse),
        shown(`hugetlb.${name}.current`, () => "0\n")
      )
    } else {
      files.push(
        remembered(`hugetlb.${name}.limit_in_bytes`, "9223372036854771712", parse),
        remembered(`hugetlb.${name}.rsvd.limit_in_bytes`, "9223372036854771712", parse),
        shown(`hugetlb.${name}.usage_in_bytes`, () => "0\n")
      )
    }
  }
  return Object.assign({}, ...files)
}

export const miscFiles: CgroupFiles = {
  ...lines("misc.max", "", (text) => `${text}\n`),
  ...shown("misc.current", () => "")
}

export const rdmaFiles: CgroupFiles = {
  ...lines("rdma.max", "", () => fail("ENODEV")),
  ...shown("rdma.current", () => "")
}
