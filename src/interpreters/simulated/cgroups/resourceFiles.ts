/**
 * The files of the resource controllers, with the kernel's defaults and its refusals, as seen on 6.12 and
 * 6.18 (kernel/cgroup, mm/memcontrol*.c, kernel/sched/core.c, block/blk-*.c).
 */
import { type Draft, fail } from "../Draft.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, counters, integer, remembered, shown, store, valueOf } from "./CgroupFile.ts"
import { cgroupAt } from "./cgroupTree.ts"
import { cpuUsage } from "./coreFiles.ts"
import { formatRanges, parseDisk, parseInteger, parseRanges, rangeMembers, withDeviceLine } from "./values.ts"

/** PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h). */
const pidLimit = 4_194_304

export const pidsFiles: CgroupFiles = {
  ...remembered("pids.max", "max", (text) => text === "max" ? text : String(parseInteger(text, 0, pidLimit, "EINVAL"))),
  ...shown("pids.current", (_draft, cgroup) => `${cgroup.tasks}\n`),
  ...shown("pids.peak", (_draft, cgroup) => `${cgroup.tasksPeak}\n`),
  ...shown("pids.events", (_draft, cgroup) => counters(cgroup, "pids.events", ["max"])),
  ...shown("pids.events.local", (_draft, cgroup) => counters(cgroup, "pids.events", ["max"]))
}

/** tg_set_cfs_bandwidth(): microseconds. */
const shortest = 1000
const longestPeriod = 1_000_000

const cpuMax = (text: string, _draft: Draft, cgroup: Cgroup): string => {
  const [quota = "", period = valueOf(cgroup, "cpu.max", "max 100000").split(" ")[1]!] = text.split(/\s+/)
  const micros = parseInteger(period, shortest, longestPeriod, "EINVAL")
  return quota === "max" ? `max ${micros}` : `${parseInteger(quota, shortest, 2 ** 44, "EINVAL")} ${micros}`
}

const whenNotIdle = (parse: (text: string) => string) => (text: string, _draft: Draft, cgroup: Cgroup): string =>
  valueOf(cgroup, "cpu.idle", "0") === "1" ? fail("EINVAL") : parse(text)

export const cpuFilesV2: CgroupFiles = {
  ...remembered(
    "cpu.weight", (_draft, cgroup) => valueOf(cgroup, "cpu.idle", "0") === "1" ? "1" : "100",
    whenNotIdle((text) => String(parseInteger(text, 1, 10_000, "ERANGE")))
  ),
  ...remembered("cpu.weight.nice", "0", whenNotIdle((text) => String(parseInteger(text, -20, 19, "ERANGE")))),
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
const ratio = (cgroup: Cgroup, quota = valueOf(cgroup, "cpu.cfs_quota_us", "-1"),
  period = valueOf(cgroup, "cpu.cfs_period_us", "100000")): number =>
  quota === "-1" ? Number.POSITIVE_INFINITY : Number(quota) / Number(period)

/** A v1 child may not have more than its parent, nor a parent less than a child. */
const requireRatio = (draft: Draft, cgroup: Cgroup, wanted: number): void => {
  const above = cgroup.parent === 0 ? Number.POSITIVE_INFINITY : ratio(cgroupAt(draft, cgroup.parent))
  const most = Math.max(0, ...cgroup.children.values.map((child) => {
    const own = ratio(cgroupAt(draft, child))
    return own === Number.POSITIVE_INFINITY ? 0 : own
  }))
  if (wanted !== Number.POSITIVE_INFINITY && (wanted > above || wanted < most)) fail("EINVAL")
}

export const cpuFilesV1: CgroupFiles = {
  // sched_group_set_shares() clamps: 2 to 2^18
  ...remembered("cpu.shares", "1024", (text) =>
    String(Math.min(Math.max(parseInteger(text, 0, Number.MAX_SAFE_INTEGER, "EINVAL"), 2), 262_144)), true),
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
  ...shown("cpu.stat", () => "nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n", true)
}

export const cpuacctFiles: CgroupFiles = {
  // Nanoseconds here, ticks of 10 ms in cpuacct.stat
  ...shown("cpuacct.usage", (draft, cgroup) => `${cpuUsage(draft, cgroup) * 1000}\n`, true),
  ...shown("cpuacct.usage_percpu", (draft, cgroup) =>
    `${[cpuUsage(draft, cgroup) * 1000, ...Array.from({ length: draft.host.cpus - 1 }, () => 0)].join(" ")} \n`, true),
  ...shown("cpuacct.stat", (draft, cgroup) => `user ${Math.floor(cpuUsage(draft, cgroup) / 10_000)}\nsystem 0\n`, true)
}

const cpus = (draft: Draft): string => formatRanges(Array.from({ length: draft.host.cpus }, (_, cpu) => cpu))

const initialRange = (draft: Draft, file: string): string => file === "cpuset.cpus" ? cpus(draft) : "0"

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
  ...shown("cpuset.cpus.effective", (draft, cgroup) => `${effective(draft, cgroup, "cpuset.cpus")}\n`, true),
  ...shown("cpuset.mems.effective", (draft, cgroup) => `${effective(draft, cgroup, "cpuset.mems")}\n`, true),
  ...remembered("cpuset.cpus.partition", "member", (text) =>
    ["member", "root", "isolated"].includes(text) ? text : fail("EINVAL"))
}

/** validate_change() of v1: within the parent, around the children, and never empty under processes. */
const parseSetV1 = (file: string) => (text: string, draft: Draft, cgroup: Cgroup): string => {
  const set = parseSet(draft, file, text)
  const members = rangeMembers(set)
  if (cgroup.parent === 0) fail("EACCES")
  const parent = cgroupAt(draft, cgroup.parent)
  const above = rangeMembers(parent.values[file] ?? (parent.parent === 0 ? initialRange(draft, file) : ""))
  const within = (some: ReadonlyArray<number>, all: ReadonlyArray<number>) => some.every((one) => all.includes(one))
  for (const child of cgroup.children.values) {
    if (!within(rangeMembers(cgroupAt(draft, child).values[file] ?? ""), members)) fail("EBUSY")
  }
  if (!within(members, above)) fail("EACCES")
  if (members.length === 0 && cgroup.processes.length > 0) fail("ENOSPC")
  return set
}

export const cpusetFilesV1: CgroupFiles = {
  ...remembered("cpuset.cpus", (draft, cgroup) => cgroup.parent === 0 ? cpus(draft) : "", parseSetV1("cpuset.cpus"), true),
  ...remembered("cpuset.mems", (_draft, cgroup) => cgroup.parent === 0 ? "0" : "", parseSetV1("cpuset.mems"), true),
  ...shown("cpuset.effective_cpus", (draft, cgroup) => `${cgroup.values["cpuset.cpus"] ?? (cgroup.parent === 0 ? cpus(draft) : "")}\n`, true),
  ...shown("cpuset.effective_mems", (_draft, cgroup) => `${cgroup.values["cpuset.mems"] ?? (cgroup.parent === 0 ? "0" : "")}\n`, true),
  ...integer("cpuset.cpu_exclusive", 0, 0, 1, "EINVAL", true),
  ...integer("cpuset.mem_exclusive", 0, 0, 1, "EINVAL", true),
  ...integer("cpuset.sched_load_balance", 1, 0, 1, "EINVAL", true),
  ...integer("cpuset.memory_migrate", 0, 0, 1, "EINVAL", true)
}

const ioKeys = ["rbps", "wbps", "riops", "wiops"] as const

/** tg_set_limit(): `major:minor key=value …`; a device without limits has no line. */
const ioMax = (text: string, draft: Draft, cgroup: Cgroup): string => {
  const [device = "", ...pairs] = text.split(/\s+/)
  const disk = parseDisk(draft, device)
  const lines = valueOf(cgroup, "io.max", "")
  const before = new Map((lines.split("\n").find((line) => line.startsWith(`${disk} `)) ?? "").split(" ").slice(1)
    .map((pair) => pair.split("=") as [string, string]))
  for (const pair of pairs) {
    const [key = "", value = ""] = pair.split("=")
    if (!(ioKeys as ReadonlyArray<string>).includes(key)) fail("EINVAL")
    if (value !== "max") parseInteger(value, 1, Number.MAX_SAFE_INTEGER, "ERANGE")
    before.set(key, value)
  }
  const values = ioKeys.map((key) => `${key}=${before.get(key) ?? "max"}`)
  return withDeviceLine(lines, disk, values.every((pair) => pair.endsWith("=max")) ? "" : values.join(" "))
}

/** `default N`, `N`, or `major:minor N`; 1 to 10,000. */
const ioWeight = (text: string, draft: Draft, cgroup: Cgroup): string => {
  const before = valueOf(cgroup, "io.weight", "default 100\n")
  const device = /^(\d+:\d+)\s+(\S+)$/.exec(text)
  if (device !== null) {
    const disk = parseDisk(draft, device[1]!)
    return withDeviceLine(before, disk, device[2] === "default" ? "" : String(parseInteger(device[2]!, 1, 10_000, "EINVAL")))
  }
  const weight = parseInteger(text.replace(/^default\s+/, ""), 1, 10_000, "EINVAL")
  return [`default ${weight}`, ...before.split("\n").slice(1)].join("\n")
}

/** Like `remembered`, for files whose value ends its own lines. */
const lines = (
  name: string, initial: string, parse: (text: string, draft: Draft, cgroup: Cgroup) => string
): CgroupFiles => ({
  [name]: {
    root: false,
    read: (_draft, cgroup) => valueOf(cgroup, name, initial),
    write: (draft, cgroup, text) => store(draft, cgroup, name, parse(text, draft, cgroup))
  }
})

export const ioFilesV2: CgroupFiles = {
  ...lines("io.max", "", ioMax),
  ...lines("io.weight", "default 100\n", ioWeight),
  ...shown("io.stat", () => "", true)
}

/** blk_throtl: `major:minor N`, 0 takes the limit away. */
const throttle = (name: string): CgroupFiles =>
  lines(name, "", (text, draft, cgroup) => {
    const [device = "", value = "", ...more] = text.split(/\s+/)
    if (more.length > 0) fail("EINVAL")
    const disk = parseDisk(draft, device)
    const limit = parseInteger(value, 0, Number.MAX_SAFE_INTEGER, "EINVAL")
    return withDeviceLine(valueOf(cgroup, name, ""), disk, limit === 0 ? "" : String(limit))
  })

const statistics = "Total 0\n"

export const blkioFilesV1: CgroupFiles = {
  ...throttle("blkio.throttle.read_bps_device"),
  ...throttle("blkio.throttle.write_bps_device"),
  ...throttle("blkio.throttle.read_iops_device"),
  ...throttle("blkio.throttle.write_iops_device"),
  ...shown("blkio.throttle.io_service_bytes", () => statistics, true),
  ...shown("blkio.throttle.io_service_bytes_recursive", () => statistics, true),
  ...shown("blkio.throttle.io_serviced", () => statistics, true),
  ...shown("blkio.throttle.io_serviced_recursive", () => statistics, true),
  ...integer("blkio.bfq.weight", 100, 1, 1000, "ERANGE"),
  ...shown("blkio.bfq.io_service_bytes_recursive", () => statistics, true),
  ...shown("blkio.bfq.io_serviced_recursive", () => statistics, true)
}

export const hugetlbFiles = (version: 1 | 2): CgroupFiles => {
  const files: Array<CgroupFiles> = []
  for (const [name, size] of [["2MB", 2 ** 21], ["1GB", 2 ** 30]] as const) {
    const parse = (text: string) => {
      if (text === (version === 2 ? "max" : "-1")) return version === 2 ? "max" : "9223372036854771712"
      return String(Math.floor(parseInteger(text, 0, Number.MAX_SAFE_INTEGER, "EINVAL") / size) * size)
    }
    if (version === 2) {
      files.push(remembered(`hugetlb.${name}.max`, "max", parse), remembered(`hugetlb.${name}.rsvd.max`, "max", parse),
        shown(`hugetlb.${name}.current`, () => "0\n"))
    } else {
      files.push(remembered(`hugetlb.${name}.limit_in_bytes`, "9223372036854771712", parse),
        remembered(`hugetlb.${name}.rsvd.limit_in_bytes`, "9223372036854771712", parse),
        shown(`hugetlb.${name}.usage_in_bytes`, () => "0\n"))
    }
  }
  return Object.assign({}, ...files)
}

export const miscFiles: CgroupFiles = { ...lines("misc.max", "", (text) => `${text}\n`), ...shown("misc.current", () => "") }

export const rdmaFiles: CgroupFiles = { ...lines("rdma.max", "", () => fail("ENODEV")), ...shown("rdma.current", () => "") }
