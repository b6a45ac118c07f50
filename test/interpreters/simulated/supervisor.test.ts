import { assert, describe, it } from "@effect/vitest"
import { attachFlags, parseStatus, type SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { brokenInvariants, cgroupPaths, exitAt, leaks } from "../../../src/testing/index.ts"
import { Client, containerOf, exec, Machine, prepare, run, specOf } from "./SimulatedMachine.ts"

const pipes = (stdin: "null" | "open" | "once"): Pick<SupervisorSpec, "stdio"> =>
  ({ stdio: { terminal: false, rows: 0, columns: 0, stdin } })

const start = (machine: Machine, spec: SupervisorSpec, attach?: number): Client => {
  prepare(machine)
  return Client.start(machine, spec, attach)
}

const status = (machine: Machine) => parseStatus(machine.text("/run/test/status"))

describe("the status file", () => {
  it("tells fact by fact how far a container has come", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "1"]))
    assert.strictEqual(machine.errno("FileRead", { path: "/run/test/status", limit: 1000 }), "ENOENT")
    machine.pass(0.0001)
    assert.isNumber(status(machine)?.supervisor.pid)
    client.until((frame) => frame._tag === "Started")
    const running = status(machine)!
    assert.isDefined(running.startedAt)
    assert.isUndefined(running.exited)
    assert.deepStrictEqual(client.frames.filter((one) => one._tag === "Started").map((one) => one.process), [running.init])
    client.finish()
    const ended = status(machine)!
    assert.deepStrictEqual(ended.exited?.status, { code: 0, signal: 0, oomKilled: false })
    assert.strictEqual(ended.exited!.at - ended.startedAt! > 1_000_000_000n, true)
    assert.deepStrictEqual(exitAt(machine.world, "/var/lib/test/exit"), ended.exited?.status)
  })

  it("tells what failed, and then there is no exit", () => {
    const machine = new Machine()
    const ended = run(machine, containerOf(["sleep", "1"], {}, [{ _tag: "MountFilesystem", type: "nosuch", source: "", target: "/x", strict: false, options: [], attributes: [], copyUp: false }]))
    assert.deepStrictEqual(ended.failed, { _tag: "Failed", operation: 6, errno: 19, syscall: "fsopen", path: "nosuch" })
    assert.deepStrictEqual(status(machine)?.failed, { operation: 6, errno: 19, syscall: "fsopen", path: "nosuch" })
    assert.isUndefined(ended.exit)
    assert.isUndefined(exitAt(machine.world, "/var/lib/test/exit"))
  })

  it("of a supervisor that could not even begin has −1", () => {
    const machine = new Machine()
    prepare(machine)
    const gone = Client.start(machine, specOf({ cgroup: "/sys/fs/cgroup/nosuch", program: [exec("true")] })).finish()
    assert.deepStrictEqual(gone.failed, { _tag: "Failed", operation: -1, errno: 2, syscall: "openat", path: "/sys/fs/cgroup/nosuch" })
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
    const client = start(machine, containerOf(["sh", "-c", "echo out; echo err >&2"]), attachFlags.stderr)
    const ended = client.finish()
    assert.deepStrictEqual([ended.stdout, ended.stderr, ended.exit?.code], ["", "err\n", 0])
  })

  it("find nobody before the start and after the end", () => {
    const machine = new Machine()
    prepare(machine)
    assert.strictEqual(machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }), "ENOENT")
    const client = Client.start(machine, containerOf(["true"]))
    client.finish()
    assert.strictEqual(machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }), "ENOENT")
    assert.strictEqual(machine.errno("ChannelWrite", { channel: client.channel, frames: new Uint8Array(8) }), "EPIPE")
    machine.do("ChannelClose", { channel: client.channel })
    assert.strictEqual(machine.errno("ChannelRead", { channel: client.channel }), "EBADF")
  })

  it("are refused by a dead supervisor whose socket is left", () => {
    const machine = new Machine()
    const client = start(machine, containerOf(["sleep", "1000"]))
    client.until((frame) => frame._tag === "Started")
    machine.do("ProcessSignal", { process: status(machine)!.supervisor, signal: 9 })
    machine.pass(0.001)
    assert.strictEqual(machine.errno("ChannelOpen", { directory: "/run/test", attach: 0 }), "ECONNREFUSED")
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
    assert.strictEqual(ended.frames.reduce((sum, frame) => frame._tag === "Output" && frame.stream === "stdout" ? sum + frame.data.length : sum, 0), 2 << 20)
    assert.include(ended.stderr, "said\n")
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

describe("a terminal", () => {
  const terminal = (argv: ReadonlyArray<string>): SupervisorSpec => {
    const spec = containerOf(argv, { stdio: { terminal: true, rows: 24, columns: 80, stdin: "open" } }, [
      { _tag: "MountDevpts", target: "/dev/pts", options: [{ key: "ptmxmode", value: "0666" }], console: true },
      { _tag: "Console", open: false, bindConsole: true }
    ])
    return spec
  }

  it("turns line feeds into carriage return and line feed, in one stream", () => {
    const ended = run(new Machine(), terminal(["sh", "-c", "echo a; echo b >&2; tty"]))
    assert.deepStrictEqual([ended.stdout, ended.stderr], ["a\r\nb\r\n/dev/pts/0\r\n", ""])
  })

  it("echoes, edits lines, and gives them to the program", () => {
    const machine = new Machine()
    const client = start(machine, terminal(["sh", "-c", "read x; echo \"[$x]\""]))
    client.send("abcX\u007f\r")
    assert.strictEqual(client.finish().stdout, "abcX\b \b\r\n[abc]\r\n")
  })

  it("ends the input at ^D and interrupts at ^C", () => {
    const machine = new Machine()
    const client = start(machine, terminal(["cat"]))
    client.send("line\r\u0004")
    assert.strictEqual(client.finish().exit?.code, 0)
    const other = new Machine()
    const sleeping = start(other, terminal(["sh", "-c", "sleep 100; echo $?"]))
    sleeping.until((frame) => frame._tag === "Started")
    other.pass(0.01)
    sleeping.send("\u0003")
    assert.include(sleeping.finish().stdout, "^C")
  })
})

describe("the log", () => {
  const logged = (script: string, maxSize = 0, maxFiles = 1) => {
    const machine = new Machine({ files: { "/images/busybox/long": "x".repeat(20_000) } })
    run(machine, containerOf(["sh", "-c", script], { log: { path: "/var/lib/test/log", maxSize, maxFiles } }))
    return machine
  }

  it("has a line of JSON for every line, with its stream and time", () => {
    const machine = logged("echo \"say \\\"hi\\\" <b>\"; echo oops >&2; echo -n rest")
    const lines = machine.text("/var/lib/test/log").trim().split("\n")
    assert.strictEqual(lines.length, 3)
    assert.match(lines[0]!, /^\{"log":"say \\"hi\\" \\u003cb\\u003e\\n","stream":"stdout","time":"2026-01-01T00:00:00\.\d+Z"\}$/)
    assert.deepInclude(JSON.parse(lines[1]!), { log: "oops\n", stream: "stderr" })
    assert.deepInclude(JSON.parse(lines[2]!), { log: "rest", stream: "stdout" })
  })

  it("cuts lines of more than 16 KiB, which share one time", () => {
    const machine = logged("cat /long; echo")
    const entries = machine.text("/var/lib/test/log").trim().split("\n").map((line) => JSON.parse(line) as { log: string; time: string })
    assert.deepStrictEqual(entries.map((one) => one.log.length), [16_384, 20_000 - 16_384 + 1])
    assert.strictEqual(entries[0]!.time, entries[1]!.time)
  })

  it("is rotated, and keeps so many files", () => {
    const machine = logged("for i in $(seq 60); do echo line $i; done", 1000, 3)
    const names = machine.do("DirList", { path: "/var/lib/test" }).filter((name) => name.startsWith("log"))
    assert.deepStrictEqual(names, ["log", "log.1", "log.2"])
    const text = ["log.2", "log.1", "log"].map((name) => machine.text(`/var/lib/test/${name}`)).join("")
    assert.include(text, "line 60")
    assert.notInclude(text, "line 1\\n")
    assert.strictEqual(machine.do("FileStat", { path: "/var/lib/test/log", follow: false }).mode, 0o640)
  })
})

describe("the end", () => {
  const groups = ["/sys/fs/cgroup/fx/one"]

  it("kills what is left by cgroup.kill and removes the groups, those the container made too", () => {
    const machine = new Machine()
    machine.do("CgroupEnsure", { directory: groups[0]! })
    const before = machine.world
    const client = start(machine, specOf({
      cgroup: groups[0]!, killFiles: [`${groups[0]}/cgroup.kill`], removeDirectories: groups,
      program: [exec("sh", "-c", "mkdir /sys/fs/cgroup/fx/one/inner; sleep 1000 & exit 6")]
    }))
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
    const client = start(machine, specOf({
      killProcs: [`${directory}/cgroup.procs`], removeDirectories: [directory],
      program: [{ _tag: "CgroupAttach", files: [`${directory}/tasks`] }, exec("sh", "-c", "sleep 1000 & sleep 1000 & exit 6")]
    }))
    assert.strictEqual(client.finish().exit?.code, 6)
    assert.deepStrictEqual(cgroupPaths(machine.world), [])
  })

  it("asks for the command that comes after, unless a client claimed that", () => {
    for (const [attach, commands] of [[attachFlags.stdout, 1], [attachFlags.stdout | attachFlags.claim, 0]] as const) {
      const machine = new Machine()
      start(machine, containerOf(["true"], { onExit: ["/usr/bin/fx-engine", "reap"] }), attach).finish()
      assert.deepStrictEqual(machine.world.commands.map((one) => one.argv), Array.from({ length: commands }, () => ["/usr/bin/fx-engine", "reap"]))
    }
  })

  it("asks for it too when the client that claimed it has left, and not after a failed start", () => {
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
    assert.deepStrictEqual(leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] }), [])
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
      directory: "/run/exec", pidNamespace: process,
      program: [{ _tag: "NamespaceEnter", process, kinds: ["mnt", "uts", "ipc", "net"] }, exec("ps")]
    })
    const ended = Client.start(machine, inside).finish()
    assert.match(ended.stdout, / 1 root {5}sleep 10\n +2 root {5}ps\n/)
    const wrong = { ...process, startTime: process.startTime + 1 }
    const refused = Client.start(machine, { ...inside, pidNamespace: wrong }).finish()
    assert.deepStrictEqual([refused.failed?.operation, refused.failed?.errno], [-1, 3])
  })
})
