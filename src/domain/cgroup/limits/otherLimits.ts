/** pids, huge pages, and cgroup2 files named by the user. */
import { cgroupDirectory } from "../CgroupPath.ts"
import { controllerNamed } from "../Controller.ts"
import type { Resources } from "../Resources.ts"
import {
  homeOf, isSeen, type LimitOutcome, limitText, type LimitTarget, limitWrite, problem, unavailable
} from "./LimitTarget.ts"

/** `max` on both versions; a limit of 0 would let nothing start, and Docker means "unlimited" by it. */
export const pidsLimits = (
  target: LimitTarget, pids: NonNullable<Resources["pids"]>
): ReadonlyArray<LimitOutcome> => {
  const home = homeOf(target, "pids")
  if (home !== undefined) {
    return [limitWrite(target, "pids.limit", home.directory, "pids.max", pids.limit > 0 ? pids.limit : "max")]
  }
  return pids.limit > 0 ? unavailable(target, "pids", ["pids.limit"]) : []
}

/** Names of the kernel's huge page sizes (hugetlb_cgroup.c, mem_fmt). */
export const pageSizeForm = /^[1-9][0-9]{0,3}(KB|MB|GB)$/

/**
 * Use and reservation, where the kernel counts the latter (since 5.7): then a mapping too large fails at
 * mmap(2) instead of killing the program at a page fault (config-linux.md, "Huge page limits").
 */
export const hugepageLimits = (
  target: LimitTarget, limits: NonNullable<Resources["hugepageLimits"]>
): ReadonlyArray<LimitOutcome> => {
  const home = homeOf(target, "hugetlb")
  if (home === undefined) {
    return limits.length === 0 ? [] : unavailable(target, "hugetlb", ["hugepageLimits"], "error")
  }
  return limits.flatMap(({ limit, pageSize }): ReadonlyArray<LimitOutcome> => {
    if (!pageSizeForm.test(pageSize)) {
      return [problem("hugepageLimits", "error", `${JSON.stringify(pageSize)} is no page size: write it like 2MB`)]
    }
    const last = home.version === 1 ? "limit_in_bytes" : "max"
    const reserved = `hugetlb.${pageSize}.rsvd.${last}`
    const value = limitText(home.version, limit)
    return [
      limitWrite(target, "hugepageLimits", home.directory, `hugetlb.${pageSize}.${last}`, value),
      ...(isSeen(target, reserved)
        ? [limitWrite(target, "hugepageLimits", home.directory, reserved, value)]
        : [])
    ]
  })
}

/** Core files that do something to the container rather than limit it (cgroup-v2.rst, "Core Interface Files"). */
const notLimits = /^cgroup\.(procs|threads|kill|freeze|type|subtree_control|controllers|events|stat|pressure)$/

const unifiedFault = (target: LimitTarget, key: string): string | undefined => {
  if (!/^[a-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(key)) return "is not the name of a cgroup2 file"
  if (target.layout.unified === undefined) return "needs cgroup2, which is not mounted here"
  if (notLimits.test(key)) return "is not a limit but controls the container's processes, which the engine does"
  const prefix = key.slice(0, key.indexOf("."))
  if (prefix === "cgroup") return undefined
  const controller = controllerNamed(prefix)
  if (controller === undefined || prefix === "blkio") {
    return `belongs to ${prefix}, which is no controller of cgroup2`
  }
  const place = target.layout.absent[controller] ?? "it is on v1"
  return target.layout.controllers[controller]?.version === 2
    ? undefined
    : `needs the ${prefix} controller on cgroup2, and on this host ${place}`
}

/** Written as given, after everything else, so that it has the last word. */
export const unifiedFiles = (
  target: LimitTarget, files: NonNullable<Resources["unified"]>
): ReadonlyArray<LimitOutcome> =>
  Object.entries(files).map(([key, value]) => {
    const fault = unifiedFault(target, key)
    if (fault !== undefined || target.layout.unified === undefined) {
      return problem(`unified.${key.slice(0, 100)}`, "error", `${JSON.stringify(key.slice(0, 100))} ${fault}`)
    }
    return limitWrite(
      target, `unified.${key}`, cgroupDirectory(target.layout.unified, target.path), key, value
    )
  })
