/** The columns of `docker stats`, as numbers, from two samples (docker/cli, container/stats_helpers.go). */
import type { MemoryStats, Stats } from "./Stats.ts"

export interface Display {
  /** Of one CPU: 200 is two CPUs busy all the time. */
  readonly cpuPercent: number
  /** Bytes, without what the page cache would give back at once. */
  readonly memoryUsage: number
  /** Bytes. */
  readonly memoryLimit: number
  readonly memoryPercent: number
  /** Bytes since the container's start. */
  readonly blockRead: number
  readonly blockWrite: number
  readonly pids: number
}

/**
 * Inactive file pages are cache that costs nothing to give up, so they are not counted as used: `total_…` is
 * v1's sum over the cgroups below, which cgroup2 has in the plain field.
 */
const memoryInUse = ({ stats, usage = 0 }: MemoryStats): number => {
  const inactive = stats?.["total_inactive_file"] ?? stats?.["inactive_file"] ?? 0
  return inactive < usage ? usage - inactive : usage
}

const cpuPercent = (before: Stats | undefined, now: Stats): number => {
  const used = now.cpu_stats.cpu_usage.total_usage - (before?.cpu_stats.cpu_usage.total_usage ?? 0)
  const passed = now.cpu_stats.system_cpu_usage - (before?.cpu_stats.system_cpu_usage ?? 0)
  return used > 0 && passed > 0 ? used / passed * now.cpu_stats.online_cpus * 100 : 0
}

/** `before` undefined: since the host's start, which is what Docker shows for a first sample. */
export const display = (before: Stats | undefined, now: Stats): Display => {
  const usage = memoryInUse(now.memory_stats)
  const limit = now.memory_stats.limit ?? 0
  const bytes = (op: string) =>
    (now.blkio_stats.io_service_bytes_recursive ?? [])
      .filter((entry) => entry.op.toLowerCase() === op)
      .reduce((sum, entry) => sum + entry.value, 0)
  return {
    cpuPercent: cpuPercent(before, now),
    memoryUsage: usage,
    memoryLimit: limit,
    memoryPercent: limit > 0 ? usage / limit * 100 : 0,
    blockRead: bytes("read"),
    blockWrite: bytes("write"),
    pids: now.pids_stats.current ?? 0
  }
}
