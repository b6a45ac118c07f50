import * as Schema from "effect/Schema"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import { type LimitOptions, Resources, writes } from "../../../src/domain/cgroup/CgroupLimits.ts"
import { cgroupDirectory } from "../../../src/domain/cgroup/CgroupPath.ts"
import { type Controller, controllerNamed } from "../../../src/domain/cgroup/Controller.ts"
import { defaultRules } from "../../../src/domain/cgroup/DeviceRules.ts"
import { ioWeight, weightOfShares } from "../../../src/domain/cgroup/Weights.ts"
import { separateFiles, separateHost, systemdHost, unifiedFiles, unifiedHost } from "./hosts.ts"
import * as arbitraries from "./resourceArbitraries.ts"

const path = "/fx-engine/0123abc"
const separate = parseLayout(separateHost)
const unified = parseLayout(unifiedHost)

const lines = (version: 1 | 2, resources: Resources, options: LimitOptions = {}): ReadonlyArray<string> =>
  writes(version === 1 ? separate : unified, path, resources, options).writes.map(({ file, value }) => `${file} ${value}`)

const problems = (version: 1 | 2, resources: Resources, options: LimitOptions = {}): ReadonlyArray<string> =>
  writes(version === 1 ? separate : unified, path, resources, options).problems
    .map(({ reason, resource, severity }) => `${severity} ${resource}: ${reason}`)

const without = (files: ReadonlySet<string>, missing: RegExp) => new Set([...files].filter((file) => !missing.test(file)))

describe("weights", () => {
  it("keep the least, the usual and the greatest at their places", () => {
    expect([0, 1, 2, 1024, 262_144, 300_000].map(weightOfShares)).toEqual([1, 1, 1, 100, 10_000, 10_000])
    expect([10, 500, 1000].map(ioWeight)).toEqual([1, 4950, 10_000])
  })

  it("are those that runc gives since 1.3.2", () => {
    expect([512, 2000, 2048, 4096].map(weightOfShares)).toEqual([59, 170, 174, 303])
  })

  it("grow with what they are made from, and stay in the kernel's range", () => {
    fc.assert(fc.property(fc.nat(262_144), fc.nat(262_144), (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      expect(weightOfShares(less)).toBeLessThanOrEqual(weightOfShares(more))
      expect(weightOfShares(less)).toBeGreaterThanOrEqual(1)
      expect(weightOfShares(more)).toBeLessThanOrEqual(10_000)
    }))
    for (let weight = 11; weight <= 1000; weight++) expect(ioWeight(weight)).toBeGreaterThan(ioWeight(weight - 1))
  })
})

describe("limits of memory", () => {
  /** v1 memory: what the kernel refuses with EINVAL. */
  const legacyKernel = (start: { limit: number; total: number }) => {
    const state = { ...start }
    return {
      state,
      write: (line: string) => {
        const [file, text] = line.split(" ")
        const value = text === "-1" ? Infinity : Number(text)
        if (file === "memory.limit_in_bytes") {
          if (value > state.total) throw new Error(`EINVAL ${line}`)
          state.limit = value
        } else if (file === "memory.memsw.limit_in_bytes") {
          if (value < state.limit) throw new Error(`EINVAL ${line}`)
          state.total = value
        }
      }
    }
  }

  it("change on v1 in an order that the kernel takes, from anything to anything", () => {
    const bytes = fc.integer({ min: -1, max: 5 }).map((value) => value * 10_000_000)
    fc.assert(fc.property(fc.array(fc.record({ limit: bytes, swap: bytes }, { requiredKeys: [] }), { maxLength: 6 }), (updates) => {
      const kernel = legacyKernel({ limit: Infinity, total: Infinity })
      let current: { limit?: number; swap?: number } = {}
      for (const raw of updates) {
        const changed = Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, value < 0 ? -1 : value]))
        const plan = writes(separate, path, { memory: changed }, { current: { memory: current } })
        if (plan.problems.length > 0) continue
        for (const { file, value } of plan.writes) kernel.write(`${file} ${value}`)
        const asked = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== 0))
        const lifted = asked["limit"] === -1 && asked["swap"] === undefined && current.swap !== undefined ? { swap: -1 } : {}
        current = { ...current, ...asked, ...lifted }
        const amount = (value: number | undefined) => value === undefined || value < 0 ? Infinity : value
        expect(kernel.state).toEqual({ limit: amount(current.limit), total: amount(current.swap) })
      }
    }), { numRuns: 2000 })
  })

  it("raise memory and swap with swap first, lower them with memory first", () => {
    const current: Resources = { memory: { limit: 100_000_000, swap: 200_000_000 } }
    expect(lines(1, { memory: { limit: 300_000_000, swap: 600_000_000 } }, { current }))
      .toEqual(["memory.memsw.limit_in_bytes 600000000", "memory.limit_in_bytes 300000000"])
    expect(lines(1, { memory: { limit: 50_000_000, swap: 80_000_000 } }, { current }))
      .toEqual(["memory.limit_in_bytes 50000000", "memory.memsw.limit_in_bytes 80000000"])
    expect(lines(1, { memory: { limit: -1 } }, { current }))
      .toEqual(["memory.memsw.limit_in_bytes -1", "memory.limit_in_bytes -1"])
  })

  it("keep memory and swap together on cgroup2 when only memory changes", () => {
    const current: Resources = { memory: { limit: 100_000_000, swap: 200_000_000 } }
    expect(lines(2, { memory: { limit: 150_000_000 } }, { current })).toEqual(["memory.swap.max 50000000", "memory.max 150000000"])
    expect(lines(2, { memory: { swap: 250_000_000 } }, { current })).toEqual(["memory.swap.max 150000000"])
    expect(lines(2, { memory: { swap: -1 } }, { current })).toEqual(["memory.swap.max max"])
    expect(lines(2, { memory: { limit: -1 } }, { current })).toEqual(["memory.swap.max max", "memory.max max"])
    expect(lines(2, { memory: { reservation: 20_000_000 } }, { current })).toEqual(["memory.low 20000000"])
  })

  it("above memory and swap together are refused, with what to do", () => {
    for (const version of [1, 2] as const) {
      expect(problems(version, { memory: { limit: 300_000_000 } }, { current: { memory: { limit: 1e8, swap: 2e8 } } })).toEqual([
        "error memory.limit: the memory limit of 300000000 bytes is more than memory and swap together, 200000000: raise the latter with it"
      ])
    }
  })

  it("go without swap, and say so, where the kernel does not account for it", () => {
    const resources: Resources = { memory: { limit: 67_108_864, swap: 134_217_728 } }
    const legacy = { interfaceFiles: without(separateFiles, /memsw/) }
    const modern = { interfaceFiles: without(unifiedFiles, /swap/) }
    const warning = "warning memory.swap: this kernel does not account for swap, so memory is limited without swap"
    expect([lines(1, resources, legacy), problems(1, resources, legacy)]).toEqual([["memory.limit_in_bytes 67108864"], [warning]])
    expect([lines(2, resources, modern), problems(2, resources, modern)]).toEqual([["memory.max 67108864"], [warning]])
    expect(problems(2, { memory: { limit: 67_108_864, swap: -1 } }, modern)).toEqual([])
  })

  it("warn of what only v1 has", () => {
    expect(problems(2, { memory: { swappiness: 0, disableOOMKiller: true } })).toEqual([
      "warning memory.disableOOMKiller: memory.disableOOMKiller exists on v1 control groups only and is dropped",
      "warning memory.swappiness: memory.swappiness exists on v1 control groups only and is dropped"
    ])
    expect(problems(2, { memory: { swappiness: -1, disableOOMKiller: false } })).toEqual([])
  })

  it("give the OOM killer back on update", () => {
    expect(lines(1, { memory: { disableOOMKiller: false } }, { current: { memory: { disableOOMKiller: true } } }))
      .toEqual(["memory.oom_control 0"])
  })
})

describe("limits of CPU time", () => {
  it("keep on cgroup2 the half of cpu.max that does not change", () => {
    const current: Resources = { cpu: { quota: 20_000, period: 50_000 } }
    expect(lines(2, { cpu: { quota: 30_000 } }, { current })).toEqual(["cpu.max 30000 50000"])
    expect(lines(2, { cpu: { period: 200_000 } }, { current })).toEqual(["cpu.max 20000 200000"])
    expect(lines(2, { cpu: { quota: -1 } }, { current })).toEqual(["cpu.max max 50000"])
  })

  it("never give on v1, in between, more than before and after", () => {
    const value: fc.Arbitrary<number> = fc.constantFrom(1000, 20_000, 100_000, 1_000_000)
    fc.assert(fc.property(value, value, value, value, (quota, period, toQuota, toPeriod) => {
      const state = { quota, period }
      const bound = Math.max(quota / period, toQuota / toPeriod)
      for (const line of lines(1, { cpu: { quota: toQuota, period: toPeriod } }, { current: { cpu: { quota, period } } })) {
        const [file, text] = line.split(" ")
        state[file === "cpu.cfs_quota_us" ? "quota" : "period"] = Number(text)
        expect(state.quota / state.period).toBeLessThanOrEqual(bound)
      }
      expect(state).toEqual({ quota: toQuota, period: toPeriod })
    }))
  })

  it("set a weight before a group becomes idle, and after it ceases to be", () => {
    expect(lines(2, { cpu: { shares: 512, idle: 1 } })).toEqual(["cpu.weight 59", "cpu.idle 1"])
    expect(lines(2, { cpu: { shares: 512, idle: 0 } })).toEqual(["cpu.idle 0", "cpu.weight 59"])
  })

  it("change a real-time budget so that it always fits into its period", () => {
    const current: Resources = { cpu: { realtimeRuntime: 900_000, realtimePeriod: 1_000_000 } }
    expect(lines(1, { cpu: { realtimeRuntime: 10_000, realtimePeriod: 20_000 } }, { current }))
      .toEqual(["cpu.rt_runtime_us 10000", "cpu.rt_period_us 20000"])
    expect(lines(1, { cpu: { realtimeRuntime: 10_000, realtimePeriod: 20_000 } }))
      .toEqual(["cpu.rt_period_us 20000", "cpu.rt_runtime_us 10000"])
  })

  it("in real time are refused on cgroup2", () => {
    expect(problems(2, { cpu: { realtimeRuntime: 1000 } })).toEqual([
      "error cpu.realtimeRuntime: real-time CPU time is limited by v1 control groups only: run without this limit"
    ])
  })
})

describe("limits of block I/O", () => {
  it("take one line for each device on cgroup2, and 0 lifts", () => {
    const one = { major: 8, minor: 0 }
    expect(lines(2, {
      blockIO: {
        throttleReadBpsDevice: [{ ...one, rate: 1000 }, { major: 8, minor: 16, rate: 5 }],
        throttleWriteIOPSDevice: [{ ...one, rate: 0 }]
      }
    })).toEqual(["io.max 8:0 rbps=1000 wiops=max", "io.max 8:16 rbps=5"])
  })

  it("weigh by the scheduler that is there", () => {
    const weight: Resources = { blockIO: { weight: 300, weightDevice: [{ major: 8, minor: 0, weight: 500 }] } }
    expect(lines(2, weight)).toEqual(["io.weight 2930", "io.weight 8:0 4950"])
    expect(lines(2, weight, { interfaceFiles: new Set([...unifiedFiles, "io.bfq.weight"]) }))
      .toEqual(["io.bfq.weight 300", "io.bfq.weight 8:0 500"])
    expect(lines(1, weight)).toEqual(["blkio.bfq.weight 300", "blkio.bfq.weight_device 8:0 500"])
    expect(lines(1, weight, { interfaceFiles: new Set(["blkio.weight", "blkio.weight_device"]) }))
      .toEqual(["blkio.weight 300", "blkio.weight_device 8:0 500"])
  })

  it("warn where no scheduler knows weights", () => {
    expect(problems(1, { blockIO: { weight: 300 } }, { interfaceFiles: without(separateFiles, /bfq/) })).toEqual([
      "warning blockIO.weight: no scheduler of this kernel knows weights for block devices, so the weight is dropped"
    ])
  })
})

describe("limits of huge pages and cgroup2 files", () => {
  it("go to the controller that v1 left to cgroup2", () => {
    expect(writes(separate, path, { hugepageLimits: [{ pageSize: "2MB", limit: 4_194_304 }] }).writes).toEqual([{
      _tag: "Write", directory: "/sys/fs/cgroup/unified/fx-engine/0123abc", file: "hugetlb.2MB.max", value: "4194304"
    }])
  })

  it("refuse a page size that is none, which would be a path", () => {
    expect(problems(2, { hugepageLimits: [{ pageSize: "../../x", limit: 1 }] })[0]).toContain("is no page size: write it like 2MB")
  })

  it.each([
    ["cgroup.procs", "not a limit"], ["cgroup.kill", "not a limit"], ["../memory.max", "not the name of a cgroup2 file"],
    ["blkio.weight", "no controller of cgroup2"], ["net_cls.classid", "neither mounted nor offered"], ["tasks", "not the name"]
  ])("refuse %s among raw files", (key, reason) => {
    const plan = writes(unified, path, { unified: { [key]: "1" } })
    expect(plan.writes).toEqual([])
    expect(plan.problems.map(({ severity }) => severity)).toEqual(["error"])
    expect(plan.problems[0]?.reason).toContain(reason)
  })

  it("refuse a raw file whose controller is on v1", () => {
    expect(problems(1, { unified: { "memory.high": "1" } })).toEqual([
      "error unified.memory.high: \"memory.high\" needs the memory controller on cgroup2, and on this host it is on v1"
    ])
    expect(lines(1, { unified: { "hugetlb.2MB.max": "0" } })).toEqual(["hugetlb.2MB.max 0"])
  })
})

describe("access to devices", () => {
  it("is written on v1 and a program on cgroup2", () => {
    const legacy = writes(separate, path, { devices: defaultRules })
    expect(legacy.writes[0]).toMatchObject({ directory: "/sys/fs/cgroup/devices/fx-engine/0123abc", file: "devices.deny", value: "a" })
    expect(legacy.deviceProgram).toBeUndefined()
    const modern = writes(unified, path, { devices: defaultRules })
    expect(modern.writes).toEqual([])
    expect(modern.deviceProgram?.directory).toBe("/sys/fs/cgroup/fx-engine/0123abc")
    expect(modern.deviceProgram?.program.length).toBeGreaterThan(0)
  })

  it("needs no program when nothing is restricted, nor when nothing was said", () => {
    expect(writes(unified, path, { devices: [{ allow: true }] }).deviceProgram).toBeUndefined()
    expect(writes(unified, path, {}).deviceProgram).toBeUndefined()
  })

  it("that cannot be restricted is an error, not a warning", () => {
    const layout = parseLayout({ mountinfo: "", cgroups: "", controllers: "" })
    expect(writes(layout, path, { devices: defaultRules }).problems.map(({ severity }) => severity)).toEqual(["error"])
    expect(writes(layout, path, { devices: [{ allow: true, access: "rwm" }] }).problems).toEqual([])
  })
})

describe("any resources on any host", () => {
  const ownerOf = (file: string): Controller | "cgroup" => {
    const prefix = file.slice(0, file.indexOf("."))
    return prefix === "cgroup" ? "cgroup" : controllerNamed(prefix)!
  }

  it("are written only to files of controllers that the host has, where it has them", () => {
    fc.assert(fc.property(arbitraries.layout, arbitraries.resources, arbitraries.resources, (layout, resources, current) => {
      for (const { directory, file } of writes(layout, path, resources, { current }).writes) {
        const owner = ownerOf(file)
        const home = owner === "cgroup" ? layout.unified : layout.controllers[owner]
        expect(home).toBeDefined()
        expect(directory).toBe(cgroupDirectory(home!, path))
        expect(file).toMatch(/^[A-Za-z0-9_.]+$/)
      }
    }), { numRuns: 1000 })
  })

  it("are written only to files that exist, when it is known which do", () => {
    const files = fc.subarray([...separateFiles, ...unifiedFiles])
    fc.assert(fc.property(arbitraries.layout, arbitraries.resources, files, (layout, resources, existing) => {
      const interfaceFiles = new Set(existing)
      for (const { file } of writes(layout, path, resources, { interfaceFiles }).writes) {
        if (!file.startsWith("devices.")) expect(interfaceFiles).toContain(file)
      }
    }))
  })

  it("give a problem for each limit that a missing controller leaves out", () => {
    fc.assert(fc.property(arbitraries.resources, (resources) => {
      const nowhere = parseLayout({ mountinfo: "", cgroups: "", controllers: "" })
      const plan = writes(nowhere, path, resources)
      expect(plan.writes).toEqual([])
      const told = new Set(plan.problems.map(({ resource }) => resource))
      if ((resources.memory?.limit ?? 0) !== 0) expect(told).toContain("memory.limit")
      if ((resources.pids?.limit ?? 0) > 0) expect(told).toContain("pids.limit")
      if ((resources.cpu?.shares ?? 0) > 0) expect(told).toContain("cpu.shares")
      if ((resources.cpu?.cpus ?? "") !== "") expect(told).toContain("cpu.cpus")
      if ((resources.blockIO?.weight ?? 0) > 0) expect(told).toContain("blockIO.weight")
    }))
  })

  it("that ask for nothing write nothing", () => {
    for (const version of [1, 2] as const) {
      expect(lines(version, {})).toEqual([])
      expect(lines(version, { memory: {}, cpu: { shares: 0, cpus: "" }, blockIO: {}, hugepageLimits: [], unified: {} })).toEqual([])
    }
  })

  it("say why a controller is missing", () => {
    const plan = writes(parseLayout(systemdHost), path, { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] })
    expect(plan.problems[0]?.reason).toBe(
      "the hugetlb controller is in a hierarchy that is not mounted here, so hugepageLimits is not limited"
    )
  })
})

describe("the schema of resources", () => {
  const decode = Schema.decodeUnknownSync(Resources, { onExcessProperty: "error" })

  it("takes OCI's form as it is", () => {
    const oci = {
      memory: { limit: 1e9, swap: -1 }, cpu: { shares: 1024, cpus: "0-3", idle: 1 }, pids: { limit: 10 },
      blockIO: { weight: 10, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }] },
      devices: [{ allow: false, access: "rwm" }, { allow: true, type: "c", major: 1, minor: 3, access: "r" }],
      unified: { "memory.high": "max" }
    }
    expect(decode(oci)).toEqual(oci)
  })

  it.each([
    [{ memory: { limit: -2 } }], [{ memory: { limit: 1.5 } }], [{ pids: {} }], [{ devices: [{ allow: true, access: "x" }] }],
    [{ devices: [{ allow: true, major: 4096 }] }], [{ devices: Array.from({ length: 257 }, () => ({ allow: true })) }],
    [{ cpu: { idle: 2 } }]
  ])("refuses %j", (input) => {
    expect(() => decode(input)).toThrow()
  })
})
