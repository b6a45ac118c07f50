import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  advance, anyOp, brokenInvariants, decodeWorld, encodeWorld, makeWorld, recordOp, step, type World
} from "../../../src/testing/index.ts"
import { Client, containerOf, Machine, prepare } from "./SimulatedMachine.ts"

describe("a host after boot", () => {
  for (const cgroups of ["v1", "v2", "hybrid"] as const) {
    it(`with ${cgroups} has nothing wrong with it`, () => {
      assert.deepStrictEqual(brokenInvariants(makeWorld({ host: { cgroups } })), [])
    })
  }

  it("tells of its hierarchies as its kind does", () => {
    const facts = (cgroups: "v1" | "v2" | "hybrid") =>
      new Machine({ host: { cgroups } }).do("HostRead", {})
    assert.strictEqual(facts("v2").selfCgroup, "0::/\n")
    assert.strictEqual(facts("v2").controllers, "cpuset cpu io memory hugetlb pids rdma misc\n")
    assert.include(facts("v2").mountinfo, "/sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:")
    assert.include(facts("v1").selfCgroup, ":cpu,cpuacct:/\n")
    assert.strictEqual(facts("v1").controllers, "")
    assert.match(facts("hybrid").mountinfo, /\/sys\/fs\/cgroup\/unified .* - cgroup2 cgroup2 rw/)
    assert.match(facts("hybrid").selfCgroup, /0::\/\n$/)
  })

  it("is the machine that was asked for", () => {
    const facts = new Machine({
      host: { cpus: 4, memoryTotal: 2 ** 30, hostname: "box", user: 1000, kernelRelease: "6.1.0" }
    }).do("HostRead", {})
    assert.deepInclude(facts, {
      cpus: 4,
      cpuList: "0-3",
      memoryTotal: 2 ** 30,
      hostname: "box",
      user: 1000,
      kernelRelease: "6.1.0",
      memoryNodes: "0"
    })
  })
})

/** A world with a bit of everything in it. */
const busy = (seed = 0): Machine => {
  const machine = new Machine({ seed, files: { "/bytes": new Uint8Array([0, 255, 128]) } })
  machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx/one" })
  machine.do("LockAcquire", { path: "/tmp/lock", shared: false })
  machine.do("RecordPut", {
    collection: "containers",
    key: "k",
    revision: 0,
    name: "n",
    value: "{}"
  })
  prepare(machine)
  const script =
    "trap 'echo trapped' TERM; i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i; sleep 1; done"
  Client.start(machine, containerOf(["sh", "-c", script], { cgroup: "/sys/fs/cgroup/fx/one" }))
  machine.pass(3)
  return machine
}

describe("a world as text", () => {
  it("is the same world again: it goes on in the same way", () => {
    const machine = busy()
    const text = encodeWorld(machine.world)
    const again = decodeWorld(text)
    assert.strictEqual(encodeWorld(again), text)
    const [one, other] = [machine.world, again].map((world) =>
      encodeWorld(advance(world, world.now + 30_000_000, machine.behaviours))
    )
    assert.strictEqual(one, other)
    assert.deepStrictEqual(brokenInvariants(again), [])
  })

  it("can be any world that operations lead to", () => {
    fc.assert(
      fc.property(fc.array(anyOp(), { maxLength: 30 }), (ops) => {
        const machine = new Machine()
        for (const one of ops) machine.attempt(one.tag, one.payload as never)
        const again = decodeWorld(encodeWorld(machine.world))
        assert.strictEqual(encodeWorld(again), encodeWorld(machine.world))
        for (const one of ops.slice(0, 5)) {
          assert.deepStrictEqual(
            step(again, one, machine.engine, {})[0],
            step(machine.world, one, machine.engine, {})[0]
          )
        }
      }),
      { numRuns: 30 }
    )
  })

  it("of another version is refused with what to do", () => {
    assert.throws(() => decodeWorld("{\"format\":\"fx-world 0\"}"), /remove the file/)
  })
})

describe("the seed", () => {
  it("decides everything: the same gives the same world, another gives another", () => {
    const worlds = [1, 1, 2].map((seed) => encodeWorld(busy(seed).world))
    assert.strictEqual(worlds[0], worlds[1])
    assert.notStrictEqual(worlds[0], worlds[2])
  })

  it("does not matter to what the container comes to", () => {
    for (let seed = 0; seed < 20; seed++) {
      const machine = new Machine({ seed })
      prepare(machine)
      const client = Client.start(
        machine,
        containerOf([
          "sh",
          "-c",
          "for i in 1 2 3; do sh -c \"exit $i\" & wait $!; echo $?; done | cat"
        ])
      )
      assert.strictEqual(client.finish().stdout, "1\n2\n3\n")
    }
  })
})

describe("two futures of one world", () => {
  it("do not know of each other", () => {
    const machine = busy()
    const { behaviours, world } = machine
    const future = (from: World) => encodeWorld(advance(from, from.now + 5_000_000, behaviours))
    const first = future(world)
    const other = advance(world, world.now + 60_000_000, behaviours)
    assert.strictEqual(future(world), first)
    assert.notStrictEqual(encodeWorld(other), first)
  })
})

describe("records", () => {
  const put = (machine: Machine, key: string, revision: number, name = "") =>
    machine.errno("RecordPut", {
      collection: "containers",
      key,
      revision,
      name,
      value: `${key}${revision}`
    })

  it("change only from the revision that was read", () => {
    const machine = new Machine()
    assert.deepStrictEqual([
      put(machine, "a", 0),
      put(machine, "a", 0),
      put(machine, "a", 2),
      put(machine, "a", 1)
    ], ["success", "ESTALE", "ESTALE", "success"])
    assert.deepStrictEqual(machine.do("RecordGet", { collection: "containers", key: "a" }), {
      key: "a",
      revision: 2,
      name: "",
      value: "a1"
    })
    assert.isUndefined(machine.do("RecordGet", { collection: "images", key: "a" }))
  })

  it("have names of their own, which are free again when they go", () => {
    const machine = new Machine()
    assert.deepStrictEqual([
      put(machine, "a", 0, "n"),
      put(machine, "b", 0, "n"),
      put(machine, "b", 0, "m")
    ], ["success", "EEXIST", "success"])
    assert.strictEqual(put(machine, "b", 1, "n"), "EEXIST")
    machine.do("RecordDelete", { collection: "containers", key: "a" })
    machine.do("RecordDelete", { collection: "containers", key: "a" })
    assert.strictEqual(put(machine, "b", 1, "n"), "success")
    assert.deepStrictEqual(
      machine.do("RecordList", { collection: "containers" }).map((row) => [row.key, row.name]),
      [["b", "n"]]
    )
  })

  it("survive every engine, and keep their index whatever is done", () => {
    fc.assert(fc.property(fc.array(recordOp, { maxLength: 40 }), (ops) => {
      const machine = new Machine()
      for (const one of ops) machine.attempt(one.tag, one.payload as never)
      const rows = machine.do("RecordList", { collection: "containers" })
      machine.crash()
      assert.deepStrictEqual(machine.do("RecordList", { collection: "containers" }), rows)
      assert.deepStrictEqual(brokenInvariants(machine.world), [])
    }))
  })
})
