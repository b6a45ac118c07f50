/** The list format of cpuset files and of `--cpuset-cpus`: `0-3,7` (cpuset(7), "List format"). */
import * as Result from "effect/Result"
import { type CgroupError, refuse } from "./CgroupError.ts"

/** CONFIG_NR_CPUS is at most 8192 (arch/x86/Kconfig); memory nodes are fewer. */
export const maximumCpus = 8192

const longestText = 64 * 1024

/**
 * The numbers in ascending order, each once. An empty list is allowed, as in the kernel's files. `what` is
 * `CPUs` or `memory nodes`, for the error.
 */
export const parseCpuList = (text: string, what: string): Result.Result<ReadonlyArray<number>, CgroupError> => {
  const fail = (reason: string) =>
    refuse(`read the list of ${what}`, text.trim(), reason, "write numbers and ranges with commas, e.g. 0-2,5")
  if (text.length > longestText) return fail("it is too long")
  const numbers = new Set<number>()
  if (text.trim() === "") return Result.succeed([])
  for (const part of text.trim().split(",")) {
    const found = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(part)
    if (found === null) return fail(`${JSON.stringify(part.slice(0, 40))} is neither a number nor a range`)
    const first = Number(found[1])
    const last = Number(found[2] ?? found[1])
    if (last < first) return fail(`the range ${part} goes backwards`)
    if (last >= maximumCpus) return fail(`${last} is more than the kernel's largest number, ${maximumCpus - 1}`)
    for (let number = first; number <= last; number++) numbers.add(number)
  }
  return Result.succeed([...numbers].sort((a, b) => a - b))
}

/** The shortest list; the input may be in any order and repeat itself. */
export const formatCpuList = (numbers: Iterable<number>): string => {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  const ranges: Array<string> = []
  for (let at = 0; at < sorted.length;) {
    let end = at
    while (sorted[end + 1] === sorted[end]! + 1) end++
    ranges.push(end === at ? `${sorted[at]}` : `${sorted[at]}-${sorted[end]}`)
    at = end + 1
  }
  return ranges.join(",")
}
