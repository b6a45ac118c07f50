/** io: weights, and limits per device in bytes and operations per second. */
import { isAsked, type Resources } from "../Resources.ts"
import { ioWeight } from "../Weights.ts"
import {
  homeOf, isSeen, type LimitHome, type LimitOutcome, type LimitTarget, limitWrite, mayExist, problem, unavailable
} from "./LimitTarget.ts"

type BlockIo = NonNullable<Resources["blockIO"]>

/** Each kind of throttle: its field, v1's file, cgroup2's key in io.max. */
const throttles = [
  { field: "throttleReadBpsDevice", file: "blkio.throttle.read_bps_device", key: "rbps" },
  { field: "throttleWriteBpsDevice", file: "blkio.throttle.write_bps_device", key: "wbps" },
  { field: "throttleReadIOPSDevice", file: "blkio.throttle.read_iops_device", key: "riops" },
  { field: "throttleWriteIOPSDevice", file: "blkio.throttle.write_iops_device", key: "wiops" }
] as const

const askedWeights = (changed: BlockIo): ReadonlyArray<"weight" | "weightDevice"> => [
  ...(isAsked(changed.weight) ? ["weight" as const] : []),
  ...((changed.weightDevice ?? []).length > 0 ? ["weightDevice" as const] : [])
]

interface WeightFiles {
  readonly all: string
  readonly device: string
  readonly convert: (weight: number) => number
}

const same = (weight: number): number => weight

/**
 * Who applies a weight differs: the BFQ scheduler has files of its own, CFQ's (until 4.20) were blkio.weight,
 * and cgroup2's io.weight belongs to the io.cost model. BFQ first where it is there, as runc and crun do.
 */
const weightFiles = (target: LimitTarget, version: 1 | 2): WeightFiles | undefined => {
  const candidates: ReadonlyArray<WeightFiles> = version === 1
    ? [
      { all: "blkio.bfq.weight", device: "blkio.bfq.weight_device", convert: same },
      { all: "blkio.weight", device: "blkio.weight_device", convert: same }
    ]
    : [
      ...(isSeen(target, "io.bfq.weight")
        ? [{ all: "io.bfq.weight", device: "io.bfq.weight", convert: same }]
        : []),
      { all: "io.weight", device: "io.weight", convert: ioWeight }
    ]
  return candidates.find((files) => mayExist(target, files.all))
}

const weights = (target: LimitTarget, home: LimitHome, changed: BlockIo): ReadonlyArray<LimitOutcome> => {
  const asked = askedWeights(changed)
  if (asked.length === 0) return []
  const files = weightFiles(target, home.version)
  if (files === undefined) {
    const reason = "no scheduler of this kernel knows weights for block devices, so the weight is dropped"
    return asked.map((field) => problem(`blockIO.${field}`, "warning", reason))
  }
  return [
    ...(isAsked(changed.weight)
      ? [limitWrite(target, "blockIO.weight", home.directory, files.all, files.convert(changed.weight))]
      : []),
    ...(changed.weightDevice ?? []).map(({ major, minor, weight }) =>
      limitWrite(
        target, "blockIO.weightDevice", home.directory, files.device, `${major}:${minor} ${files.convert(weight)}`
      )
    )
  ]
}

/** A write for each device and kind; a rate of 0 lifts the limit. */
const legacyThrottles = (
  target: LimitTarget, directory: string, changed: BlockIo
): ReadonlyArray<LimitOutcome> =>
  throttles.flatMap(({ field, file }) =>
    (changed[field] ?? []).map(({ major, minor, rate }) =>
      limitWrite(target, `blockIO.${field}`, directory, file, `${major}:${minor} ${rate}`)
    )
  )

/** One line of io.max for each device: keys left out keep their value (cgroup-v2.rst). */
const unifiedThrottles = (
  target: LimitTarget, directory: string, changed: BlockIo
): ReadonlyArray<LimitOutcome> => {
  const entries = throttles.flatMap(({ field, key }) =>
    (changed[field] ?? []).map(({ major, minor, rate }) =>
      ({ field, device: `${major}:${minor}`, text: `${key}=${rate === 0 ? "max" : rate}` })
    )
  )
  return [...Map.groupBy(entries, (entry) => entry.device)].map(([device, lines]) => {
    const text = [device, ...lines.map((line) => line.text)].join(" ")
    return limitWrite(target, `blockIO.${lines[0]!.field}`, directory, "io.max", text)
  })
}

export const blockLimits = (target: LimitTarget, changed: BlockIo): ReadonlyArray<LimitOutcome> => {
  const home = homeOf(target, "io")
  if (home === undefined) {
    const asked = [
      ...askedWeights(changed),
      ...throttles.map(({ field }) => field).filter((field) => (changed[field] ?? []).length > 0)
    ]
    return unavailable(target, "io", asked.map((field) => `blockIO.${field}`))
  }
  return [
    ...weights(target, home, changed),
    ...(home.version === 1
      ? legacyThrottles(target, home.directory, changed)
      : unifiedThrottles(target, home.directory, changed))
  ]
}
