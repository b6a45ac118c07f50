/** What a container has used: which control files say it on this host, and their texts read into one record. */
import type { CgroupLayout } from "./CgroupLayout.ts"
import { cgroupDirectory } from "./CgroupPath.ts"
import type { Controller } from "./Controller.ts"
import type { BlockEntry, BlockStats, CpuStats, CpuUsage, MemoryStats, Stats } from "./Stats.ts"

export type { Stats }
export { type Display, display } from "./StatsDisplay.ts"

type BlockEntries = ReadonlyArray<BlockEntry> | null

export interface StatsHost {
  /** Text of /proc/stat. */
  readonly procStat: string
  /** Bytes. */
  readonly memoryTotal: number
}

type FilesByVersion = readonly [v1: ReadonlyArray<string>, v2: ReadonlyArray<string>]

const wantedFiles: { readonly [C in Controller]?: FilesByVersion } = {
  cpuacct: [["cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.stat"], ["cpu.stat"]],
  cpu: [["cpu.stat"], ["cpu.stat"]],
  memory: [
    ["memory.stat", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt", "memory.limit_in_bytes"],
    ["memory.stat", "memory.current", "memory.max", "memory.events"]
  ],
  pids: [["pids.current", "pids.max"], ["pids.current", "pids.max"]],
  io: [["blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_serviced_recursive"], ["io.stat"]]
}

/** Which files to read, by directory. Any of them may be missing on some kernel. */
export const statsFiles = (
  layout: CgroupLayout, path: string
): ReadonlyArray<{ readonly directory: string; readonly files: ReadonlyArray<string> }> => {
  const byDirectory = new Map<string, Set<string>>()
  for (const [controller, files] of Object.entries(wantedFiles)) {
    const home = layout.controllers[controller as Controller]
    if (home === undefined) continue
    const directory = cgroupDirectory(home, path)
    const before = byDirectory.get(directory) ?? []
    byDirectory.set(directory, new Set([...before, ...files[home.version === 1 ? 0 : 1]]))
  }
  return [...byDirectory].map(([directory, files]) => ({ directory, files: [...files] }))
}

/** Texts by whole path; missing files are missing. */
export type StatsTexts = { readonly [file: string]: string }

/** A counter alone in its file; `max` is Infinity. */
const single = (text: string | undefined): number | undefined => {
  const word = text?.trim()
  if (word === undefined || word === "") return undefined
  const value = word === "max" ? Infinity : Number(word)
  return Number.isNaN(value) ? undefined : value
}

/** Lines of `name value`; others are skipped. */
const flatKeyed = (text: string | undefined): { readonly [key: string]: number } =>
  Object.fromEntries((text ?? "").split("\n").flatMap((line) => {
    const [key, value, more] = line.split(" ")
    const number = Number(value)
    const fits = key !== undefined && value !== undefined && more === undefined && !Number.isNaN(number)
    return fits ? [[key, number]] : []
  }))

/** Present keys only: what is absent must not appear in the API's JSON. */
const present = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never

/** Ticks per second of every clock in /proc and cpuacct.stat: USER_HZ, 100 on all architectures of today. */
const nanosecondsPerTick = 1e9 / 100

/** user, nice, system, idle, iowait, irq, softirq: those that Docker adds up (proc_stat(5)). */
const systemFields = 7

const systemCpu = (procStat: string): { readonly usage: number; readonly cpus: number } => {
  const lines = procStat.split("\n")
  const all = lines.find((line) => line.startsWith("cpu "))?.trim().split(/\s+/).slice(1, 1 + systemFields) ?? []
  const ticks = all.reduce((sum, field) => sum + (Number(field) || 0), 0)
  return { usage: ticks * nanosecondsPerTick, cpus: lines.filter((line) => /^cpu[0-9]/.test(line)).length }
}

type Read = (controller: Controller, file: string) => string | undefined

const cpuUsage = (version: 1 | 2 | undefined, read: Read): CpuUsage => {
  if (version === 1) {
    const modes = flatKeyed(read("cpuacct", "cpuacct.stat"))
    const each = read("cpuacct", "cpuacct.usage_percpu")?.trim().split(/\s+/).map(Number)
    return {
      total_usage: single(read("cpuacct", "cpuacct.usage")) ?? 0,
      ...present({ percpu_usage: each }),
      usage_in_kernelmode: (modes["system"] ?? 0) * nanosecondsPerTick,
      usage_in_usermode: (modes["user"] ?? 0) * nanosecondsPerTick
    }
  }
  const all = flatKeyed(version === undefined ? undefined : read("cpuacct", "cpu.stat"))
  return {
    total_usage: (all["usage_usec"] ?? 0) * 1000,
    usage_in_kernelmode: (all["system_usec"] ?? 0) * 1000,
    usage_in_usermode: (all["user_usec"] ?? 0) * 1000
  }
}

const cpuStats = (layout: CgroupLayout, read: Read, procStat: string): CpuStats => {
  const system = systemCpu(procStat)
  const bandwidth = flatKeyed(read("cpu", "cpu.stat"))
  return {
    cpu_usage: cpuUsage(layout.controllers.cpuacct?.version, read),
    system_cpu_usage: system.usage,
    online_cpus: system.cpus,
    throttling_data: {
      periods: bandwidth["nr_periods"] ?? 0,
      throttled_periods: bandwidth["nr_throttled"] ?? 0,
      throttled_time: bandwidth["throttled_time"] ?? (bandwidth["throttled_usec"] ?? 0) * 1000
    }
  }
}

const memoryStats = (version: 1 | 2 | undefined, read: Read, memoryTotal: number): MemoryStats => {
  const [usageFile, limitFile] = version === 1
    ? ["memory.usage_in_bytes", "memory.limit_in_bytes"]
    : ["memory.current", "memory.max"]
  const usage = single(read("memory", usageFile))
  const limit = single(read("memory", limitFile))
  const details = read("memory", "memory.stat")
  return present({
    usage,
    max_usage: version === 1 ? single(read("memory", "memory.max_usage_in_bytes")) : undefined,
    stats: details === undefined ? undefined : flatKeyed(details),
    failcnt: version === 1
      ? single(read("memory", "memory.failcnt"))
      : flatKeyed(read("memory", "memory.events"))["oom"],
    limit: limit === undefined ? undefined : memoryTotal > 0 ? Math.min(limit, memoryTotal) : limit
  })
}

/** v1: `8:0 Read 4096`, with a last line `Total 4096` that belongs to no device. */
const legacyEntries = (text: string | undefined): BlockEntries =>
  text === undefined ? null : text.split("\n").flatMap((line) => {
    const found = /^([0-9]+):([0-9]+) ([A-Za-z]+) ([0-9]+)$/.exec(line)
    return found === null
      ? []
      : [{ major: Number(found[1]), minor: Number(found[2]), op: found[3]!, value: Number(found[4]) }]
  })

const unifiedKeys = [["read", "rbytes"], ["write", "wbytes"]] as const

/** cgroup2: `8:0 rbytes=4096 wbytes=0 rios=1 …`; a device that was never used may have no keys. */
const unifiedEntries = (text: string | undefined): BlockEntries =>
  text === undefined ? null : text.split("\n").flatMap((line) => {
    const [device, ...pairs] = line.split(" ")
    const numbers = /^([0-9]+):([0-9]+)$/.exec(device ?? "")
    const values = new Map(pairs.map((pair) => pair.split("=") as [string, string]))
    return numbers === null ? [] : unifiedKeys.flatMap(([op, key]) => {
      const value = values.get(key)
      return value === undefined
        ? []
        : [{ major: Number(numbers[1]), minor: Number(numbers[2]), op, value: Number(value) }]
    })
  })

const blockStats = (version: 1 | 2 | undefined, read: Read): BlockStats => ({
  io_service_bytes_recursive: version === 1
    ? legacyEntries(read("io", "blkio.throttle.io_service_bytes_recursive"))
    : unifiedEntries(read("io", "io.stat")),
  io_serviced_recursive: version === 1 ? legacyEntries(read("io", "blkio.throttle.io_serviced_recursive")) : null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null
})

const pidsStats = (read: Read): Stats["pids_stats"] => {
  const limit = single(read("pids", "pids.max"))
  return present({ current: single(read("pids", "pids.current")), limit: limit === Infinity ? 0 : limit })
}

/** Never fails: what cannot be read, as of a container that has stopped, is absent or 0. */
export const parseStats = (layout: CgroupLayout, path: string, texts: StatsTexts, host: StatsHost): Stats => {
  const read: Read = (controller, file) => {
    const home = layout.controllers[controller]
    return home === undefined ? undefined : texts[`${cgroupDirectory(home, path)}/${file}`]
  }
  return {
    cpu_stats: cpuStats(layout, read, host.procStat),
    memory_stats: memoryStats(layout.controllers.memory?.version, read, host.memoryTotal),
    pids_stats: pidsStats(read),
    blkio_stats: blockStats(layout.controllers.io?.version, read),
    num_procs: 0,
    storage_stats: {}
  }
}
