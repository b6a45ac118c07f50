/** Weights under one scale turned into another: v1 and cgroup2 count CPU and I/O shares differently. */

/** MIN_SHARES, MAX_SHARES of kernel/sched/sched.h; 1024 is the default. */
export const shares = { minimum: 2, maximum: 262_144 } as const
/** CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX of linux/cgroup.h; 100 is the default. */
const weight = { minimum: 1, maximum: 10_000 } as const

/**
 * cpu.weight for OCI's cpu.shares. A curve through the three points that matter: least, default and greatest
 * on both scales (2 → 1, 1024 → 100, 262144 → 10000), quadratic in the logarithm; runc since 1.3.2 and crun
 * since 1.23 do the same. The straight line of before (1 + (shares − 2) · 9999 / 262142) gave 1024 a weight of
 * 39, so a container that asked for the usual got well below half of what its neighbours outside got.
 */
export const weightOfShares = (asked: number): number => {
  if (asked <= shares.minimum) return weight.minimum
  if (asked >= shares.maximum) return weight.maximum
  const logarithm = Math.log2(asked)
  return Math.ceil(10 ** ((logarithm * logarithm + 125 * logarithm) / 612 - 7 / 34))
}

/** OCI's blockIO.weight; BFQ's own scale, 1 to 1000, has it inside. */
export const blockWeight = { minimum: 10, maximum: 1000 } as const

/** io.weight, 1 to 10000, for a blockIO.weight: linear, as runc and crun do. */
export const ioWeight = (asked: number): number =>
  weight.minimum + Math.floor(
    (asked - blockWeight.minimum) * (weight.maximum - weight.minimum) / (blockWeight.maximum - blockWeight.minimum)
  )
