/**
 * Whether resources make sense, before anything is done with them: the checks of docker run and update
 * (moby daemon/daemon_unix.go, verifyPlatformContainerResources). What the host cannot do is not judged here.
 */
import * as Result from "effect/Result"
import { parseCpuList } from "./CpuList.ts"
import { problem, type ResourceProblem } from "./limits/LimitTarget.ts"
import { pageSizeForm } from "./limits/otherLimits.ts"
import { isAsked, type Resources } from "./Resources.ts"
import { blockWeight, shares } from "./Weights.ts"

export interface ResourceHost {
  /** Online CPUs. */
  readonly cpuCount: number
  /** CPUs that may be asked for, as a list: cpuset.cpus.effective (v2) or cpuset.effective_cpus (v1) of the root. */
  readonly cpus: string
  /** Memory nodes, in the same way. */
  readonly memoryNodes: string
}

/** Bytes: with less not even a container's first process comes up. */
export const minimumMemory = 6 * 1024 * 1024

type Check = ReadonlyArray<ResourceProblem>

const wrong = (resource: string, reason: string): ResourceProblem => problem(resource, "error", reason)

interface Range {
  readonly minimum: number
  readonly maximum: number
}

const outside = (resource: string, value: number, range: Range, what: string): Check =>
  value < range.minimum || value > range.maximum
    ? [wrong(resource, `${what} must be from ${range.minimum} to ${range.maximum}, not ${value}`)]
    : []

/** 0 asks for nothing, -1 for no limit. */
const within = (resource: string, value: number | undefined, range: Range, what: string): Check =>
  isAsked(value) && value > 0 ? outside(resource, value, range, what) : []

const memorySizes = (memory: NonNullable<Resources["memory"]>, update: boolean): Check => {
  const { limit, reservation, swap } = memory
  const tooSmall = (resource: string, value: number | undefined): Check =>
    isAsked(value) && value > 0 && value < minimumMemory
      ? [wrong(resource, `${resource} of ${value} bytes is too small: at least 6 MiB (${minimumMemory}) is needed`)]
      : []
  const list = [...tooSmall("memory.limit", limit), ...tooSmall("memory.reservation", reservation)]
  if (isAsked(swap) && swap > 0 && !isAsked(limit) && !update) {
    const reason = "a swap limit needs a memory limit beside it: it counts memory and swap together"
    list.push(wrong("memory.swap", reason))
  }
  if (isAsked(swap) && swap > 0 && isAsked(limit) && swap < limit) {
    const reason = `memory and swap together, ${swap} bytes, must not be less than the memory limit, ${limit}`
    list.push(wrong("memory.swap", reason))
  }
  if (isAsked(reservation) && reservation > 0 && isAsked(limit) && limit > 0 && reservation > limit) {
    const reason = `a reservation of ${reservation} bytes must not be more than the memory limit, ${limit}`
    list.push(wrong("memory.reservation", reason))
  }
  return list
}

const unboundedReason =
  "without a memory limit the container can take all memory of the host, and nothing will stop it"

const memory = (asked: NonNullable<Resources["memory"]>, update: boolean): Check => {
  const { disableOOMKiller, limit, swappiness } = asked
  const unbounded = disableOOMKiller === true && !isAsked(limit) && !update
  return [
    ...memorySizes(asked, update),
    ...(swappiness !== undefined && swappiness > 100
      ? [wrong("memory.swappiness", `swappiness must be from 0 to 100, not ${swappiness}`)]
      : []),
    ...(unbounded
      ? [problem("memory.disableOOMKiller", "warning", unboundedReason)]
      : [])
  ]
}

const listCheck = (resource: string, text: string | undefined, available: string, what: string): Check => {
  const asked = parseCpuList(text ?? "", what)
  if (Result.isFailure(asked)) return [wrong(resource, asked.failure.message)]
  const host = parseCpuList(available, what)
  if (Result.isFailure(host)) return []
  const missing = asked.success.filter((number) => !host.success.includes(number))
  return missing.length === 0
    ? []
    : [wrong(resource, `this host does not have all of the ${what} ${text}: there are ${available.trim()}`)]
}

/** Microseconds; min_cfs_quota_period and max_cfs_quota_period of kernel/sched/fair.c. */
const period = { minimum: 1000, maximum: 1_000_000 } as const

const cpu = (asked: NonNullable<Resources["cpu"]>, host: ResourceHost): Check => {
  const { cpus, mems, quota, realtimePeriod, realtimeRuntime } = asked
  const overrun = isAsked(realtimeRuntime) && isAsked(realtimePeriod) && realtimeRuntime > realtimePeriod
  const overrunReason = `${realtimeRuntime} µs of real-time run time do not fit into a period of ${realtimePeriod}`
  return [
    ...within("cpu.shares", asked.shares, shares, "CPU shares"),
    ...within("cpu.period", asked.period, period, "the CPU period in microseconds"),
    ...(isAsked(quota) && quota > 0 && quota < period.minimum
      ? [wrong("cpu.quota", `a CPU quota of ${quota} µs is too small: at least 1 ms (1000) is needed`)]
      : []),
    ...(overrun ? [wrong("cpu.realtimeRuntime", overrunReason)] : []),
    ...listCheck("cpu.cpus", cpus, host.cpus, "CPUs"),
    ...listCheck("cpu.mems", mems, host.memoryNodes, "memory nodes")
  ]
}

const blockIo = (asked: NonNullable<Resources["blockIO"]>): Check => [
  ...within("blockIO.weight", asked.weight, blockWeight, "the block I/O weight"),
  ...(asked.weightDevice ?? []).flatMap(({ major, minor, weight }) =>
    outside("blockIO.weightDevice", weight, blockWeight, `the block I/O weight of ${major}:${minor}`)
  )
]

/**
 * Problems in the order of the fields; those of severity `error` forbid the container. `update`: the fields
 * are changes to a container that may have the rest already.
 */
export const validateResources = (
  resources: Resources, host: ResourceHost, update = false
): ReadonlyArray<ResourceProblem> => [
  ...(resources.memory === undefined ? [] : memory(resources.memory, update)),
  ...(resources.cpu === undefined ? [] : cpu(resources.cpu, host)),
  ...(resources.blockIO === undefined ? [] : blockIo(resources.blockIO)),
  ...(resources.hugepageLimits ?? []).filter(({ pageSize }) => !pageSizeForm.test(pageSize)).map(({ pageSize }) =>
    wrong("hugepageLimits", `${JSON.stringify(pageSize.slice(0, 40))} is no page size: write it like 2MB`)
  )
]

/**
 * `--cpus`, in billionths of a CPU as Docker's API has it (NanoCpus), beside the options that say the same in
 * another way. `before`: of a container to be updated.
 */
export const validateCpus = (
  asked: { readonly nanoCpus?: number; readonly quota?: number; readonly period?: number },
  cpuCount: number,
  before: { readonly nanoCpus?: number; readonly quota?: number; readonly period?: number } = {}
): ReadonlyArray<ResourceProblem> => {
  const list: Array<ResourceProblem> = []
  const cpus = asked.nanoCpus
  if (isAsked(cpus) && (cpus < 0 || cpus > cpuCount * 1e9)) {
    const reason = `the number of CPUs must be more than 0 and at most ${cpuCount}, which this host has`
    list.push(wrong("cpu", `${reason}, not ${cpus / 1e9}`))
  }
  const had = (what: string, other: string, cure: string) =>
    wrong("cpu", `the container has a ${what}, which excludes a ${other}: change the ${cure} instead`)
  for (const field of ["quota", "period"] as const) {
    if (isAsked(cpus) && isAsked(asked[field])) {
      list.push(wrong("cpu", `a number of CPUs and a CPU ${field} exclude each other: give one of them`))
    } else if (isAsked(cpus) && isAsked(before[field])) {
      list.push(had(`CPU ${field}`, "number of CPUs", field))
    } else if (isAsked(before.nanoCpus) && isAsked(asked[field])) {
      list.push(had("number of CPUs", `CPU ${field}`, "number"))
    }
  }
  return list
}
