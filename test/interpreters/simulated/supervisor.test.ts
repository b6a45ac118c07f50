import { assert, describe, it } from "@effect/vitest"
import {
  attachFlags, parseStatus, type SupervisorSpec
} from "../../../src/domain/kernel/Supervisor.ts"
import { brokenInvariants, exitAt } from "../../../src/testing/index.ts"
import {
  Client, containerOf, exec, Machine, prepare, run, specOf, start
} from "./SimulatedMachine.ts"

const pipes = (stdin: "null" | "open" | "once"): Pick<SupervisorSpec, "stdio"> => ({
  stdio: { terminal: false, rows: 0, columns: 0, stdin }
})

const status = (machine: Machine) => parseStatus(machine.text("/run/test/status"))

describe("the status file", () => {
  it("tells fact by fact how far a container has come", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "1"]))
    assert.strictEqual(
      machine.errno("FileRead", { path: "/run/test/status", limit: 1000 }),
      "ENOENT"
    )
    machine.pass(0.0001)
    assert.isNumber(status(machine)?.supervisor.pid)
    client.until((frame) => frame._tag === "Started")
    const running = status(machine)!
    assert.isDefined(running.startedAt)
    assert.isUndefined(running.exited)
    assert.deepStrictEqual(
      client.frames.filter((one) => one._tag === "Started").map((one) => one.process),
      [running.init]
    )
    client.finish()
    const ended = status(machine)!
    assert.deepStrictEqual(ended.exited?.status, { code: 0, signal: 0, oomKilled: false })
    assert.strictEqual(ended.exited!.at - ended.startedAt! > 1_000_000_000n, true)
    assert.deepStrictEqual(exitAt(machine.world, "/var/lib/test/exit"), ended.exited?.status)
  })

  it("tells what failed, and then there is no exit", () => {
    const machine = new Machine()
    const ended = run(
      machine,
      containerOf(["sleep", "1"], {}, [{
        _tag: "MountFilesystem",
        type: "nosuch",
        source: "",
        target: "/x",
        strict: false,
        options: [],
        attributes: [],
        copyUp: false
      }])
    )
    assert.deepStrictEqual(ended.failed, {
      _tag: "Failed",
      operation: 6,
      errno: 19,
      syscall: "fsopen",
      path: "nosuch"
    })
    assert.deepStrictEqual(status(machine)?.failed, {
      operation: 6,
      errno: 19,
      syscall: "fsopen",
      path: "nosuch"
    })
    assert.isUndefined(ended.exit)
    assert.isUndefined(exitAt(machine.world, "/var/lib/test/exit"))
  })

  it("of a supervisor that could not even begin has −1", () => {
    const machine = new Machine()
    prepare(machine)
    const gone = Client.start(
      machine,
      specOf({ cgroup: "/sys/fs/cgroup/nosuch", program: [exec("true")] })
    ).finish()
    assert.deepStrictEqual(gone.failed, {
      _tag: "Failed",
      operation: -1,
      errno: 2,
      syscall: "openat",
      path: "/sys/fs/cgroup/nosuch"
    })
  })

  it("of a container killed while it was set up says so", () => {
    const machine = new Machine()
    machine.do("CgroupMake", { directory: "/sys/fs/cgroup/fx" })
    const client = start(machine, containerOf(["sleep", "1"], { cgroup: "/sys/fs/cgroup/fx" }))
    machine.pass(0.0001)
    machine.do("CgroupKill", { directory: "/sys/fs/cgroup/fx", version: 2 })
    const { failed } = client.finish()
    assert.deepStrictEqual([failed?.operation, failed?.errno, failed?.syscall], [-1, 10, "wait4"])
  })
})

describe("clients", () => {
  it("that come later learn that the container runs, and hear what is said from then on", () => {
    const machine = new Machine()
    const first = start(machine, containerOf(["sh", "-c", "echo one; sleep 1; echo two"]))
    first.untilOutput("one")
    const second = Client.open(machine, "/run/test")
    assert.strictEqual(second.finish().stdout, "two\n")
    assert.deepStrictEqual(second.frames[0]?._tag, "Started")
    assert.strictEqual(first.finish().stdout, "one\ntwo\n")
  })

  it("get the streams they asked for, and the exit in any case", () => {
    const machine = new Machine()
    const client = start(
      machine,
      containerOf(["sh", "-c", "echo out; echo err >&2"]),
      attachFlags.stderr
    )
    const ended = client.finish()
    assert.deepStrictEqual([ended.stdout, ended.stderr, ended.exit?.code], ["", "err\n", 0])
  })

  it("find nobody before the start and after the end", () => {
    const machine = new Machine()
    prepare(machine)
    assert.strictEqual(
      machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }),
      "ENOENT"
    )
    const client = Client.start(machine, containerOf(["true"]))
    client.finish()
    assert.strictEqual(
      machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }),
      "ENOENT"
    )
    assert.strictEqual(
      machine.errno("ChannelWrite", { channel: client.channel, frames: new Uint8Array(8) }),
      "EPIPE"
    )
    machine.do("ChannelClose", { channel: client.channel })
    assert.strictEqual(machine.errno("ChannelRead", { channel: client.channel }), "EBADF")
  })

  it("are refused by a dead supervisor whose socket is left", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "1000"]))
    client.until((frame) => frame._tag === "Started")
    machine.do("ProcessSignal", { process: status(machine)!.supervisor, signal: 9 })
    machine.pass(0.001)
    assert.strictEqual(
      machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }),
      "ECONNREFUSED"
    )
    assert.isUndefined(client.finish().exit)
    assert.deepStrictEqual(brokenInvariants(machine.world), [])
  })

  it("are seventeen only if one has left", () => {
    const machine = new Machine()
    start(machine, containerOf(["sleep", "10"])).until((frame) => frame._tag === "Started")
    const others = Array.from({ length: 15 }, () => Client.open(machine, "/run/test"))
    machine.pass(0.001)
    assert.deepStrictEqual(Client.open(machine, "/run/test").finish().frames, [])
    machine.do("ChannelClose", { channel: others[0]!.channel })
    machine.pass(0.001)
    assert.strictEqual(Client.open(machine, "/run/test").finish().exit?.code, 0)
  })

  it("that read nothing hold the container back", () => {
    const machine = new Machine({ files: { "/images/busybox/big": "x".repeat(2 << 20) } })
    const client = start(machine, containerOf(["sh", "-c", "cat /big; echo said >&2"]))
    machine.pass(5)
    const held = machine.world.channels.values()[0]!.outgoingSize
    assert.isBelow(held, 300_000)
    const ended = client.finish()
    assert.strictEqual(
      ended.frames.reduce((sum, frame) =>
        frame._tag === "Output" && frame.stream === "stdout" ? sum + frame.data.length : sum, 0),
      2 << 20
    )
    assert.include(ended.stderr, "said\n")
  })

  it("that read nothing are waited for ten seconds after the container's end", () => {
    const machine = new Machine({ files: { "/images/busybox/big": "x".repeat(250_000) } })
    const client = start(machine, containerOf(["cat", "/big"]))
    machine.pass(9)
    assert.isUndefined(status(machine)?.exited)
    machine.pass(2)
    assert.strictEqual(status(machine)?.exited?.status.code, 0)
    assert.isAtMost(client.finish().stdout.length, 250_000)
  })
})

describe("input", () => {
  it("goes to the container, and ends when the client says so", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["cat"], pipes("open")))
    client.send("hello ")
    client.send("world")
    client.end()
    const ended = client.finish()
    assert.deepStrictEqual([ended.stdout, ended.exit?.code], ["hello world", 0])
  })

  it("stays open when a client leaves, with once it ends then", () => {
    for (const [stdin, ends] of [["open", false], ["once", true]] as const) {
      const machine = new Machine()
      const client = start(machine, containerOf(["cat"], pipes(stdin)))
      client.send("x")
      client.untilOutput("x")
      machine.do("ChannelClose", { channel: client.channel })
      machine.pass(1)
      assert.strictEqual(exitAt(machine.world, "/var/lib/test/exit")?.code === 0, ends, stdin)
    }
  })

  it("of a client that asked for none is thrown away, and without stdin there is none", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["cat"], pipes("null")))
    client.send("x")
    assert.strictEqual(client.finish().stdout, "")
  })

  it("waits in the channel when nobody reads it", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "10"], pipes("open")))
    const chunk = "x".repeat(60_000)
    for (let count = 0; count < 5; count++) client.send(chunk)
    const pipe = machine.world.pipes.values().find((one) => one.size > 0)
    assert.strictEqual(pipe?.size, 65_536)
  })
})
