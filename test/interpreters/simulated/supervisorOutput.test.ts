import { assert, describe, it } from "@effect/vitest"
import type { SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { containerOf, Machine, run, start } from "./SimulatedMachine.ts"

describe("a terminal", () => {
  const terminal = (argv: ReadonlyArray<string>): SupervisorSpec => {
    const spec = containerOf(argv, {
      stdio: { terminal: true, rows: 24, columns: 80, stdin: "open" }
    }, [{
      _tag: "MountDevpts",
      target: "/dev/pts",
      options: [{ key: "ptmxmode", value: "0666" }],
      console: true
    }, { _tag: "Console", open: false, bindConsole: true }])
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
    run(
      machine,
      containerOf(["sh", "-c", script], { log: { path: "/var/lib/test/log", maxSize, maxFiles } })
    )
    return machine
  }

  it("has a line of JSON for every line, with its stream and time", () => {
    const machine = logged("echo \"say \\\"hi\\\" <b>\"; echo oops >&2; echo -n rest")
    const lines = machine.text("/var/lib/test/log").trim().split("\n")
    assert.strictEqual(lines.length, 3)
    const first = String
      .raw`{"log":"say \"hi\" \u003cb\u003e\n","stream":"stdout","time":"2026-01-01T00:`
    assert.isTrue(lines[0]!.startsWith(first), lines[0])
    assert.match(lines[0]!, /00:00\.\d+Z"\}$/)
    assert.deepInclude(JSON.parse(lines[1]!), { log: "oops\n", stream: "stderr" })
    assert.deepInclude(JSON.parse(lines[2]!), { log: "rest", stream: "stdout" })
  })

  it("cuts lines of more than 16 KiB, which share one time", () => {
    const machine = logged("cat /long; echo")
    const entries = machine.text("/var/lib/test/log").trim().split("\n").map((line) =>
      JSON.parse(line) as { log: string; time: string }
    )
    assert.deepStrictEqual(entries.map((one) => one.log.length), [16_384, 20_000 - 16_384 + 1])
    assert.strictEqual(entries[0]!.time, entries[1]!.time)
  })

  it("is rotated, and keeps so many files", () => {
    const machine = logged("for i in $(seq 60); do echo line $i; done", 1000, 3)
    const names = machine.do("DirList", { path: "/var/lib/test" }).filter((name) =>
      name.startsWith("log")
    )
    assert.deepStrictEqual(names, ["log", "log.1", "log.2"])
    const text = ["log.2", "log.1", "log"].map((name) => machine.text(`/var/lib/test/${name}`))
      .join("")
    assert.include(text, "line 60")
    assert.notInclude(text, "line 1\\n")
    assert.strictEqual(
      machine.do("FileStat", { path: "/var/lib/test/log", follow: false }).mode,
      0o640
    )
  })
})
