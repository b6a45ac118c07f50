import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { errnoName } from "../../../src/domain/kernel/errno.ts"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { brokenInvariants, leaks, possibleInitErrnos } from "../../../src/testing/index.ts"
import { mountOf } from "./InitProgram.ts"
import { Client, containerOf, exec, Machine, ownRoot, prepare, specOf } from "./SimulatedMachine.ts"

describe("a start that fails at any operation", () => {
  it("leaves nothing behind, whatever errno it was", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx/one" })
    prepare(machine)
    const baseline = machine.world
    const spec = containerOf(["sleep", "1"], {
      cgroup: "/sys/fs/cgroup/fx/one",
      killFiles: ["/sys/fs/cgroup/fx/one/cgroup.kill"],
      removeDirectories: ["/sys/fs/cgroup/fx/one"]
    }, [{ _tag: "Hostname", name: "x" }, mountOf({}), {
      _tag: "WorkingDirectory",
      path: "/tmp",
      create: false
    }])
    for (const [index, op] of spec.program.entries()) {
      for (const errno of possibleInitErrnos[op._tag]) {
        machine.world = { ...baseline, initFaults: [{ operation: index, occurrence: 0, errno }] }
        const client = Client.start(machine, spec)
        const { failed } = client.finish()
        assert.deepStrictEqual([failed?.operation, errnoName(failed?.errno ?? 0)], [index, errno])
        machine.do("ChannelClose", { channel: client.channel })
        assert.deepStrictEqual(
          leaks(baseline, machine.world, { allowed: ["/run/test", "/var/lib/test"] }),
          []
        )
        assert.deepStrictEqual(brokenInvariants(machine.world), [])
      }
    }
  })
})

describe("any order of operations", () => {
  const ops: ReadonlyArray<InitOp> = [
    ...ownRoot,
    mountOf({}),
    mountOf({ target: "/mnt/inner" }),
    mountOf({ target: "/etc", copyUp: true }),
    { _tag: "TreeOpen", slot: 0, source: "/etc", recursive: true },
    { _tag: "TreeOpen", slot: 1, source: "/", recursive: false },
    { _tag: "MountTree", slot: 0, target: "/mnt", attributes: ["ro"], propagation: "rprivate" },
    { _tag: "MountTree", slot: 1, target: "/opt", attributes: [], propagation: "rslave" },
    { _tag: "MountPropagation", path: "/", propagation: "rshared" },
    { _tag: "MountPropagation", path: "/", propagation: "rslave" },
    { _tag: "NamespaceUnshare", kinds: ["mnt", "uts"] },
    { _tag: "NamespaceUnshare", kinds: ["cgroup", "pid"] },
    { _tag: "MaskPaths", paths: ["/etc", "/usr"] },
    { _tag: "ReadonlyPaths", paths: ["/etc"] },
    { _tag: "Hostname", name: "x" },
    { _tag: "User", uid: 33, gid: 33, groups: [] },
    { _tag: "WorkingDirectory", path: "/tmp", create: true }
  ]

  it("keeps references, trees and counters right, and leaves nothing afterwards", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...ops), { maxLength: 12 }),
        fc.boolean(),
        (program, isolated) => {
          const machine = new Machine()
          prepare(machine)
          const before = machine.world
          const namespaces = isolated ? ["mnt", "pid", "uts"] as const : ["mnt"] as const
          const client = Client.start(
            machine,
            specOf({ namespaces, program: [...program, exec("sh", "-c", "exit 1")] })
          )
          client.finish()
          machine.do("ChannelClose", { channel: client.channel })
          machine.pass(1)
          assert.deepStrictEqual(brokenInvariants(machine.world), [])
          // A mount on a shared tree is seen by the host: only private ones vanish
          const kinds = leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] })
            .filter((one) =>
              one.kind === "process" || one.kind === "namespace" || one.kind === "pipe"
            )
          assert.deepStrictEqual(kinds, [])
        }
      ),
      { numRuns: 150 }
    )
  })
})
