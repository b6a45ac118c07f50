import { describe, expect, it } from "vitest"
import type { Resources } from "../../../src/domain/cgroup/CgroupLimits.ts"
import { validateCpus, validateResources } from "../../../src/domain/cgroup/validateResources.ts"

const host = { cpuCount: 4, cpus: "0-3\n", memoryNodes: "0\n" }

const told = (resources: Resources, update = false): ReadonlyArray<string> =>
  validateResources(resources, host, update).map(({ reason, resource, severity }) => `${severity} ${resource}: ${reason}`)

const MiB = 1024 * 1024

describe("resources are accepted", () => {
  it.each<[string, Resources]>([
    ["none at all", {}],
    ["the least memory", { memory: { limit: 6 * MiB, swap: 6 * MiB, reservation: 6 * MiB } }],
    ["unlimited everything", { memory: { limit: -1, swap: -1, reservation: -1, swappiness: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } }],
    ["memory with unlimited swap", { memory: { limit: 64 * MiB, swap: -1 } }],
    ["zeros, which ask for nothing", { memory: { limit: 0, swap: 0 }, cpu: { shares: 0, quota: 0, period: 0, cpus: "" }, blockIO: { weight: 0 } }],
    ["bounds of the CPU", { cpu: { shares: 2, quota: 1000, period: 1000, cpus: "0,2-3", mems: "0" } }],
    ["other bounds", { cpu: { shares: 262_144, period: 1_000_000 }, blockIO: { weight: 10 } }],
    ["weights", { blockIO: { weight: 1000, weightDevice: [{ major: 8, minor: 0, weight: 10 }] } }],
    ["huge pages", { hugepageLimits: [{ pageSize: "64KB", limit: 0 }, { pageSize: "1GB", limit: 1 }] }]
  ])("%s", (_, resources) => {
    expect(told(resources)).toEqual([])
  })
})

describe("resources are refused with the field, the reason and the bound", () => {
  it.each<[Resources, string]>([
    [{ memory: { limit: 4096 } }, "error memory.limit: memory.limit of 4096 bytes is too small: at least 6 MiB (6291456) is needed"],
    [{ memory: { reservation: 1 } }, "error memory.reservation: memory.reservation of 1 bytes is too small: at least 6 MiB (6291456) is needed"],
    [{ memory: { swap: 64 * MiB } }, "error memory.swap: a swap limit needs a memory limit beside it: it counts memory and swap together"],
    [{ memory: { limit: 64 * MiB, swap: 32 * MiB } }, "error memory.swap: memory and swap together, 33554432 bytes, must not be less than the memory limit, 67108864"],
    [{ memory: { limit: 64 * MiB, reservation: 65 * MiB } }, "error memory.reservation: a reservation of 68157440 bytes must not be more than the memory limit, 67108864"],
    [{ memory: { swappiness: 101 } }, "error memory.swappiness: swappiness must be from 0 to 100, not 101"],
    [{ cpu: { shares: 1 } }, "error cpu.shares: CPU shares must be from 2 to 262144, not 1"],
    [{ cpu: { shares: 262_145 } }, "error cpu.shares: CPU shares must be from 2 to 262144, not 262145"],
    [{ cpu: { period: 999 } }, "error cpu.period: the CPU period in microseconds must be from 1000 to 1000000, not 999"],
    [{ cpu: { period: 1_000_001 } }, "error cpu.period: the CPU period in microseconds must be from 1000 to 1000000, not 1000001"],
    [{ cpu: { quota: 999 } }, "error cpu.quota: a CPU quota of 999 µs is too small: at least 1 ms (1000) is needed"],
    [{ cpu: { realtimeRuntime: 2000, realtimePeriod: 1000 } }, "error cpu.realtimeRuntime: 2000 µs of real-time run time do not fit into a period of 1000"],
    [{ cpu: { cpus: "0-4" } }, "error cpu.cpus: this host does not have all of the CPUs 0-4: there are 0-3"],
    [{ cpu: { mems: "1" } }, "error cpu.mems: this host does not have all of the memory nodes 1: there are 0"],
    [{ cpu: { cpus: "x" } }, "error cpu.cpus: cannot read the list of CPUs \"x\": \"x\" is neither a number nor a range; write numbers and ranges with commas, e.g. 0-2,5"],
    [{ blockIO: { weight: 9 } }, "error blockIO.weight: the block I/O weight must be from 10 to 1000, not 9"],
    [{ blockIO: { weight: 1001 } }, "error blockIO.weight: the block I/O weight must be from 10 to 1000, not 1001"],
    [{ blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 0 }] } }, "error blockIO.weightDevice: the block I/O weight of 8:0 must be from 10 to 1000, not 0"],
    [{ blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 5 }] } }, "error blockIO.weightDevice: the block I/O weight of 8:0 must be from 10 to 1000, not 5"],
    [{ hugepageLimits: [{ pageSize: "2mb", limit: 1 }] }, "error hugepageLimits: \"2mb\" is no page size: write it like 2MB"]
  ])("%j", (resources, message) => {
    expect(told(resources)).toEqual([message])
  })

  it("all at once, not only the first", () => {
    expect(told({ memory: { limit: 1 }, cpu: { shares: 1 }, blockIO: { weight: 1 } })).toHaveLength(3)
  })
})

describe("an update", () => {
  it("may change swap alone, for the container has its memory limit already", () => {
    expect(told({ memory: { swap: 64 * MiB } }, true)).toEqual([])
  })
})

describe("an OOM killer switched off", () => {
  it("is worth a warning without a memory limit", () => {
    expect(told({ memory: { disableOOMKiller: true } })[0]).toMatch(/^warning memory.disableOOMKiller: without a memory limit/)
    expect(told({ memory: { disableOOMKiller: true, limit: 64 * MiB } })).toEqual([])
  })
})

describe("a number of CPUs", () => {
  const reasons = (...given: Parameters<typeof validateCpus>) => validateCpus(...given).map(({ reason }) => reason)

  it("is from 0 to what the host has", () => {
    expect(reasons({ nanoCpus: 4e9 }, 4)).toEqual([])
    expect(reasons({ nanoCpus: 1.5e9 }, 4)).toEqual([])
    expect(reasons({ nanoCpus: 0 }, 4)).toEqual([])
    expect(reasons({ nanoCpus: 4.5e9 }, 4)).toEqual(
      ["the number of CPUs must be more than 0 and at most 4, which this host has, not 4.5"]
    )
    expect(reasons({ nanoCpus: -1e9 }, 4)).toHaveLength(1)
  })

  it("excludes quota and period, now and from before", () => {
    expect(reasons({ nanoCpus: 1e9, quota: 1000, period: 0 }, 4)).toEqual(
      ["a number of CPUs and a CPU quota exclude each other: give one of them"]
    )
    expect(reasons({ nanoCpus: 1e9 }, 4, { period: 1000 })).toEqual(
      ["the container has a CPU period, which excludes a number of CPUs: change the period instead"]
    )
    expect(reasons({ quota: 1000 }, 4, { nanoCpus: 1e9 })).toEqual(
      ["the container has a number of CPUs, which excludes a CPU quota: change the number instead"]
    )
    expect(reasons({ nanoCpus: 2e9 }, 4, { nanoCpus: 1e9 })).toEqual([])
  })
})
