/** Random resources, and random hosts with each controller on v1, on cgroup2 or nowhere. */
import fc from "fast-check"
import { type CgroupLayout, parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import type { Resources } from "../../../src/domain/cgroup/CgroupLimits.ts"
import { deviceRule } from "./deviceArbitraries.ts"

const bytes = fc.constantFrom(-1, 0, 6_291_456, 67_108_864, 134_217_728, 268_435_456)
const time = fc.constantFrom(0, 1000, 50_000, 100_000, 1_000_000)
const device = { major: fc.constantFrom(8, 254), minor: fc.constantFrom(0, 16) }
const throttle = fc.array(fc.record({ ...device, rate: fc.nat(5000) }), { maxLength: 3 })

export const memory = fc.record({
  limit: bytes, swap: bytes, reservation: bytes, kernel: bytes,
  swappiness: fc.integer({ min: -1, max: 100 }), disableOOMKiller: fc.boolean()
}, { requiredKeys: [] })

export const resources: fc.Arbitrary<Resources> = fc.record({
  memory,
  cpu: fc.record({
    shares: fc.nat(262_144), quota: fc.oneof(fc.constant(-1), time), period: time,
    realtimeRuntime: time, realtimePeriod: time, cpus: fc.constantFrom("", "0-1", "0"), mems: fc.constantFrom("", "0"),
    idle: fc.constantFrom(0 as const, 1 as const)
  }, { requiredKeys: [] }),
  pids: fc.record({ limit: fc.integer({ min: -1, max: 1000 }) }),
  blockIO: fc.record({
    weight: fc.constantFrom(0, 10, 300, 1000),
    weightDevice: fc.array(fc.record({ ...device, weight: fc.constantFrom(10, 1000) }), { maxLength: 2 }),
    throttleReadBpsDevice: throttle, throttleWriteBpsDevice: throttle,
    throttleReadIOPSDevice: throttle, throttleWriteIOPSDevice: throttle
  }, { requiredKeys: [] }),
  hugepageLimits: fc.array(
    fc.record({ pageSize: fc.constantFrom("2MB", "1GB", "../../x"), limit: fc.nat(1 << 30) }), { maxLength: 2 }
  ),
  devices: fc.array(deviceRule, { maxLength: 4 }),
  unified: fc.dictionary(
    fc.constantFrom("memory.high", "pids.max", "cgroup.kill", "cgroup.max.depth", "io.latency", "../x", "rdma.max"),
    fc.constantFrom("1", "max"), { maxKeys: 3 }
  )
}, { requiredKeys: [] })

/** Kernel's names; `cpu` and `cpuacct` may share a hierarchy. */
const kernelNames = ["cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "pids", "hugetlb"] as const
const onUnified: { readonly [name: string]: string } = { blkio: "io" }

export const layout: fc.Arbitrary<CgroupLayout> = fc.record({
  places: fc.array(fc.constantFrom("v1", "v2", "none"), { minLength: kernelNames.length, maxLength: kernelNames.length }),
  unified: fc.boolean(),
  together: fc.boolean()
}).map(({ places, together, unified }) => {
  const at = (place: string) => kernelNames.filter((_, index) => places[index] === place)
  const joint = together && at("v1").includes("cpu") && at("v1").includes("cpuacct")
  const groups = joint
    ? [...at("v1").filter((name) => name !== "cpu" && name !== "cpuacct"), "cpu,cpuacct"]
    : at("v1")
  return parseLayout({
    mountinfo: [
      "1 0 8:1 / / rw - ext4 d rw",
      ...groups.map((group, index) => `${10 + index} 1 0:${index} / /sys/fs/cgroup/${group} rw - cgroup cgroup rw,${group}`),
      ...(unified ? ["9 1 0:99 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"] : [])
    ].join("\n"),
    cgroups: "",
    controllers: unified ? at("v2").map((name) => onUnified[name] ?? name).join(" ") : ""
  })
})
