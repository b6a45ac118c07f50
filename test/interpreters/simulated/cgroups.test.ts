import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { brokenInvariants, cgroupOp, cgroupPaths } from "../../../src/testing/index.ts"
import { machineOf, v2 } from "./CgroupMachine.ts"
import { Machine } from "./SimulatedMachine.ts"

/** errno of writing each value, by `file value`. */
const writes = (
  machine: Machine,
  directory: string,
  table: ReadonlyArray<readonly [file: string, value: string]>
) =>
  Object.fromEntries(table.map(([file, value]) => {
    return [`${file} ${value}`, machine.errno("CgroupWrite", { directory, file, value })]
  }))

describe("control groups of version 2", () => {
  it("begin with the kernel's defaults", () => {
    const machine = machineOf("v2", [v2])
    const files = [
      "memory.max", "pids.max", "cpu.max", "cpu.weight", "cgroup.events", "io.weight",
      "cpuset.cpus.effective"
    ]
    assert.deepStrictEqual(
      machine.do("CgroupRead", { directory: v2, files: [...files, "nosuch"] }),
      {
        "memory.max": "max\n", "pids.max": "max\n", "cpu.max": "max 100000\n",
        "cpu.weight": "100\n", "cgroup.events": "populated 0\nfrozen 0\n",
        "io.weight": "default 100\n", "cpuset.cpus.effective": "0-1\n"
      }
    )
  })

  it("take and refuse values as the kernel does", () => {
    const machine = machineOf("v2", [v2])
    assert.deepStrictEqual(
      writes(machine, v2, [
        ["memory.max", "abc"],
        ["memory.max", "1G"],
        ["memory.max", "-1"],
        ["pids.max", "-1"],
        ["pids.max", "5x"],
        ["pids.max", "4194304"],
        ["pids.max", "99999999"],
        ["cpu.max", "50000"],
        ["cpu.max", "100 100000"],
        ["cpu.max", "1000 999"],
        ["cpu.max", "max 200000"],
        ["cpu.weight", "0"],
        ["cpu.weight", "10001"],
        ["cpuset.cpus", "9"],
        ["cpuset.cpus", "0-1"],
        ["cpuset.cpus", "abc"],
        ["cpuset.mems", "5"],
        ["cgroup.freeze", "2"],
        ["cgroup.kill", "2"],
        ["cgroup.procs", "99999"],
        ["cgroup.procs", "abc"],
        ["cgroup.subtree_control", "+foo"],
        ["io.max", "8:0 rbps=1000"],
        ["io.max", "xx"],
        ["io.max", "254:0 rbps=5 foo=3"],
        ["io.max", "254:0 riops=0"],
        ["io.weight", "0"],
        ["memory.current", "1"],
        ["nosuch", "1"],
        ["memory.oom.group", "2"]
      ]),
      {
        "memory.max abc": "EINVAL", "memory.max 1G": "success", "memory.max -1": "EINVAL",
        "pids.max -1": "EINVAL", "pids.max 5x": "EINVAL", "pids.max 4194304": "success",
        "pids.max 99999999": "EINVAL", "cpu.max 50000": "success", "cpu.max 100 100000": "EINVAL",
        "cpu.max 1000 999": "EINVAL", "cpu.max max 200000": "success", "cpu.weight 0": "ERANGE",
        "cpu.weight 10001": "ERANGE", "cpuset.cpus 9": "ERANGE", "cpuset.cpus 0-1": "success",
        "cpuset.cpus abc": "EINVAL", "cpuset.mems 5": "EINVAL", "cgroup.freeze 2": "ERANGE",
        "cgroup.kill 2": "ERANGE", "cgroup.procs 99999": "ESRCH", "cgroup.procs abc": "EINVAL",
        "cgroup.subtree_control +foo": "EINVAL", "io.max 8:0 rbps=1000": "ENODEV",
        "io.max xx": "EINVAL", "io.max 254:0 rbps=5 foo=3": "EINVAL",
        "io.max 254:0 riops=0": "ERANGE", "io.weight 0": "EINVAL", "memory.current 1": "EINVAL",
        "nosuch 1": "ENOENT", "memory.oom.group 2": "EINVAL"
      }
    )
    machine.do("CgroupWrite", { directory: v2, file: "memory.max", value: "5000" })
    assert.strictEqual(machine.cgroup(v2, "memory.max"), "4096")
    machine.do("CgroupWrite", {
      directory: v2,
      file: "io.max",
      value: "254:0 rbps=1048576 wiops=120"
    })
    assert.strictEqual(
      machine.cgroup(v2, "io.max"),
      "254:0 rbps=1048576 wbps=max riops=max wiops=120"
    )
    machine.do("CgroupWrite", { directory: v2, file: "io.max", value: "254:0 rbps=max wiops=max" })
    assert.strictEqual(machine.cgroup(v2, "io.max"), "")
  })

  it("hand controllers on to children, and then take no processes", () => {
    const machine = machineOf("v2", [v2, `${v2}/child`])
    assert.isUndefined(machine.cgroup(`${v2}/child`, "memory.max"))
    machine.do("CgroupWrite", {
      directory: v2,
      file: "cgroup.subtree_control",
      value: "+memory +pids"
    })
    assert.strictEqual(machine.cgroup(`${v2}/child`, "memory.max"), "max")
    assert.isUndefined(machine.cgroup(`${v2}/child`, "cpu.max"))
    assert.strictEqual(
      machine.errno("CgroupWrite", { directory: v2, file: "cgroup.procs", value: "0" }),
      "EBUSY"
    )
    machine.do("CgroupWrite", { directory: `${v2}/child`, file: "cgroup.procs", value: "0" })
    assert.deepStrictEqual(machine.do("CgroupProcesses", { directory: v2 }), [machine.engine])
    assert.strictEqual(
      machine.errno("CgroupWrite", {
        directory: `${v2}/child`,
        file: "cgroup.subtree_control",
        value: "+pids"
      }),
      "EBUSY"
    )
    assert.strictEqual(
      machine.errno("CgroupWrite", {
        directory: "/sys/fs/cgroup",
        file: "cgroup.subtree_control",
        value: "-memory"
      }),
      "EBUSY"
    )
  })

  it("are removed when nothing lives in them, children first", () => {
    const machine = machineOf("v2", [`${v2}/a/b`])
    machine.do("CgroupWrite", { directory: `${v2}/a/b`, file: "cgroup.procs", value: "0" })
    assert.strictEqual(machine.errno("CgroupRemove", { directory: v2 }), "EBUSY")
    machine.do("CgroupWrite", { directory: "/sys/fs/cgroup", file: "cgroup.procs", value: "0" })
    machine.do("CgroupRemove", { directory: v2 })
    machine.do("CgroupRemove", { directory: v2 })
    assert.deepStrictEqual(cgroupPaths(machine.world), [])
    assert.deepStrictEqual(machine.do("CgroupProcesses", { directory: v2 }), [])
  })

  it("keep to cgroup.max.depth and cgroup.max.descendants", () => {
    const machine = machineOf("v2", [`${v2}/a`])
    machine.do("CgroupWrite", { directory: v2, file: "cgroup.max.depth", value: "1" })
    assert.strictEqual(machine.errno("CgroupMake", { directory: `${v2}/a/b` }), "EAGAIN")
    machine.do("CgroupWrite", { directory: v2, file: "cgroup.max.descendants", value: "1" })
    assert.strictEqual(machine.errno("CgroupMake", { directory: `${v2}/c` }), "EAGAIN")
    assert.strictEqual(machine.errno("CgroupMake", { directory: `${v2}/a` }), "EEXIST")
    assert.strictEqual(machine.errno("CgroupMake", { directory: `${v2}/x/y` }), "ENOENT")
    assert.strictEqual(machine.errno("CgroupMake", { directory: `${v2}/cpu.max` }), "EEXIST")
  })

  it("take a device program, which version 1 does not", () => {
    const program = new Uint8Array(16)
    assert.strictEqual(
      machineOf("v2", [v2]).errno("CgroupDevices", { directory: v2, program }),
      "success"
    )
    assert.strictEqual(
      machineOf("v2", [v2]).errno("CgroupDevices", { directory: v2, program: new Uint8Array(7) }),
      "EINVAL"
    )
    assert.strictEqual(
      machineOf("v1").errno("CgroupDevices", { directory: "/sys/fs/cgroup/devices", program }),
      "EBADF"
    )
  })
})

describe("control groups of version 1", () => {
  const memory = "/sys/fs/cgroup/memory/fx"
  const cpu = "/sys/fs/cgroup/cpu/fx"
  const cpuset = "/sys/fs/cgroup/cpuset/fx"
  const devices = "/sys/fs/cgroup/devices/fx"

  it("clamp shares, and keep swap at least as large as memory", () => {
    const machine = machineOf("v1", [memory, cpu])
    for (const [value, stored] of [["1", "2"], ["0", "2"], ["999999999", "262144"]] as const) {
      machine.do("CgroupWrite", { directory: cpu, file: "cpu.shares", value })
      assert.strictEqual(machine.cgroup(cpu, "cpu.shares"), stored)
    }
    assert.deepStrictEqual(
      writes(machine, memory, [
        ["memory.limit_in_bytes", "64M"],
        ["memory.memsw.limit_in_bytes", "32M"],
        ["memory.memsw.limit_in_bytes", "128M"],
        ["memory.limit_in_bytes", "256M"],
        ["memory.limit_in_bytes", "max"],
        ["memory.swappiness", "201"],
        ["memory.use_hierarchy", "0"]
      ]),
      {
        "memory.limit_in_bytes 64M": "success", "memory.memsw.limit_in_bytes 32M": "EINVAL",
        "memory.memsw.limit_in_bytes 128M": "success", "memory.limit_in_bytes 256M": "EINVAL",
        "memory.limit_in_bytes max": "EINVAL", "memory.swappiness 201": "EINVAL",
        "memory.use_hierarchy 0": "EINVAL"
      }
    )
    assert.deepStrictEqual(
      writes(machine, cpu, [
        ["cpu.cfs_quota_us", "100"],
        ["cpu.cfs_quota_us", "1000"],
        ["cpu.cfs_quota_us", "-5"],
        ["cpu.cfs_quota_us", "0"],
        ["cpu.cfs_period_us", "999"],
        ["cpu.cfs_period_us", "1000001"],
        ["cpu.shares", "-1"]
      ]),
      {
        "cpu.cfs_quota_us 100": "EINVAL", "cpu.cfs_quota_us 1000": "success",
        "cpu.cfs_quota_us -5": "success", "cpu.cfs_quota_us 0": "EINVAL",
        "cpu.cfs_period_us 999": "EINVAL", "cpu.cfs_period_us 1000001": "EINVAL",
        "cpu.shares -1": "EINVAL"
      }
    )
    assert.strictEqual(machine.cgroup(cpu, "cpu.cfs_quota_us"), "-1")
  })

  it("take no process into a cpuset without CPUs", () => {
    const machine = machineOf("v1", [cpuset])
    assert.strictEqual(
      machine.errno("CgroupWrite", { directory: cpuset, file: "tasks", value: "0" }),
      "ENOSPC"
    )
    machine.do("CgroupWrite", { directory: cpuset, file: "cpuset.cpus", value: "0-1" })
    machine.do("CgroupWrite", { directory: cpuset, file: "cpuset.mems", value: "0" })
    machine.do("CgroupWrite", { directory: cpuset, file: "tasks", value: "0" })
    machine.do("CgroupMake", { directory: `${cpuset}/a` })
    machine.do("CgroupWrite", { directory: `${cpuset}/a`, file: "cpuset.cpus", value: "0" })
    assert.strictEqual(
      machine.errno("CgroupWrite", { directory: cpuset, file: "cpuset.cpus", value: "1" }),
      "EBUSY"
    )
    machine.do("CgroupWrite", { directory: cpuset, file: "cgroup.clone_children", value: "1" })
    machine.do("CgroupMake", { directory: `${cpuset}/b` })
    assert.strictEqual(machine.cgroup(`${cpuset}/b`, "cpuset.cpus"), "0-1")
  })

  it("allow devices by rules that a child can only narrow", () => {
    const machine = machineOf("v1", [devices])
    assert.strictEqual(machine.cgroup(devices, "devices.list"), "a *:* rwm")
    machine.do("CgroupWrite", { directory: devices, file: "devices.deny", value: "a" })
    for (const value of ["c 1:3 rwm", "b *:* m"]) {
      machine.do("CgroupWrite", { directory: devices, file: "devices.allow", value })
    }
    machine.do("CgroupWrite", { directory: devices, file: "devices.deny", value: "c 1:3 w" })
    assert.strictEqual(machine.cgroup(devices, "devices.list"), "c 1:3 rm\nb *:* m")
    machine.do("CgroupMake", { directory: `${devices}/child` })
    assert.strictEqual(machine.cgroup(`${devices}/child`, "devices.list"), "c 1:3 rm\nb *:* m")
    assert.deepStrictEqual(
      writes(machine, `${devices}/child`, [["devices.allow", "c 5:5 r"], [
        "devices.allow",
        "c 1:3 q"
      ]]),
      {
        "devices.allow c 5:5 r": "EPERM",
        "devices.allow c 1:3 q": "EINVAL"
      }
    )
    assert.strictEqual(
      machine.errno("CgroupWrite", { directory: devices, file: "devices.allow", value: "a" }),
      "EINVAL"
    )
  })
})

describe("any sequence of operations on control groups", () => {
  for (const kind of ["v1", "v2"] as const) {
    it(`keeps the counters of ${kind} right`, () => {
      fc.assert(
        fc.property(fc.array(cgroupOp(kind), { maxLength: 40 }), (ops) => {
          const machine = new Machine({ host: { cgroups: kind } })
          for (const one of ops) machine.attempt(one.tag, one.payload as never)
          assert.deepStrictEqual(brokenInvariants(machine.world), [])
        }),
        { numRuns: 50 }
      )
    })
  }
})
