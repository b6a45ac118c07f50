import { readFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Stream } from "effect"
import { logFile } from "../../src/domain/container/Paths.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { RealEngine, runToEnd, titled, unavailable } from "./RealEngine.ts"

describe.skipIf(unavailable !== undefined)(titled("containers on this kernel"), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())
  const sh = (script: string, more = {}) => runToEnd(real.config(["sh", "-c", script], more))

  it("run a program to its end and give its output and its code", async () => {
    const outcome = await real.run(sh("echo out; echo err >&2; exit 7"))
    assert.deepStrictEqual(outcome, { code: 7, stdout: "out\n", stderr: "err\n" })
  })

  it("are pid 1 in a world of their own", async () => {
    const { stdout } = await real.run(sh("echo $$; hostname; ls /proc | grep -c '^[0-9]'; cat /proc/self/cgroup | cut -d: -f3 | sort -u"))
    const [pid, hostname, processes, cgroup] = stdout.split("\n")
    assert.strictEqual(pid, "1")
    assert.match(hostname!, /^[0-9a-f]{12}$/)
    assert.isAtMost(Number(processes), 4)
    assert.strictEqual(cgroup, "/")
  })

  it("take input to its end", async () => {
    const input = Stream.fromIterable(["one\n", "two\n"]).pipe(Stream.map((text) => new TextEncoder().encode(text)))
    const outcome = await real.run(runToEnd(real.config(["cat"]), input))
    assert.strictEqual(outcome.stdout, "one\ntwo\n")
  })

  it("move a megabyte each way unharmed", async () => {
    const piece = new Uint8Array(65_536).fill(97)
    const input = Stream.fromIterable(Array.from({ length: 16 }, () => piece))
    const outcome = await real.run(runToEnd(real.config(["cat"]), input))
    assert.strictEqual(outcome.stdout.length, 16 * 65_536)
  })

  it("say 127 for a program that is not there and 126 for one that cannot be run", async () => {
    for (const [command, code] of [["nothing-such", 127], ["/etc/passwd", 126], ["/etc", 126]] as const) {
      const result = await real.run(Effect.result(runToEnd(real.config([command]))))
      assert.isTrue(Result.isFailure(result), command)
      const error = Result.isFailure(result) ? result.failure : undefined
      assert.strictEqual(error?._tag === "ContainerError" ? error.exitCode : undefined, code, command)
    }
  })

  it("end by the signal that killed them: 128 + n", async () => {
    assert.strictEqual((await real.run(sh("kill -9 $$; sleep 5 & wait", { init: true }))).code, 137)
  })

  it("live through create, start, pause, unpause, exec, rename, stop, restart and rm", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(real.config(["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.05; done"]), "first")
      const state = () => Effect.map(engine.find("inspect", id), (one) => one.state.name)
      assert.strictEqual(yield* state(), "created")
      yield* engine.start("first")
      assert.strictEqual(yield* state(), "running")
      yield* engine.pause(id)
      assert.strictEqual(yield* state(), "paused")
      yield* engine.unpause(id.slice(0, 8))
      yield* engine.rename("first", "second")
      const listed = yield* engine.list
      assert.deepStrictEqual(listed.map((one) => one.record.name), ["second"])
      yield* engine.stop("second", { timeout: 5 })
      const ended = yield* engine.find("inspect", id)
      assert.strictEqual(ended.state.name, "exited")
      assert.strictEqual(ended.state.exit?.code, 9)
      yield* engine.restart("second", {})
      assert.strictEqual(yield* state(), "running")
      const refused = yield* Effect.result(engine.remove("second", { force: false }))
      assert.isTrue(Result.isFailure(refused))
      yield* engine.remove("second", { force: true })
      assert.deepStrictEqual(yield* engine.list, [])
    }))
  })

  it("run a second program inside by exec, in the same namespaces and cgroup", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(real.config(["sleep", "1000"], { env: ["A=1"] }), "")
      yield* engine.start(id)
      const pieces: Array<string> = []
      const ending = yield* Effect.scoped(Effect.gen(function*() {
        const session = yield* engine.exec(id, {
          command: ["sh", "-c", "echo $A $B; hostname; cat /proc/1/comm; id -u; pwd; exit 4"], env: ["B=2"], user: "alice",
          workingDirectory: "/home", tty: false, consoleSize: [0, 0], stdin: false, privileged: false, attach: 3
        })
        return yield* session.run({
          input: undefined, sizes: Stream.never, detached: Effect.never,
          output: (_, data) => Effect.sync(() => void pieces.push(new TextDecoder().decode(data)))
        })
      }))
      assert.deepStrictEqual(ending, { _tag: "Exited", exit: { code: 4, signal: 0, oomKilled: false } })
      assert.strictEqual(pieces.join(""), `1 2\n${id.slice(0, 12)}\nsleep\n1000\n/home\n`)
      yield* engine.remove(id, { force: true })
    }))
  })

  it("keep a log that can be read while they run and after", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(real.config(["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.1; done; echo end >&2"]), "")
      yield* engine.start(id)
      const followed = yield* engine.logs(id, { tail: -1, since: undefined, until: undefined, follow: true }).pipe(
        Stream.runCollect, Effect.forkChild
      )
      assert.strictEqual((yield* engine.wait(id)).code, 0)
      const lines = yield* Fiber.join(followed)
      assert.deepStrictEqual(lines.map((line) => `${line.stream} ${line.text}`), [
        "stdout line 1\n", "stdout line 2\n", "stdout line 3\n", "stderr end\n"
      ])
      const tail = yield* Stream.runCollect(engine.logs(id, { tail: 2, since: undefined, until: undefined, follow: false }))
      assert.deepStrictEqual(tail.map((line) => line.text), ["line 3\n", "end\n"])
      const first = JSON.parse(readFileSync(logFile(real.paths, id), "utf8").split("\n")[0]!)
      assert.deepStrictEqual(Object.keys(first), ["log", "stream", "time"])
      yield* engine.remove(id, { force: false })
    }))
  })

  it("have a terminal of the asked size that is their controlling one", async () => {
    const outcome = await real.run(sh("tty; stty size; test -c /dev/console && echo console", { tty: true, consoleSize: [33, 101] }))
    assert.strictEqual(outcome.stdout, "/dev/pts/0\r\n33 101\r\nconsole\r\n")
  })

  it("write into a layer of their own and leave the root file system as it was", async () => {
    const outcome = await real.run(sh("echo changed > /etc/passwd; touch /new; cat /etc/passwd"))
    assert.strictEqual(outcome.stdout, "changed\n")
    assert.include(readFileSync(`${real.rootfs}/etc/passwd`, "utf8"), "root:x:0:0")
  })

  it("keep what they wrote over a restart", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(real.config(["sh", "-c", "echo x >> /count; exit $(wc -l < /count)"]), "")
      for (const code of [1, 2, 3]) {
        yield* engine.start(id)
        assert.strictEqual((yield* engine.wait(id)).code, code)
      }
      yield* engine.remove(id, { force: false })
    }))
  })

  it("are told apart by name, id and prefix, and a taken name is refused", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const one = yield* engine.create(real.config(["true"]), "taken")
      const again = yield* Effect.result(engine.create(real.config(["true"]), "taken"))
      assert.isTrue(Result.isFailure(again) && again.failure._tag === "ContainerError" && again.failure.kind === "conflict")
      const missing = yield* Effect.result(engine.start("nobody"))
      assert.isTrue(Result.isFailure(missing) && missing.failure._tag === "ContainerError" && missing.failure.kind === "missing")
      yield* engine.remove(one.id.slice(0, 10), { force: false })
    }))
  })
})
