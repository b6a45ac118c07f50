import { assert, describe, it } from "@effect/vitest"
import { machineOf, v2 } from "./CgroupMachine.ts"
import { Client, containerOf, prepare, run } from "./SimulatedMachine.ts"

describe("limits that bite", () => {
  it("pids.max ends a fork with EAGAIN and counts it", () => {
    const machine = machineOf("v2", [v2])
    machine.do("CgroupWrite", { directory: v2, file: "pids.max", value: "3" })
    const ended = run(machine, containerOf(["forks", "5"], { cgroup: v2 }))
    assert.include(ended.stderr, "Resource temporarily unavailable after 2")
    assert.strictEqual(ended.exit?.code, 1)
    assert.strictEqual(machine.cgroup(v2, "pids.events"), "max 1")
    assert.strictEqual(machine.cgroup(v2, "pids.peak"), "3")
  })

  it("memory.max brings the OOM killer: 137, and oom_kill is counted", () => {
    const machine = machineOf("v2", [v2])
    machine.do("CgroupWrite", { directory: v2, file: "memory.max", value: "64M" })
    const ended = run(
      machine,
      containerOf(["allocate", "80M", "10"], { cgroup: v2, oomFile: `${v2}/memory.events` })
    )
    assert.deepStrictEqual(ended.exit, { code: 137, signal: 9, oomKilled: true })
    assert.include(machine.cgroup(v2, "memory.events"), "oom_kill 1")
  })

  it("memory within the limit is given, and is free again afterwards", () => {
    const machine = machineOf("v2", [v2])
    machine.do("CgroupWrite", { directory: v2, file: "memory.max", value: "100M" })
    const ended = run(
      machine,
      containerOf(["allocate", "80M"], { cgroup: v2, oomFile: `${v2}/memory.events` })
    )
    assert.deepStrictEqual(ended.exit, { code: 0, signal: 0, oomKilled: false })
    assert.strictEqual(machine.cgroup(v2, "memory.current"), "0")
    assert.isAbove(Number(machine.cgroup(v2, "memory.peak")), 80 << 20)
  })

  it("a limit below what is used kills on version 2 and is refused on version 1", () => {
    const second = machineOf("v2", [v2])
    prepare(second)
    const client = Client.start(second, containerOf(["allocate", "80M", "100"], { cgroup: v2 }))
    client.untilOutput("allocated")
    second.do("CgroupWrite", { directory: v2, file: "memory.max", value: "10M" })
    assert.strictEqual(client.finish().exit?.code, 137)

    const directory = "/sys/fs/cgroup/memory/fx"
    const first = machineOf("v1", [directory])
    prepare(first)
    const spec = containerOf(["allocate", "80M", "100"])
    const other = Client.start(first, {
      ...spec,
      program: [{ _tag: "CgroupAttach", files: [`${directory}/tasks`] }, ...spec.program]
    })
    other.untilOutput("allocated")
    assert.strictEqual(
      first.errno("CgroupWrite", { directory, file: "memory.limit_in_bytes", value: "10M" }),
      "EBUSY"
    )
  })

  it("memory.oom.group takes the whole group", () => {
    const machine = machineOf("v2", [v2])
    machine.do("CgroupWrite", { directory: v2, file: "memory.max", value: "64M" })
    machine.do("CgroupWrite", { directory: v2, file: "memory.oom.group", value: "1" })
    const ended = run(
      machine,
      containerOf(["sh", "-c", "allocate 80M 10; sleep 100"], { cgroup: v2 })
    )
    assert.strictEqual(ended.exit?.code, 137)
    assert.include(machine.cgroup(v2, "memory.events"), "oom_group_kill 1")
  })
})

describe("frozen groups", () => {
  const started = (cgroups: "v1" | "v2") => {
    const directory = cgroups === "v2" ? v2 : "/sys/fs/cgroup/freezer/fx"
    const machine = machineOf(cgroups, [directory])
    prepare(machine)
    const spec = containerOf(
      ["sh", "-c", "echo go; sleep 1; echo done"],
      cgroups === "v2" ? { cgroup: directory } : {}
    )
    const program = cgroups === "v2"
      ? spec.program
      : [{ _tag: "CgroupAttach" as const, files: [`${directory}/tasks`] }, ...spec.program]
    const client = Client.start(machine, { ...spec, program })
    client.untilOutput("go")
    return { machine, client, directory }
  }

  for (const version of [1, 2] as const) {
    it(`stand still on version ${version} and go on when thawed`, () => {
      const { client, directory, machine } = started(`v${version}`)
      machine.do("CgroupFreeze", { directory, version, frozen: true })
      machine.pass(100)
      assert.strictEqual(client.stdout, "go\n")
      machine.do("CgroupFreeze", { directory, version, frozen: false })
      assert.strictEqual(client.finish().stdout, "go\ndone\n")
    })

    it(`die of CgroupKill on version ${version}`, () => {
      const { client, directory, machine } = started(`v${version}`)
      machine.do("CgroupFreeze", { directory, version, frozen: true })
      machine.do("CgroupKill", { directory, version })
      assert.strictEqual(client.finish().exit?.code, 137)
      assert.deepStrictEqual(machine.do("CgroupProcesses", { directory }), [])
    })
  }

  it("show that they are frozen, below too", () => {
    const machine = machineOf("v2", [`${v2}/a`])
    machine.do("CgroupFreeze", { directory: v2, version: 2, frozen: true })
    assert.strictEqual(machine.cgroup(`${v2}/a`, "cgroup.events"), "populated 0\nfrozen 1")
    assert.strictEqual(machine.cgroup(`${v2}/a`, "cgroup.freeze"), "0")
  })
})
