import { describe, expect, it } from "vitest"
import { type ContainerConfig, defaultConfig, type ResourceConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import { limitRefusal } from "../../../src/domain/container/limitRefusal.ts"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"

const id = "c".repeat(64)

const refused = (file: string, errno: string, directory = `/sys/fs/cgroup/x/fx-engine/${id}`) =>
  new KernelError({ op: "CgroupWrite", syscall: "write", errno, path: `${directory}/${file}` })

const told = (error: KernelError, resources: ResourceConfig, more: Partial<ContainerConfig> = {}) => {
  const refusal = limitRefusal("start", "web", id, { ...defaultConfig("i"), ...more }, resources, error)
  if (!(refusal instanceof ContainerError)) throw new Error(`it was left as it is: ${refusal.message}`)
  return refusal
}

describe("a limit that the kernel refuses", () => {
  it.each<[string, string, ResourceConfig, string, RegExp]>([
    ["cpu.rt_runtime_us", "EINVAL", { cpuRealtimeRuntime: 950_000 }, "--cpu-rt-runtime 950000", /parent control group/],
    ["cpu.rt_period_us", "EBUSY", { cpuRealtimePeriod: 1 }, "--cpu-rt-period 1", /real-time processes/],
    ["cpu.cfs_quota_us", "EINVAL", { nanoCpus: 1.5e9 }, "--cpus 1.5", /at least 1000/],
    ["cpu.max", "EINVAL", { cpuPeriod: 1000, cpuQuota: 5000 }, "--cpu-period 1000 --cpu-quota 5000", /at least 1000/],
    ["cpu.weight", "ERANGE", { cpuShares: 2 }, "--cpu-shares 2", /documentation/],
    ["cpuset.cpus", "EACCES", { cpusetCpus: "0-3" }, "--cpuset-cpus 0-3", /cpuset.cpus of the parent/],
    ["cpuset.mems", "EBUSY", { cpusetMems: "0" }, "--cpuset-mems 0", /another control group/],
    ["memory.limit_in_bytes", "EBUSY", { memory: 6_291_456 }, "--memory 6291456", /have it use less first/],
    ["memory.memsw.limit_in_bytes", "EINVAL", { memory: 8, memorySwap: 7 }, "--memory 8 --memory-swap 7", /--memory-swap, cannot be less/],
    ["memory.low", "EINVAL", { memoryReservation: 5 }, "--memory-reservation 5", /documentation/],
    ["memory.swappiness", "EINVAL", { memorySwappiness: 0 }, "--memory-swappiness 0", /0 to 100/],
    ["memory.oom_control", "EINVAL", { oomKillDisable: true }, "--oom-kill-disable", /documentation/],
    ["io.bfq.weight", "ENOTSUP", { blkioWeight: 100 }, "--blkio-weight 100", /scheduler/],
    ["blkio.weight_device", "ENODEV", { blkioWeightDevice: [{ path: "/dev/x", weight: 20 }] }, "--blkio-weight-device /dev/x:20", /partition/],
    ["blkio.throttle.write_bps_device", "ENODEV", { blkioDeviceWriteBps: [{ path: "/dev/x", rate: 5 }] }, "--device-write-bps /dev/x:5", /whole disks/],
    ["io.max", "ENODEV", { blkioDeviceReadIOps: [{ path: "/dev/x", rate: 5 }] }, "--device-read-iops /dev/x:5", /whole disks/]
  ])("%s with %s: %j is told as %s", (file, errno, resources, option, cure) => {
    const { cause, cure: said, kind, object, operation } = told(refused(file, errno), resources)
    expect([operation, object, kind]).toEqual(["start", "web", "failed"])
    expect(cause).toContain(`the kernel refuses ${option} (${file}: `)
    expect(said).toMatch(cure)
  })

  it("may be one of the container's devices", () => {
    expect(told(refused("devices.allow", "EPERM"), {}, { deviceCgroupRules: ["c 1:3 r"] }).cause)
      .toBe("the kernel refuses --device-cgroup-rule 'c 1:3 r' (devices.allow: operation not permitted)")
  })

  it("is told by its file where nobody asked for it", () => {
    const { cause, cure } = told(refused("cpuset.cpus", "ENOSPC", "/sys/fs/cgroup/cpuset/fx-engine"), { cpusetCpus: "0" })
    expect(cause).toBe("the kernel refuses a setting of control groups (/sys/fs/cgroup/cpuset/fx-engine/cpuset.cpus: no space left on device)")
    expect(cure).toMatch(/\/sys\/fs\/cgroup\/cpuset\/fx-engine, which containers share/)
    expect(told(refused("misc.max", "EINVAL"), {}).cause).toContain(`${id}/misc.max: invalid argument`)
  })

  it("is told apart from all other failures", () => {
    const others = [
      new KernelError({ op: "CgroupMake", syscall: "mkdir", errno: "EBUSY", path: `/x/${id}` }),
      // Of an engine without rights
      new KernelError({ op: "CgroupWrite", syscall: "openat", errno: "EACCES", path: `/x/${id}/pids.max` }),
      new KernelError({ op: "CgroupWrite", syscall: "write", errno: "ECRASHED", path: `/x/${id}/pids.max` })
    ]
    for (const error of others) expect(limitRefusal("start", "web", id, defaultConfig("i"), {}, error)).toBe(error)
  })
})
