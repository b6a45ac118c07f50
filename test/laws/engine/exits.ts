/** How containers end, and how a start fails. */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config, executed, idle, ran, refusal, script, started, stateOf } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const codesOfSignals = [["HUP", 129], ["INT", 130], ["USR1", 138], ["TERM", 143], ["KILL", 137]] as const

export const exitLaws = (ground: Ground): void => {
  law(ground, "the code of a container is the one of its program", Effect.gen(function*() {
    for (const code of [0, 1, 3, 125, 126, 127, 128, 255]) {
      const { exit } = yield* ran(script(ground, `exit ${code}`))
      assert.deepStrictEqual(exit, { code, signal: 0, oomKilled: false })
    }
  }))

  law(ground, "a code above 255 loses its higher bits", Effect.gen(function*() {
    assert.strictEqual((yield* ran(script(ground, "exit 258"))).exit?.code, 2)
  }))

  law(ground, "a child's death by a signal is 128 + n to its shell", Effect.gen(function*() {
    for (const [name, code] of codesOfSignals) {
      assert.strictEqual((yield* ran(script(ground, `sh -c 'kill -${name} $$'; exit $?`))).exit?.code, code, name)
    }
  }))

  law(ground, "with an init of docker's kind the program's death by a signal is 128 + n", Effect.gen(function*() {
    for (const [name, code] of codesOfSignals) {
      const { exit } = yield* ran(script(ground, `kill -${name} $$; exit 1`, { init: true }))
      assert.strictEqual(exit?.code, code, name)
    }
  }))

  law(ground, "what ended is told by wait, at once and again, and by inspect", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "exit 9"))
    for (const _ of [1, 2, 3]) assert.strictEqual((yield* engine.wait(id)).code, 9)
    const { State } = yield* engine.inspect(id)
    assert.deepStrictEqual(
      [State.Status, State.Running, State.Pid, State.ExitCode, State.OOMKilled], ["exited", false, 0, 9, false]
    )
    // Not as texts: zeros at the end are left out
    assert.isTrue(Date.parse(State.StartedAt) <= Date.parse(State.FinishedAt), `${State.StartedAt} … ${State.FinishedAt}`)
  }))

  law(ground, "waiting for a container that never ran is over at once", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["true"]), "")
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    assert.strictEqual(yield* stateOf(id), "created")
  }))

  law(ground, "whoever waits is told of an end that another brought about", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const waiting = yield* Effect.forkScoped(Effect.all([engine.wait(id), engine.wait(id)], { concurrency: 2 }))
    yield* Effect.sleep(`${20 * ground.patience} millis`)
    yield* engine.kill(id, 9)
    const exits = yield* Fiber.join(waiting)
    assert.deepStrictEqual(exits.map(({ code, signal }) => [code, signal]), [[137, 9], [137, 9]])
  }))

  for (const [what, command, code] of [
    ["is not there", ["nothing-such"], 127],
    ["is not there, by its path", ["/bin/nothing-such"], 127],
    ["lies below a file", ["/etc/passwd/x"], 127],
    ["may not be executed", ["/etc/passwd"], 126],
    ["is a directory", ["/etc"], 126]
  ] as const) {
    law(ground, `a program that ${what} fails the start with ${code}, and leaves a created container`, Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(config(ground, command), "failing")
      const error = yield* refusal(engine.start(id))
      assert.deepStrictEqual([error.kind, error.exitCode], ["command", code], error.message)
      assert.include(error.message, command[0])
      const { State } = yield* engine.inspect(id)
      assert.deepStrictEqual([State.Status, State.ExitCode], ["created", code])
      assert.strictEqual(State.Error, error.message)
    }))
  }

  law(ground, "an exec of what is not there or not executable fails with 127 or 126, and the container runs on", Effect.gen(function*() {
    const id = yield* started(idle(ground))
    for (const [command, code] of [["nothing-such", 127], ["/etc/passwd", 126], ["/etc", 126]] as const) {
      const error = yield* refusal(executed(id, [command]))
      assert.deepStrictEqual([error.kind, error.exitCode], ["command", code], error.message)
    }
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "a start that failed for want of the program fails again the same way, and works when it is there", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["/home/true"]), "")
    const first = yield* refusal(engine.start(id))
    assert.strictEqual((yield* refusal(engine.start(id))).message, first.message)
    yield* engine.copyIn(id, "/home", engine.host.copyOut(`${ground.rootfs}/bin/busybox`, { name: "true", follow: true }), undefined)
    yield* engine.restart(id, {})
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    assert.strictEqual(yield* stateOf(id), "exited")
  }))

  law(ground, "a start that the kernel refuses can be mended and tried again", Effect.gen(function*() {
    const engine = yield* Engine
    const mount = {
      _tag: "Bind", source: `${ground.scratch}/source`, target: "/mounted", readonly: false, recursive: "enabled",
      propagation: "", createSource: false
    } as const
    const { id } = yield* engine.create(script(ground, "ls /mounted", { mounts: [mount] }), "")
    const error = yield* refusal(engine.start(id))
    assert.deepStrictEqual([error.kind, error.cure], ["failed", "the source of a bind mount must exist on the host"])
    assert.strictEqual(yield* stateOf(id), "created")
    yield* perform("DirMake", { path: mount.source, mode: 0o755 })
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    const { State } = yield* engine.inspect(id)
    assert.deepStrictEqual([State.Status, State.Error], ["exited", ""])
  }))
}
