/** Further processes in a running container. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { execsDirectory } from "../../../src/domain/container/Paths.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import {
  bytes, config, executed, executing, follow, idle, refusal, script, started, stateOf, told, untilLogged
} from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const kinds = ["mnt", "pid", "net", "ipc", "uts", "cgroup"]

/** Names the namespaces of a process, by the links in /proc. */
const namespacesOf = (process: string): string => kinds.map((kind) => `readlink /proc/${process}/ns/${kind}`).join("; ")

export const execLaws = (ground: Ground): void => {
  law(ground, "an exec is in all namespaces of the container", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    const own = yield* told(id, namespacesOf("self"))
    assert.strictEqual(own.trim().split("\n").length, kinds.length, own)
    assert.strictEqual(own, yield* told(id, namespacesOf("1")))
    const other = yield* started(idle(ground))
    for (const line of (yield* told(other, namespacesOf("self"))).trim().split("\n")) assert.notInclude(own, line)
  }))

  law(ground, "an exec sees the container's files, environment, host name and processes", Effect.gen(function*() {
    const id = yield* started(script(ground, "echo there > /file; echo ready; sleep 1000; true", { env: ["A=1"], hostname: "inside" }))
    yield* untilLogged(ground, id, "ready")
    assert.strictEqual(yield* told(id, "cat /file; echo $A $HOME; hostname; cat /proc/1/comm"), "there\n1 /root\ninside\nsh\n")
  }))

  law(ground, "an exec has its own variables, directory and user", Effect.gen(function*() {
    const id = yield* started(idle(ground, { env: ["A=1", "B=1"], workingDirectory: "/etc" }))
    const plain = yield* executed(id, ["sh", "-c", "echo $A $B; pwd; id -u; id -g"])
    assert.strictEqual(plain.stdout, "1 1\n/etc\n0\n0\n")
    const other = yield* executed(id, ["sh", "-c", "echo $A $B $C; pwd; id -u; id -G; echo $HOME"], {
      env: ["B=2", "C=3"], workingDirectory: "/home", user: "alice"
    })
    assert.strictEqual(other.stdout, "1 2 3\n/home\n1000\n1000 50\n/home/alice\n")
  }))

  law(ground, "an exec of an unknown user or in a missing directory is refused", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    assert.strictEqual((yield* refusal(executed(id, ["true"], { user: "nobody-here" }))).kind, "invalid")
    const missing = yield* refusal(executed(id, ["true"], { workingDirectory: "/nowhere" }))
    assert.deepStrictEqual([missing.kind, missing.cure], ["failed", "the working directory must be a directory inside the container"])
    assert.strictEqual((yield* refusal(executed(id, []))).cause, "no exec command specified")
  }))

  law(ground, "an exec's code and output are its own", Effect.gen(function*() {
    const id = yield* started(script(ground, "echo main; sleep 1000"))
    const outcome = yield* executed(id, ["sh", "-c", "echo out; echo err >&2; exit 4"])
    assert.deepStrictEqual(outcome, { exit: { code: 4, signal: 0, oomKilled: false }, stdout: "out\n", stderr: "err\n" })
    const killed = yield* executed(id, ["sh", "-c", "kill -KILL $$"])
    assert.deepStrictEqual(killed.exit, { code: 137, signal: 9, oomKilled: false })
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "an exec takes input to its end", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    const session = yield* executing(id, ["cat"], { stdin: true, attach: 7 })
    const outcome = yield* follow(session, Stream.make(bytes("one\n"), bytes("two\n")))
    assert.strictEqual(outcome.stdout, "one\ntwo\n")
  }))

  law(ground, "an exec with a terminal has one", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    const outcome = yield* executed(id, ["sh", "-c", "tty; test -t 1 && echo terminal"], { tty: true })
    assert.strictEqual(outcome.stdout, "/dev/pts/0\r\nterminal\r\n")
  }))

  law(ground, "an exec dies with its container", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const session = yield* executing(id, ["sleep", "1000"])
    const running = yield* Effect.forkScoped(follow(session))
    yield* Effect.sleep(`${20 * ground.patience} millis`)
    yield* engine.kill(id, 9)
    assert.deepStrictEqual((yield* Fiber.join(running)).exit, { code: 137, signal: 9, oomKilled: false })
  }))

  law(ground, "an exec is listed among the container's processes", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    yield* executing(id, ["sleep", "2000"])
    const { processes, titles } = yield* engine.top(id)
    const commands = processes.map((row) => row[titles.indexOf("CMD")])
    assert.deepStrictEqual(commands, ["sleep 1000", "sleep 2000"])
  }))

  law(ground, "an exec leaves no directory behind", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    yield* executed(id, ["true"])
    yield* Effect.exit(executed(id, ["nothing-such"]))
    assert.deepStrictEqual(yield* perform("DirList", { path: execsDirectory(ground.paths, id) }), [])
  }))

  law(ground, "nothing is executed in a container that does not run", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["true"]), "stopped")
    const error = yield* refusal(executed(id, ["true"]))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "container stopped is not running"])
    yield* engine.start(id)
    yield* engine.wait(id)
    assert.strictEqual((yield* refusal(executed(id, ["true"]))).kind, "conflict")
  }))
}
