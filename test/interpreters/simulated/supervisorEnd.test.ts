import { assert, describe, it } from "@effect/vitest"
import { attachFlags } from "../../../src/domain/kernel/Supervisor.ts"
import { cgroupPaths, exitAt, leaks } from "../../../src/testing/index.ts"
import { Client, containerOf, exec, Machine, prepare, specOf, start } from "./SimulatedMachine.ts"

describe("the end", () => {
  const groups = ["/sys/fs/cgroup/fx/one"]

  it("kills what is left by cgroup.kill and removes the groups, the container's own too", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: groups[0]! })
    const before = machine.world
    const client = start(
      machine,
      specOf({
        cgroup: groups[0]!,
        killFiles: [`${groups[0]}/cgroup.kill`],
        removeDirectories: groups,
        program: [exec("sh", "-c", "mkdir /sys/fs/cgroup/fx/one/inner; sleep 1000 & exit 6")]
      })
    )
    assert.strictEqual(client.finish().exit?.code, 6)
    assert.deepStrictEqual(cgroupPaths(machine.world), ["0:/fx"])
    machine.do("ChannelClose", { channel: client.channel })
    machine.pass(1)
    const left = leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] })
    assert.deepStrictEqual(left.filter((one) => one.kind !== "process"), [])
  })

  it("kills by cgroup.procs where there is no cgroup.kill", () => {
    const directory = "/sys/fs/cgroup/memory/fx"
    const machine = new Machine({ host: { cgroups: "v1" } })
    machine.do("CgroupEnsure", { directory })
    const client = start(
      machine,
      specOf({
        killProcs: [`${directory}/cgroup.procs`],
        removeDirectories: [directory],
        program: [
          { _tag: "CgroupAttach", files: [`${directory}/tasks`] },
          exec("sh", "-c", "sleep 1000 & sleep 1000 & exit 6")
        ]
      })
    )
    assert.strictEqual(client.finish().exit?.code, 6)
    assert.deepStrictEqual(cgroupPaths(machine.world), [])
  })

  it("asks for the command that comes after, unless a client claimed that", () => {
    for (
      const [attach, commands] of [[attachFlags.stdout, 1], [
        attachFlags.stdout | attachFlags.claim,
        0
      ]] as const
    ) {
      const machine = new Machine()
      start(machine, containerOf(["true"], { onExit: ["/usr/bin/fx-engine", "reap"] }), attach)
        .finish()
      assert.deepStrictEqual(
        machine.world.commands.map((one) => one.argv),
        Array.from({ length: commands }, () => ["/usr/bin/fx-engine", "reap"])
      )
    }
  })

  it("asks for it too when the client with the claim has left, not after a failed start", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "5"], { onExit: ["after"] }))
    client.until((frame) => frame._tag === "Started")
    machine.do("ChannelClose", { channel: client.channel })
    machine.pass(10)
    assert.strictEqual(machine.world.commands.length, 1)
    const failing = new Machine()
    start(failing, containerOf(["nosuch"], { onExit: ["after"] }), 0).finish()
    assert.strictEqual(failing.world.commands.length, 0)
  })

  it("comes although the engine has died, and leaves nothing but what it was told to write", () => {
    const machine = new Machine()
    prepare(machine)
    const before = machine.world
    Client.start(machine, containerOf(["sh", "-c", "sleep 1; exit 9"]))
    machine.pass(0.0002)
    machine.crash()
    machine.pass(10)
    assert.strictEqual(exitAt(machine.world, "/var/lib/test/exit")?.code, 9)
    assert.deepStrictEqual(
      leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] }),
      []
    )
  })
})

describe("a pid namespace that is joined", () => {
  it("is that of the process, and only while it is that process", () => {
    const machine = new Machine()
    const first = start(machine, containerOf(["sleep", "10"]))
    first.until((frame) => frame._tag === "Started")
    const { process } = first.frames.find((one) => one._tag === "Started")!
    machine.do("DirEnsure", { path: "/run/exec", mode: 0o700 })
    const inside = specOf({
      directory: "/run/exec",
      pidNamespace: process,
      program: [
        { _tag: "NamespaceEnter", process, kinds: ["mnt", "uts", "ipc", "net"] },
        exec("ps")
      ]
    })
    const ended = Client.start(machine, inside).finish()
    assert.match(ended.stdout, / 1 root {5}sleep 10\n +2 root {5}ps\n/)
    const wrong = { ...process, startTime: process.startTime + 1 }
    const refused = Client.start(machine, { ...inside, pidNamespace: wrong }).finish()
    assert.deepStrictEqual([refused.failed?.operation, refused.failed?.errno], [-1, 3])
  })
})
