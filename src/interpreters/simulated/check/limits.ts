/** Limits that are said to be set are set, and are kept. */
import type { World } from "../World.ts"
import { hostText } from "./hostView.ts"
import type { Finding } from "./leaks.ts"

/** Texts of control files by path, e.g. `/sys/fs/cgroup/fx/abc/memory.max` → `1048576`. */
export interface WantedLimits {
  readonly [path: string]: string
}

/** Wanted values that are not in force. */
export const limitsNotSet = (world: World, wanted: WantedLimits): ReadonlyArray<Finding> =>
  Object.entries(wanted).flatMap(([path, value]) => {
    const actual = hostText(world, path)?.trim()
    return actual === value
      ? []
      : [{ kind: "limit", what: `${path} is ${actual ?? "not there"} instead of ${value}` }]
  })

const number = (text: string | undefined): number =>
  text === undefined || text === "max" || text === "9223372036854771712"
    ? Number.POSITIVE_INFINITY
    : Number(text)

/** Groups that have more than their limit: of processes that were forked, of memory. */
export const limitsExceeded = (world: World): ReadonlyArray<Finding> =>
  world.cgroups.values().flatMap((cgroup) => {
    const tasks = number(cgroup.values["pids.max"])
    const bytes = Math.min(
      number(cgroup.values["memory.max"]),
      number(cgroup.values["memory.limit_in_bytes"])
    )
    const version = world.hierarchies[cgroup.hierarchy]!.version
    return [
      ...(cgroup.tasks > tasks
        ? [{ kind: "limit", what: `${cgroup.name}: ${cgroup.tasks} tasks, ${tasks} allowed` }]
        : []),
      // A v1 group with oom_kill_disable would stop its processes instead
      ...(cgroup.memory > bytes && version === 2
        ? [{ kind: "limit", what: `${cgroup.name}: ${cgroup.memory} bytes, ${bytes} allowed` }]
        : [])
    ]
  })
