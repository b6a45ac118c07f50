/** memory: limit, swap, reservation, and what only v1 has. */
import { isAsked, type Resources, unlimited } from "../Resources.ts"
import {
  homeOf, type LimitHome, type LimitOutcome, limitText, type LimitTarget, limitWrite, mayExist, problem, unavailable
} from "./LimitTarget.ts"

type Memory = NonNullable<Resources["memory"]>

const noSwapAccounting = "this kernel does not account for swap, so memory is limited without swap"

/**
 * Memory and swap together after the change; undefined: never set. Lifting the memory limit lifts a swap
 * limit that was set before, which would otherwise be below it.
 */
const totalAfter = (changed: Memory, current: Memory): number | undefined => {
  if (isAsked(changed.swap)) return changed.swap
  const before = isAsked(current.swap) ? current.swap : undefined
  return changed.limit === unlimited && before !== undefined ? unlimited : before
}

/** Greater than every limit, for comparisons. */
const amount = (value: number | undefined): number => !isAsked(value) || value < 0 ? Infinity : value

/**
 * v1 keeps memory ≤ memory + swap at every moment (mem_cgroup_resize_max in the kernel): the limit goes first
 * where it fits under the present total, else the total does.
 */
const legacySizes = (
  target: LimitTarget, directory: string, changed: Memory, current: Memory
): ReadonlyArray<LimitOutcome> => {
  const total = totalAfter(changed, current)
  const limit = isAsked(changed.limit)
    ? [limitWrite(target, "memory.limit", directory, "memory.limit_in_bytes", limitText(1, changed.limit))]
    : []
  if (total === undefined || total === (isAsked(current.swap) ? current.swap : undefined)) return limit
  if (!mayExist(target, "memory.memsw.limit_in_bytes")) {
    return total < 0 ? limit : [...limit, problem("memory.swap", "warning", noSwapAccounting)]
  }
  const swap = limitWrite(target, "memory.swap", directory, "memory.memsw.limit_in_bytes", limitText(1, total))
  const fits = amount(changed.limit ?? current.limit) <= amount(current.swap)
  return fits ? [...limit, swap] : [swap, ...limit]
}

/** cgroup2 limits swap alone, so it follows both. It goes first: then pages that memory loses find room. */
const unifiedSizes = (
  target: LimitTarget, directory: string, changed: Memory, current: Memory
): ReadonlyArray<LimitOutcome> => {
  const limitAfter = isAsked(changed.limit) ? changed.limit : current.limit
  const total = totalAfter(changed, current)
  const limit = isAsked(changed.limit)
    ? [limitWrite(target, "memory.limit", directory, "memory.max", limitText(2, changed.limit))]
    : []
  if (total === undefined || !(isAsked(changed.limit) || isAsked(changed.swap))) return limit
  if (!mayExist(target, "memory.swap.max")) {
    return total < 0 ? limit : [...limit, problem("memory.swap", "warning", noSwapAccounting)]
  }
  const alone = total < 0 || limitAfter === unlimited ? total : total - amount(limitAfter)
  return [limitWrite(target, "memory.swap", directory, "memory.swap.max", limitText(2, alone)), ...limit]
}

const sizes = (
  target: LimitTarget, home: LimitHome, changed: Memory, current: Memory
): ReadonlyArray<LimitOutcome> => {
  const limit = isAsked(changed.limit) ? changed.limit : current.limit
  const total = totalAfter(changed, current)
  if (isAsked(changed.swap) && changed.swap > 0 && !isAsked(limit)) {
    const reason = "memory and swap together cannot be limited without a memory limit: set one"
    return [problem("memory.swap", "error", reason)]
  }
  // cgroup2 has no sum: without a memory limit it takes the number for swap alone, as runc does
  const tooMuch = amount(limit) > amount(total) && (home.version === 1 || amount(limit) < Infinity)
  if (isAsked(limit) && tooMuch) {
    return [problem(
      "memory.limit", "error",
      `the memory limit of ${limitText(2, limit)} bytes is more than memory and swap together, ${total}: ` +
        "raise the latter with it"
    )]
  }
  return home.version === 1
    ? legacySizes(target, home.directory, changed, current)
    : unifiedSizes(target, home.directory, changed, current)
}

const legacyOnly = (
  target: LimitTarget, home: LimitHome, changed: Memory, current: Memory
): ReadonlyArray<LimitOutcome> => {
  const list: Array<LimitOutcome> = []
  const only = (resource: string) =>
    problem(resource, "warning", `${resource} exists on v1 control groups only and is dropped`)
  const givenBack = changed.disableOOMKiller === false && current.disableOOMKiller === true
  if (changed.disableOOMKiller === true || givenBack) {
    list.push(
      home.version === 2
        ? only("memory.disableOOMKiller")
        : limitWrite(
          target, "memory.disableOOMKiller", home.directory, "memory.oom_control", givenBack ? 0 : 1
        )
    )
  }
  if (changed.swappiness !== undefined && changed.swappiness >= 0) {
    list.push(
      home.version === 2
        ? only("memory.swappiness")
        : limitWrite(target, "memory.swappiness", home.directory, "memory.swappiness", changed.swappiness)
    )
  }
  return list
}

const askedFields = (changed: Memory): ReadonlyArray<string> => [
  ...(["limit", "swap", "reservation"] as const).filter((field) => isAsked(changed[field])),
  ...(changed.swappiness !== undefined && changed.swappiness >= 0 ? ["swappiness"] : []),
  ...(changed.disableOOMKiller === true ? ["disableOOMKiller"] : [])
].map((field) => `memory.${field}`)

/** memory.kernel has no effect: kernels since 5.16 refuse it on v1, and cgroup2 never had it. */
export const memoryLimits = (
  target: LimitTarget, changed: Memory, current: Memory
): ReadonlyArray<LimitOutcome> => {
  const home = homeOf(target, "memory")
  const kernel = isAsked(changed.kernel) && changed.kernel > 0
    ? [problem("memory.kernel", "warning", "kernel memory is part of memory.limit; a limit of its own is ignored")]
    : []
  if (home === undefined) return [...unavailable(target, "memory", askedFields(changed)), ...kernel]
  const file = home.version === 1 ? "memory.soft_limit_in_bytes" : "memory.low"
  const reservation = isAsked(changed.reservation)
    ? [limitWrite(
      target, "memory.reservation", home.directory, file, limitText(home.version, changed.reservation)
    )]
    : []
  return [
    ...sizes(target, home, changed, current), ...reservation, ...legacyOnly(target, home, changed, current),
    ...kernel
  ]
}
