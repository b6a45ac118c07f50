import { describe, expect, it } from "vitest"
import { op } from "../../../../src/domain/kernel/KernelOp.ts"
import { runOn, simulate, type TraceEntry } from "../../../../src/testing/index.ts"
import { simulatedHost } from "../../../../src/cli/commands/replay/simulatedHost.ts"
import { perform } from "../../../../src/programs/Kernel.ts"

const mount = (id: number, point: string, type: string, options: string, parent = 30) =>
  `${id} ${parent} 0:${id} / /sys/fs/cgroup${point} rw - ${type} ${type} rw${options}\n`

const traceOf = async (mountinfo: string, controllers: string): Promise<ReadonlyArray<TraceEntry>> => {
  const exit = await runOn(simulate({}), perform("HostRead", {}))
  if (exit._tag === "Failure") throw new Error(String(exit.cause))
  const value = { ...exit.value, mountinfo: `30 1 0:1 / / rw - ext4 /dev/vda rw\n${mountinfo}`, controllers }
  return [{ index: 0, op: op("HostRead", {}), outcome: { _tag: "Success", value }, startedNs: 0, durationNs: 0 }]
}

describe("the host of a replay", () => {
  it("has the control groups of the trace, with their controllers, where they were", async () => {
    const hybrid = mount(31, "/cpu,cpuacct", "cgroup", ",cpu,cpuacct") +
      mount(32, "/systemd", "cgroup", ",xattr,name=systemd") + mount(33, "/unified", "cgroup2", "")
    const host = simulatedHost(await traceOf(hybrid, "hugetlb misc\n"))
    expect(host.cgroups).toBe("hybrid")
    expect(host.hierarchies).toEqual([
      { version: 1, name: "", controllers: ["cpu", "cpuacct"], directory: "cpu,cpuacct" },
      { version: 1, name: "systemd", controllers: [], directory: "systemd" },
      { version: 2, name: "", controllers: ["hugetlb", "misc"], directory: "unified" }
    ])
    const unified = simulatedHost(await traceOf(mount(31, "", "cgroup2", ""), "cpu memory\n"))
    const all = [{ version: 2, controllers: ["cpu", "memory"], directory: "" }]
    expect(unified).toMatchObject({ cgroups: "v2", hierarchies: all })
  })

  it("boots with them: what an engine reads there is what the trace had", async () => {
    const mountinfo = mount(31, "/cpu,cpuacct", "cgroup", ",cpu,cpuacct") + mount(33, "/unified", "cgroup2", "")
    const host = simulatedHost(await traceOf(mountinfo, "hugetlb\n"))
    const simulation = simulate({ host })
    const exit = await runOn(simulation, perform("HostRead", {}))
    expect(exit).toMatchObject({ _tag: "Success", value: { controllers: "hugetlb\n" } })
    const write = (directory: string, file: string, value: string) =>
      runOn(simulation, perform("CgroupWrite", { directory: `/sys/fs/cgroup/${directory}`, file, value }))
    expect(await write("unified", "cgroup.subtree_control", "+hugetlb")).toMatchObject({ _tag: "Success" })
    expect(await write("unified", "cgroup.subtree_control", "+memory")).toMatchObject({ _tag: "Failure" })
    expect(await write("cpuacct", "cpu.shares", "512")).toMatchObject({ _tag: "Success" })
  })

  it("is the usual one where the trace has not looked, or has them mounted as none is", async () => {
    expect(simulatedHost([]).hierarchies).toBeUndefined()
    const odd = mount(31, "", "cgroup2", "") + mount(32, "/memory", "cgroup", ",memory", 31)
    expect(simulatedHost(await traceOf(odd, "")).hierarchies).toBeUndefined()
    expect(simulatedHost(await traceOf("", "")).hierarchies).toBeUndefined()
  })
})
