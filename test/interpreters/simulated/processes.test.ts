import { assert, describe, it } from "@effect/vitest"
import type { ProcessIdentity } from "../../../src/domain/kernel/InitOp.ts"
import {
  brokenInvariants, calls, leaks, liveProcesses, makeBehaviour
} from "../../../src/testing/index.ts"
import { Client, containerOf, Machine, prepare, run } from "./SimulatedMachine.ts"

const started = (machine: Machine, argv: ReadonlyArray<string>) => {
  prepare(machine)
  const client = Client.start(machine, containerOf(argv))
  client.until((frame) => frame._tag === "Started")
  const frame = client.frames.find((one) => one._tag === "Started")!
  return { client, init: frame.process as ProcessIdentity }
}

const signal = (machine: Machine, process: ProcessIdentity, number: number) =>
  machine.do("ProcessSignal", { process, signal: number })

describe("pid 1 of a container", () => {
  it("does not hear of signals that it has no handler for", () => {
    const machine = new Machine()
    const { client, init } = started(machine, ["sleep", "30"])
    for (const number of [15, 2, 1]) signal(machine, init, number)
    assert.deepStrictEqual(client.finish().exit, { code: 0, signal: 0, oomKilled: false })
  })

  it("dies of SIGKILL from outside, but not from inside", () => {
    const machine = new Machine()
    const { client, init } = started(machine, ["sleep", "1000"])
    signal(machine, init, 9)
    assert.deepStrictEqual(client.finish().exit, { code: 137, signal: 9, oomKilled: false })
    const inside = run(new Machine(), containerOf(["sh", "-c", "kill -9 $$; echo alive; exit 3"]))
    assert.deepStrictEqual([inside.stdout, inside.exit?.code], ["alive\n", 3])
  })

  it("takes all others of its namespace with it", () => {
    const machine = new Machine()
    const before = machine.world
    const { client } = started(machine, ["sh", "-c", "sleep 1000 & sleep 1000 & sleep 0.1; exit 5"])
    assert.strictEqual(client.finish().exit?.code, 5)
    assert.deepStrictEqual(liveProcesses(machine.world).length, liveProcesses(before).length)
    machine.do("ChannelClose", { channel: client.channel })
    assert.deepStrictEqual(
      leaks(before, machine.world, { allowed: ["/run/test", "/var/lib/test"] }),
      []
    )
  })

  it("reaps what falls to it", () => {
    const ended = run(
      new Machine(),
      containerOf(["sh", "-c", "sh -c 'sleep 0.1 & exit 0'; sleep 1; wait; ps"])
    )
    assert.notInclude(ended.stdout, "sleep 0.1")
    assert.strictEqual(ended.exit?.code, 0)
  })
})

describe("signals", () => {
  it("reach a handler, which decides about the end", () => {
    const machine = new Machine()
    const { client, init } = started(machine, ["on-signal", "TERM", "42"])
    client.untilOutput("ready")
    signal(machine, init, 15)
    assert.deepStrictEqual(client.finish().exit, { code: 42, signal: 0, oomKilled: false })
  })

  it("stop and continue", () => {
    const machine = new Machine()
    const { client, init } = started(machine, ["sh", "-c", "echo go; sleep 1; echo done"])
    client.untilOutput("go")
    signal(machine, init, 19)
    machine.pass(100)
    assert.strictEqual(client.stdout, "go\n")
    signal(machine, init, 18)
    assert.strictEqual(client.finish().stdout, "go\ndone\n")
  })

  it("are refused for a process of another start time, and for none", () => {
    const machine = new Machine()
    const { client, init } = started(machine, ["sleep", "1"])
    assert.strictEqual(
      machine.errno("ProcessSignal", {
        process: { ...init, startTime: init.startTime + 1 },
        signal: 0
      }),
      "ESRCH"
    )
    assert.strictEqual(machine.errno("ProcessSignal", { process: init, signal: 0 }), "success")
    assert.strictEqual(machine.errno("ProcessSignal", { process: init, signal: 65 }), "EINVAL")
    client.finish()
    assert.strictEqual(machine.errno("ProcessSignal", { process: init, signal: 0 }), "ESRCH")
  })

  it("are not for other users' processes", () => {
    const machine = new Machine({ host: { user: 1000 } })
    assert.strictEqual(
      machine.errno("ProcessSignal", { process: { pid: 1, startTime: 1 }, signal: 0 }),
      "EPERM"
    )
  })

  it("end a child with 128 and their number", () => {
    const ended = run(
      new Machine(),
      containerOf([
        "sh",
        "-c",
        "sleep 100 & kill -15 $!; wait $!; echo $?; sh -c 'kill -9 $$'; echo $?"
      ])
    )
    assert.strictEqual(ended.stdout, "143\n137\n")
  })

  it("break a pipe that nobody reads: SIGPIPE", () => {
    const ended = run(new Machine(), containerOf(["sh", "-c", "yes | head -n 1; echo $?"]))
    assert.strictEqual(ended.stdout, "y\n0\n")
  })
})

describe("a program", () => {
  it("is looked for along PATH, and told apart from what is none", () => {
    const failures = [["nosuch", "ENOENT"], ["/nosuch", "ENOENT"], ["/etc", "EACCES"], [
      "/etc/passwd",
      "EACCES"
    ], ["/etc/passwd/x", "ENOTDIR"]] as const
    for (const [program, errno] of failures) {
      const ended = run(new Machine(), containerOf([program]))
      assert.deepStrictEqual([ended.failed?.syscall, ended.failed?.path], ["execve", program])
      assert.strictEqual(ended.failed?.errno, { ENOENT: 2, EACCES: 13, ENOTDIR: 20 }[errno])
    }
  })

  it("without a behaviour is no program: ENOEXEC", () => {
    const machine = new Machine({
      files: { "/images/busybox/usr/bin/postgres": { content: "ELF", mode: 0o755 } }
    })
    assert.strictEqual(run(machine, containerOf(["postgres"])).failed?.errno, 8)
  })

  it("with an interpreter line is run by that", () => {
    const machine = new Machine({
      files: {
        "/images/busybox/usr/bin/script": {
          content: "#!/bin/sh\necho \"script $0 $1\"; exit 4\n",
          mode: 0o755
        }
      }
    })
    const ended = run(machine, containerOf(["script", "argument"]))
    assert.deepStrictEqual([ended.stdout, ended.exit?.code], [
      "script /usr/bin/script argument\n",
      4
    ])
  })

  it("can be anybody's: two seconds of work, then an end", () => {
    const postgres = makeBehaviour(function*({ argv, environment }) {
      yield* calls.write(
        `${argv.join(" ")} ${environment.find((one) => one.startsWith("HOME="))}\n`
      )
      yield* calls.sleep(2)
      return 3
    })
    const files = { "/images/busybox/usr/bin/postgres": { content: "ELF", mode: 0o755 } }
    const machine = new Machine({ files }, { postgres: postgres as never })
    prepare(machine)
    const before = machine.world.now
    const ended = Client.start(machine, containerOf(["postgres", "-D", "/data"])).finish()
    assert.deepStrictEqual([ended.stdout, ended.exit?.code], ["postgres -D /data HOME=/root\n", 3])
    assert.approximately(machine.world.now - before, 2_000_000, 20_000)
  })

  it("gives up its memory and its places when it ends, however that comes", () => {
    const machine = new Machine()
    for (
      const script of [
        "exit 1", "kill -9 $$ & wait", "sleep 1000 & exit 2", "nosuch", "yes | head -n 3",
        "echo $(sleep 0.1; echo x)"
      ]
    ) {
      const client = Client.start((prepare(machine), machine), containerOf(["sh", "-c", script]))
      client.finish()
      machine.do("ChannelClose", { channel: client.channel })
      assert.deepStrictEqual(brokenInvariants(machine.world), [], script)
      machine.do("TreeRemove", { path: "/var/lib/test" })
    }
  })
})

describe("docker-init", () => {
  const reaping = (argv: ReadonlyArray<string>) => {
    const spec = containerOf(argv)
    const program = spec.program.map((op) => op._tag === "Exec" ? { ...op, reaper: true } : op)
    return { ...spec, program }
  }

  it("stays as pid 1, and ends as its child does", () => {
    const ended = run(new Machine(), reaping(["sh", "-c", "echo $$; ps; exit 7"]))
    assert.match(ended.stdout, /^2\n/)
    assert.strictEqual(ended.exit?.code, 7)
  })

  it("passes signals on, so that a program without a handler dies of SIGTERM", () => {
    const machine = new Machine()
    prepare(machine)
    const client = Client.start(machine, reaping(["sleep", "1000"]))
    client.until((frame) => frame._tag === "Started")
    const frame = client.frames.find((one) => one._tag === "Started")!
    signal(machine, frame.process, 15)
    assert.strictEqual(client.finish().exit?.code, 143)
  })
})
