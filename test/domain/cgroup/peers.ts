/**
 * What Debian's runc 1.1.5 and crun 1.8.1 wrote for the same OCI resources, recorded with strace: on v1 under
 * Linux 6.18 (crun with cgroup2 out of sight, for it refuses a mixed host), on cgroup2 under Linux 6.12.
 * Writes that do not depend on the resources are left out: cpuset inheritance, default devices, lifting limits
 * of a fresh directory. `refused`: the runtime gave up.
 */
import type { Resources } from "../../../src/domain/cgroup/CgroupLimits.ts"

/** `file value` in the order written, or the runtime's last words. */
export type Recorded = ReadonlyArray<string> | { readonly refused: string }

export interface PeerCase {
  readonly name: string
  readonly resources: Resources
  readonly v1: { readonly runc: Recorded; readonly crun: Recorded }
  readonly v2: { readonly runc: Recorded; readonly crun: Recorded }
}

const both = (recorded: Recorded) => ({ runc: recorded, crun: recorded })
const MiB64 = 67_108_864

export const peerCases: ReadonlyArray<PeerCase> = [
  {
    name: "memory and swap, a reservation, v1's own",
    resources: { memory: { limit: MiB64, swap: 2 * MiB64, reservation: MiB64 / 2, swappiness: 10, disableOOMKiller: true } },
    v1: both([
      "memory.limit_in_bytes 67108864", "memory.memsw.limit_in_bytes 134217728", "memory.soft_limit_in_bytes 33554432",
      "memory.oom_control 1", "memory.swappiness 10"
    ]),
    v2: {
      runc: ["memory.swap.max 67108864", "memory.max 67108864", "memory.low 33554432"],
      crun: { refused: "cannot disable OOM killer with cgroupv2" }
    }
  },
  {
    name: "a memory limit alone",
    resources: { memory: { limit: MiB64 } },
    v1: both(["memory.limit_in_bytes 67108864"]),
    v2: both(["memory.max 67108864"])
  },
  {
    name: "a memory limit with unlimited swap",
    resources: { memory: { limit: MiB64, swap: -1 } },
    v1: {
      runc: ["memory.memsw.limit_in_bytes -1", "memory.limit_in_bytes 67108864"],
      crun: ["memory.limit_in_bytes 67108864", "memory.memsw.limit_in_bytes -1"]
    },
    v2: {
      runc: ["memory.swap.max max", "memory.max 67108864"],
      crun: ["memory.max 67108864", "memory.swap.max max"]
    }
  },
  {
    name: "unlimited memory",
    resources: { memory: { limit: -1 } },
    v1: { runc: ["memory.memsw.limit_in_bytes -1", "memory.limit_in_bytes -1"], crun: ["memory.limit_in_bytes -1"] },
    v2: { runc: ["memory.swap.max max", "memory.max max"], crun: ["memory.max max"] }
  },
  {
    name: "no swap at all",
    resources: { memory: { limit: MiB64, swap: MiB64 } },
    v1: both(["memory.limit_in_bytes 67108864", "memory.memsw.limit_in_bytes 67108864"]),
    v2: { runc: ["memory.swap.max 0", "memory.max 67108864"], crun: ["memory.max 67108864", "memory.swap.max 0"] }
  },
  {
    name: "swap without memory",
    resources: { memory: { swap: MiB64 } },
    v1: both({ refused: "memory.memsw.limit_in_bytes: invalid argument" }),
    v2: both({ refused: "unable to set swap limit without memory limit" })
  },
  {
    name: "an unlimited reservation, and kernel memory",
    resources: { memory: { limit: MiB64, reservation: -1, kernel: MiB64 } },
    v1: {
      runc: ["memory.limit_in_bytes 67108864", "memory.soft_limit_in_bytes -1"],
      crun: [
        "memory.limit_in_bytes 67108864", "memory.kmem.limit_in_bytes 67108864",
        "memory.soft_limit_in_bytes 18446744073709551615"
      ]
    },
    v2: {
      runc: ["memory.max 67108864", "memory.low max"],
      crun: { refused: "cannot set kernel memory with cgroupv2" }
    }
  },
  {
    name: "shares, bandwidth and a cpuset",
    resources: { cpu: { shares: 512, quota: 150_000, period: 100_000, cpus: "0-1", mems: "0" } },
    v1: {
      runc: ["cpuset.cpus 0-1", "cpuset.mems 0", "cpu.shares 512", "cpu.cfs_period_us 100000", "cpu.cfs_quota_us 150000"],
      crun: ["cpu.shares 512", "cpu.cfs_period_us 100000", "cpu.cfs_quota_us 150000", "cpuset.cpus 0-1", "cpuset.mems 0"]
    },
    v2: both(["cpu.weight 20", "cpu.max 150000 100000", "cpuset.cpus 0-1", "cpuset.mems 0"])
  },
  {
    name: "a quota alone",
    resources: { cpu: { quota: 50_000 } },
    v1: both(["cpu.cfs_quota_us 50000"]),
    v2: both(["cpu.max 50000 100000"])
  },
  {
    name: "a period alone",
    resources: { cpu: { period: 50_000 } },
    v1: both(["cpu.cfs_period_us 50000"]),
    v2: both(["cpu.max max 50000"])
  },
  {
    name: "an unlimited quota",
    resources: { cpu: { quota: -1, period: 50_000 } },
    v1: {
      runc: ["cpu.cfs_period_us 50000", "cpu.cfs_quota_us -1"],
      crun: { refused: "writing file `cpu.cfs_quota_us`: Numerical result out of range" }
    },
    v2: both(["cpu.max max 50000"])
  },
  { name: "least shares", resources: { cpu: { shares: 2 } }, v1: both(["cpu.shares 2"]), v2: both(["cpu.weight 1"]) },
  {
    name: "usual shares", resources: { cpu: { shares: 1024 } },
    v1: both(["cpu.shares 1024"]), v2: both(["cpu.weight 39"])
  },
  {
    name: "greatest shares", resources: { cpu: { shares: 262_144 } },
    v1: both(["cpu.shares 262144"]), v2: both(["cpu.weight 10000"])
  },
  {
    name: "idle", resources: { cpu: { idle: 1 } },
    v1: { runc: [], crun: ["cpu.idle 1"] }, v2: { runc: [], crun: ["cpu.idle 1"] }
  },
  {
    name: "real-time",
    resources: { cpu: { realtimePeriod: 1_000_000, realtimeRuntime: 10_000 } },
    v1: both({ refused: "write cpu.rt_runtime_us 10000: invalid argument, after cpu.rt_period_us 1000000" }),
    v2: { runc: [], crun: { refused: "realtime period not supported on cgroupv2" } }
  },
  { name: "CPU fields of 0", resources: { cpu: { quota: 0, shares: 0, period: 0 } }, v1: both([]), v2: both([]) },
  { name: "a pids limit", resources: { pids: { limit: 33 } }, v1: both(["pids.max 33"]), v2: both(["pids.max 33"]) },
  {
    name: "unlimited pids", resources: { pids: { limit: -1 } },
    v1: { runc: ["pids.max max"], crun: { refused: "writing file `pids.max`: Invalid argument" } },
    v2: both(["pids.max max"])
  },
  { name: "a pids limit of 0", resources: { pids: { limit: 0 } }, v1: both([]), v2: both([]) },
  {
    name: "throttled devices",
    resources: {
      blockIO: {
        throttleReadBpsDevice: [{ major: 254, minor: 0, rate: 1_048_576 }],
        throttleWriteBpsDevice: [{ major: 254, minor: 0, rate: 2_097_152 }],
        throttleReadIOPSDevice: [{ major: 254, minor: 0, rate: 400 }],
        throttleWriteIOPSDevice: [{ major: 254, minor: 0, rate: 500 }]
      }
    },
    v1: both([
      "blkio.throttle.read_bps_device 254:0 1048576", "blkio.throttle.write_bps_device 254:0 2097152",
      "blkio.throttle.read_iops_device 254:0 400", "blkio.throttle.write_iops_device 254:0 500"
    ]),
    v2: both([
      "io.max 254:0 rbps=1048576", "io.max 254:0 wbps=2097152", "io.max 254:0 riops=400", "io.max 254:0 wiops=500"
    ])
  },
  {
    name: "a block weight",
    resources: { blockIO: { weight: 300 } },
    v1: { runc: ["blkio.bfq.weight 300"], crun: { refused: "opening file `blkio.weight` for writing" } },
    v2: both(["io.weight 2930"])
  },
  {
    name: "a block weight for one device",
    resources: { blockIO: { weight: 300, weightDevice: [{ major: 254, minor: 0, weight: 500 }] } },
    v1: {
      runc: { refused: "write blkio.bfq.weight_device 254:0 500: operation not supported, for the disk is not under BFQ" },
      crun: { refused: "opening file `blkio.weight` for writing" }
    },
    v2: { runc: ["io.weight 2930"], crun: { refused: "open io.weight: No such file or directory" } }
  },
  {
    name: "huge pages",
    resources: { hugepageLimits: [{ pageSize: "2MB", limit: 4_194_304 }] },
    v1: both({ refused: "no hugetlb directory on v1; neither looks for it on cgroup2" }),
    v2: both(["hugetlb.2MB.max 4194304"])
  },
  {
    name: "cgroup2 files",
    resources: { unified: { "memory.high": "50000000", "pids.max": "44" } },
    v1: both({ refused: "invalid configuration: cannot use unified on cgroup v1" }),
    v2: {
      runc: ["pids.max 44", "memory.high 50000000"],
      crun: ["memory.high 50000000", "pids.max 44"]
    }
  }
]
