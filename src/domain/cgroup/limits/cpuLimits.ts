/** cpu and cpuset: weight, bandwidth, real-time budget, and which CPUs and memory nodes. */
import { isAsked, type Resources } from "../Resources.ts"
import { weightOfShares } from "../Weights.ts"
import {
  homeOf, type LimitHome, type LimitOutcome, limitText, type LimitTarget, limitWrite, problem, unavailable
} from "./LimitTarget.ts"

type Cpu = NonNullable<Resources["cpu"]>

/** Microseconds; default_cfs_period of kernel/sched/fair.c. */
const defaultPeriod = 100_000
/** Microseconds; global_rt_period of kernel/sched/rt.c, where a new group begins with no run time. */
const defaultRealtimePeriod = 1_000_000

/** A group that is idle has a fixed weight and refuses another: the weight goes before or after accordingly. */
const weight = (target: LimitTarget, home: LimitHome, changed: Cpu): ReadonlyArray<LimitOutcome> => {
  const shares = isAsked(changed.shares)
    ? [home.version === 1
      ? limitWrite(target, "cpu.shares", home.directory, "cpu.shares", changed.shares)
      : limitWrite(target, "cpu.shares", home.directory, "cpu.weight", weightOfShares(changed.shares))]
    : []
  if (changed.idle === undefined) return shares
  const idle = limitWrite(target, "cpu.idle", home.directory, "cpu.idle", changed.idle)
  return changed.idle === 1 ? [...shares, idle] : [idle, ...shares]
}

/**
 * v1 has two files, and a parent with a quota of its own checks quota / period at each write
 * (tg_cfs_schedulable_down): a longer period first, a shorter one last, never exceeds both old and new.
 */
const legacyBandwidth = (
  target: LimitTarget, directory: string, changed: Cpu, current: Cpu
): ReadonlyArray<LimitOutcome> => {
  const period = isAsked(changed.period)
    ? [limitWrite(target, "cpu.period", directory, "cpu.cfs_period_us", changed.period)]
    : []
  const quota = isAsked(changed.quota)
    ? [limitWrite(target, "cpu.quota", directory, "cpu.cfs_quota_us", limitText(1, changed.quota))]
    : []
  const before = isAsked(current.period) ? current.period : defaultPeriod
  return (changed.period ?? 0) >= before ? [...period, ...quota] : [...quota, ...period]
}

const bandwidth = (
  target: LimitTarget, home: LimitHome, changed: Cpu, current: Cpu
): ReadonlyArray<LimitOutcome> => {
  if (!isAsked(changed.quota) && !isAsked(changed.period)) return []
  if (home.version === 1) return legacyBandwidth(target, home.directory, changed, current)
  const first = (...values: ReadonlyArray<number | undefined>) => values.find(isAsked)
  const quota = limitText(2, first(changed.quota, current.quota) ?? -1)
  const period = first(changed.period, current.period) ?? defaultPeriod
  return [limitWrite(target, "cpu.quota", home.directory, "cpu.max", `${quota} ${period}`)]
}

/** The run time may not exceed the period in between: it goes first where the present one would. */
const realtime = (
  target: LimitTarget, home: LimitHome, changed: Cpu, current: Cpu
): ReadonlyArray<LimitOutcome> => {
  const fields = (["realtimeRuntime", "realtimePeriod"] as const).filter((field) => isAsked(changed[field]))
  if (home.version === 2) {
    const reason = "real-time CPU time is limited by v1 control groups only: run without this limit"
    return fields.map((field) => problem(`cpu.${field}`, "error", reason))
  }
  const write = (field: typeof fields[number], file: string): ReadonlyArray<LimitOutcome> =>
    fields.includes(field)
      ? [limitWrite(target, `cpu.${field}`, home.directory, file, limitText(1, changed[field]!))]
      : []
  const runtime = write("realtimeRuntime", "cpu.rt_runtime_us")
  const period = write("realtimePeriod", "cpu.rt_period_us")
  const after = changed.realtimePeriod ?? current.realtimePeriod ?? defaultRealtimePeriod
  return (current.realtimeRuntime ?? 0) <= after ? [...period, ...runtime] : [...runtime, ...period]
}

export const cpuLimits = (target: LimitTarget, changed: Cpu, current: Cpu): ReadonlyArray<LimitOutcome> => {
  const home = homeOf(target, "cpu")
  if (home !== undefined) {
    return [
      ...weight(target, home, changed), ...bandwidth(target, home, changed, current),
      ...realtime(target, home, changed, current)
    ]
  }
  const asked = (["shares", "quota", "period", "realtimeRuntime", "realtimePeriod"] as const)
    .filter((field) => isAsked(changed[field]))
  const fields = [...asked, ...(changed.idle === undefined ? [] : ["idle"])]
  return unavailable(target, "cpu", fields.map((field) => `cpu.${field}`))
}

/** The same two files on both versions. */
export const cpusetLimits = (target: LimitTarget, changed: Cpu): ReadonlyArray<LimitOutcome> => {
  const fields = (["cpus", "mems"] as const).filter((field) => (changed[field] ?? "") !== "")
  const home = homeOf(target, "cpuset")
  return home === undefined
    ? unavailable(target, "cpuset", fields.map((field) => `cpu.${field}`))
    : fields.map((field) =>
      limitWrite(target, `cpu.${field}`, home.directory, `cpuset.${field}`, changed[field]!)
    )
}
