/**
 * The cpu and cpuacct controllers, with the kernel's defaults and refusals (kernel/sched/core.c).
 */
import { type Draft, fail } from "../Draft.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, integer, remembered, shown, valueOf } from "./CgroupFile.ts"
import { cgroupAt } from "./cgroupTree.ts"
import { cpuUsage } from "./coreFiles.ts"
import { parseInteger } from "./values.ts"

/** tg_set_cfs_bandwidth(): microseconds. */
const shortest = 1000
const longestPeriod = 1_000_000

const cpuMax = (text: string, _draft: Draft, cgroup: Cgroup): string => {
  const [quota = "", period = valueOf(cgroup, "cpu.max", "max 100000").split(" ")[1]!] = text.split(
    /\s+/
  )
  const micros = parseInteger(period, shortest, longestPeriod, "EINVAL")
  return quota === "max"
    ? `max ${micros}`
    : `${parseInteger(quota, shortest, 2 ** 44, "EINVAL")} ${micros}`
}

const whenNotIdle =
  (parse: (text: string) => string) => (text: string, _draft: Draft, cgroup: Cgroup): string =>
    valueOf(cgroup, "cpu.idle", "0") === "1" ? fail("EINVAL") : parse(text)

export const cpuFilesV2: CgroupFiles = {
  ...remembered(
    "cpu.weight",
    (_draft, cgroup) => valueOf(cgroup, "cpu.idle", "0") === "1" ? "1" : "100",
    whenNotIdle((text) => String(parseInteger(text, 1, 10_000, "ERANGE")))
  ),
  ...remembered(
    "cpu.weight.nice",
    "0",
    whenNotIdle((text) => String(parseInteger(text, -20, 19, "ERANGE")))
  ),
  ...remembered("cpu.max", "max 100000", cpuMax),
  ...remembered("cpu.max.burst", "0", (text, _draft, cgroup) => {
    const quota = valueOf(cgroup, "cpu.max", "max 100000").split(" ")[0]!
    const burst = parseInteger(text, 0, 2 ** 44, "EINVAL")
    return quota !== "max" && burst > Number(quota) ? fail("EINVAL") : String(burst)
  }),
  ...integer("cpu.idle", 0, 0, 1),
  ...shown("cpu.stat.local", () => "throttled_usec 0\n")
}

/** CPUs that a group may use: quota over period. */
const ratio = (
  cgroup: Cgroup,
  quota = valueOf(cgroup, "cpu.cfs_quota_us", "-1"),
  period = valueOf(cgroup, "cpu.cfs_period_us", "100000")
): number => quota === "-1" ? Number.POSITIVE_INFINITY : Number(quota) / Number(period)

/** A v1 child may not have more than its parent, nor a parent less than a child. */
const requireRatio = (draft: Draft, cgroup: Cgroup, wanted: number): void => {
  const above = cgroup.parent === 0
    ? Number.POSITIVE_INFINITY
    : ratio(cgroupAt(draft, cgroup.parent))
  const most = Math.max(
    0,
    ...cgroup.children.values.map((child) => {
      const own = ratio(cgroupAt(draft, child))
      return own === Number.POSITIVE_INFINITY ? 0 : own
    })
  )
  if (wanted !== Number.POSITIVE_INFINITY && (wanted > above || wanted < most)) fail("EINVAL")
}

export const cpuFilesV1: CgroupFiles = {
  // sched_group_set_shares() clamps: 2 to 2^18
  ...remembered(
    "cpu.shares",
    "1024",
    (text) =>
      String(
        Math.min(Math.max(parseInteger(text, 0, Number.MAX_SAFE_INTEGER, "EINVAL"), 2), 262_144)
      ),
    true
  ),
  ...remembered("cpu.cfs_quota_us", "-1", (text, draft, cgroup) => {
    const quota = parseInteger(text, Number.MIN_SAFE_INTEGER, 2 ** 44, "EINVAL")
    if (quota >= 0 && quota < shortest) fail("EINVAL")
    requireRatio(draft, cgroup, ratio(cgroup, quota < 0 ? "-1" : String(quota)))
    return quota < 0 ? "-1" : String(quota)
  }),
  ...remembered("cpu.cfs_period_us", "100000", (text, draft, cgroup) => {
    const period = String(parseInteger(text, shortest, longestPeriod, "EINVAL"))
    requireRatio(draft, cgroup, ratio(cgroup, undefined, period))
    return period
  }),
  ...integer("cpu.cfs_burst_us", 0, 0, 2 ** 44),
  ...integer("cpu.rt_period_us", 1_000_000, 1, 2 ** 31, "EINVAL", true),
  ...integer("cpu.rt_runtime_us", 0, -1, 1_000_000, "EINVAL", true),
  ...integer("cpu.idle", 0, 0, 1),
  ...shown(
    "cpu.stat",
    () => "nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n",
    true
  )
}

export const cpuacctFiles: CgroupFiles = {
  // Nanoseconds here, ticks of 10 ms in cpuacct.stat
  ...shown("cpuacct.usage", (draft, cgroup) => `${cpuUsage(draft, cgroup) * 1000}\n`, true),
  ...shown(
    "cpuacct.usage_percpu",
    (draft, cgroup) => `${cpuUsage(draft, cgroup) * 1000} ${"0 ".repeat(draft.host.cpus - 1)}\n`,
    true
  ),
  ...shown(
    "cpuacct.stat",
    (draft, cgroup) => `user ${Math.floor(cpuUsage(draft, cgroup) / 10_000)}\nsystem 0\n`,
    true
  )
}
