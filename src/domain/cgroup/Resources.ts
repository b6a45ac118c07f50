/**
 * What a container may use: OCI's `linux.resources` (config-linux.md, "Control groups"), each name and unit
 * as there. An absent field asks for nothing; 0 too, where it would be no limit; -1 is "unlimited".
 */
import * as Schema from "effect/Schema"
import { DeviceRule, maximumRules } from "./DeviceRule.ts"

export const unlimited = -1

/** A number that says something to the kernel: asked for, and not the zero of a field never filled in. */
export const isAsked = (value: number | undefined): value is number => value !== undefined && value !== 0

const natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
/** -1: unlimited. */
const limit = Schema.Int.check(Schema.isBetween({ minimum: unlimited, maximum: Number.MAX_SAFE_INTEGER }))
/** Longest list that is looked at: nobody has more disks, and every entry is a system call. */
const maximumEntries = 1024

const Memory = Schema.Struct({
  /** Bytes. */
  limit: Schema.optionalKey(limit),
  /** Bytes of memory and swap together. */
  swap: Schema.optionalKey(limit),
  /** Bytes that are the container's under pressure: v1's soft limit, cgroup2's memory.low. */
  reservation: Schema.optionalKey(limit),
  /** Bytes; deprecated in the specification and ignored. */
  kernel: Schema.optionalKey(limit),
  /** 0 to 100; v1 only. */
  swappiness: Schema.optionalKey(limit),
  /** v1 only. */
  disableOOMKiller: Schema.optionalKey(Schema.Boolean)
})

const Cpu = Schema.Struct({
  /** Weight against others, 2 to 262144; 1024 is usual. */
  shares: Schema.optionalKey(natural),
  /** Microseconds of CPU time in each period. */
  quota: Schema.optionalKey(limit),
  /** Microseconds. */
  period: Schema.optionalKey(natural),
  /** Microseconds of real-time scheduling in each real-time period; v1 only. */
  realtimeRuntime: Schema.optionalKey(limit),
  /** Microseconds; v1 only. */
  realtimePeriod: Schema.optionalKey(natural),
  /** CPUs it may run on, e.g. `0-2,5`. */
  cpus: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(65_536))),
  /** Memory nodes it may use. */
  mems: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(65_536))),
  /** 1: runs only when nobody else wants to (SCHED_IDLE). */
  idle: Schema.optionalKey(Schema.Literals([0, 1]))
})

const BlockDevice = { major: natural, minor: natural }
/** Bytes or operations per second; 0 lifts the limit. */
const Throttle = Schema.Struct({ ...BlockDevice, rate: natural })
const throttles = Schema.optionalKey(Schema.Array(Throttle).check(Schema.isMaxLength(maximumEntries)))

const BlockIo = Schema.Struct({
  /** Weight against others, 10 to 1000. */
  weight: Schema.optionalKey(natural),
  weightDevice: Schema.optionalKey(
    Schema.Array(Schema.Struct({ ...BlockDevice, weight: natural })).check(Schema.isMaxLength(maximumEntries))
  ),
  throttleReadBpsDevice: throttles,
  throttleWriteBpsDevice: throttles,
  throttleReadIOPSDevice: throttles,
  throttleWriteIOPSDevice: throttles
})

export const Resources = Schema.Struct({
  memory: Schema.optionalKey(Memory),
  cpu: Schema.optionalKey(Cpu),
  /** Processes and threads; 0 is unlimited too. */
  pids: Schema.optionalKey(Schema.Struct({ limit })),
  blockIO: Schema.optionalKey(BlockIo),
  /** `pageSize` as in the kernel's file names: `2MB`, `1GB`; `limit` in bytes. */
  hugepageLimits: Schema.optionalKey(
    Schema.Array(Schema.Struct({ pageSize: Schema.String, limit })).check(Schema.isMaxLength(64))
  ),
  /** In order: the last that speaks of an access decides it. Absent: no restriction is set up. */
  devices: Schema.optionalKey(Schema.Array(DeviceRule).check(Schema.isMaxLength(maximumRules))),
  /** cgroup2 files by name, written as they are. */
  unified: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(4096))).check(
      Schema.isBetweenProperties(0, maximumEntries)
    )
  )
})
export type Resources = typeof Resources.Type
