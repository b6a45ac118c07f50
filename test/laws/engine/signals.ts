/** Signals to containers, the stop that ends in SIGKILL, and the freezer. */
import { assert } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config, eventually, executed, idle, logged, refusal, script, started, stateOf, untilLogged } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const SIGHUP = 1
const SIGKILL = 9
const SIGUSR1 = 10
const SIGTERM = 15

/** Says what it gets: USR1 is told, TERM ends it with 9, HUP is ignored. */
const listening =
  "trap 'echo usr1' USR1; trap 'echo term; exit 9' TERM; trap '' HUP; echo ready; sleep 1000 & while :; do wait; done"

/** Milliseconds that an effect takes. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - began
  })

const counting = "i=0; echo ready; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done"

export const signalLaws = (ground: Ground): void => {
  const listens = Effect.gen(function*() {
    const id = yield* started(script(ground, listening))
    yield* untilLogged(ground, id, "ready")
    return id
  })

  law(ground, "a signal that the program handles reaches it", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* listens
    yield* engine.kill(id, SIGUSR1)
    yield* untilLogged(ground, id, "usr1")
    yield* engine.kill(id, SIGTERM)
    assert.deepStrictEqual(yield* engine.wait(id), { code: 9, signal: 0, oomKilled: false })
    assert.deepStrictEqual(yield* logged(id), ["stdout ready", "stdout usr1", "stdout term"])
  }))

  law(ground, "a signal that the program ignores does nothing", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* listens
    yield* engine.kill(id, SIGHUP)
    yield* Effect.sleep(`${50 * ground.patience} millis`)
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "pid 1 does not die of a signal that it does not handle, but of SIGKILL", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    for (const signal of [1, 2, 3, SIGUSR1, SIGTERM, 24]) yield* engine.kill(id, signal)
    yield* Effect.sleep(`${50 * ground.patience} millis`)
    assert.strictEqual(yield* stateOf(id), "running")
    yield* engine.kill(id, SIGKILL)
    assert.deepStrictEqual(yield* engine.wait(id), { code: 137, signal: 9, oomKilled: false })
  }))

  law(ground, "with an init of docker's kind the program dies of a signal that it does not handle", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground, { init: true }))
    yield* engine.kill(id, SIGTERM)
    assert.deepStrictEqual((yield* engine.wait(id)).code, 143)
  }))

  law(ground, "a container that does not run takes no signal", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["true"]), "still")
    const error = yield* refusal(engine.kill(id, SIGTERM))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "container still is not running"])
  }))

  law(ground, "stop lets the program end by itself", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* listens
    const took = yield* timed(engine.stop(id, { timeout: 20 }))
    assert.isBelow(took, 10_000)
    assert.strictEqual((yield* engine.wait(id)).code, 9)
  }))

  law(ground, "stop kills what does not end in time, and not before", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const took = yield* timed(engine.stop(id, { timeout: 1 }))
    assert.isAtLeast(took, 1000)
    assert.deepStrictEqual(yield* engine.wait(id), { code: 137, signal: 9, oomKilled: false })
    assert.strictEqual(yield* stateOf(id), "exited")
  }))

  law(ground, "stop sends the signal that the container was created with, or the one that is asked for", Effect.gen(function*() {
    const engine = yield* Engine
    const source = "trap 'exit 7' INT; trap 'exit 8' QUIT; echo ready; sleep 1000 & while :; do wait; done"
    const own = yield* started(script(ground, source, { stopSignal: "SIGINT" }))
    const asked = yield* started(script(ground, source, { stopSignal: "2" }))
    yield* untilLogged(ground, own, "ready")
    yield* untilLogged(ground, asked, "ready")
    yield* engine.stop(own, { timeout: 20 })
    yield* engine.stop(asked, { timeout: 20, signal: 3 })
    assert.deepStrictEqual([(yield* engine.wait(own)).code, (yield* engine.wait(asked)).code], [7, 8])
  }))

  law(ground, "stopping what has ended changes nothing", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "exit 4"))
    yield* engine.wait(id)
    const before = yield* engine.inspect(id)
    yield* engine.stop(id, {})
    assert.deepStrictEqual((yield* engine.inspect(id)).State, before.State)
  }))

  law(ground, "a paused container does nothing until it is unpaused", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, counting))
    yield* untilLogged(ground, id, "ready")
    const before = yield* engine.find("inspect", id)
    const upper = `${ground.paths.root}/containers/${id}/upper/count`
    // What has not counted yet is at none, as what has just emptied its file to write
    const count = Effect.map(Effect.orElseSucceed(perform("FileRead", { path: upper, limit: 100 }), () => ""), Number)
    yield* eventually(ground, count, (now) => now > 1)
    yield* engine.pause(id)
    assert.strictEqual(yield* stateOf(id), "paused")
    const frozen = yield* count
    yield* Effect.sleep("200 millis")
    assert.strictEqual(yield* count, frozen)
    yield* engine.unpause(id)
    assert.strictEqual(yield* stateOf(id), "running")
    yield* eventually(ground, count, (now) => now > frozen + 1)
    assert.strictEqual((yield* engine.find("inspect", id)).state.process?.pid, before.state.process?.pid)
  }))

  law(ground, "pausing twice, and unpausing what is not paused, is a conflict", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground), "cold")
    assert.strictEqual((yield* refusal(engine.unpause(id))).cause, "container cold is not paused")
    yield* engine.pause(id)
    assert.strictEqual((yield* refusal(engine.pause(id))).cause, "container cold is already paused")
    assert.strictEqual((yield* refusal(executed(id, ["true"]))).kind, "conflict")
    assert.strictEqual((yield* refusal(engine.start(id))).kind, "conflict")
    yield* engine.unpause(id)
    yield* engine.kill(id, SIGKILL)
    yield* engine.wait(id)
    assert.strictEqual((yield* refusal(engine.pause(id))).cause, "container cold is not running")
  }))

  law(ground, "a paused container can be killed, stopped, restarted and removed", Effect.gen(function*() {
    const engine = yield* Engine
    const paused = (source: string) => Effect.gen(function*() {
      const id = yield* started(script(ground, source))
      yield* untilLogged(ground, id, "ready")
      yield* engine.pause(id)
      return id
    })
    const killed = yield* paused(listening)
    yield* engine.kill(killed, SIGKILL)
    assert.strictEqual((yield* engine.wait(killed)).code, 137)
    const stopped = yield* paused(listening)
    yield* engine.stop(stopped, { timeout: 20 })
    assert.strictEqual((yield* engine.wait(stopped)).code, 9)
    const restarted = yield* paused(listening)
    yield* engine.restart(restarted, { timeout: 20 })
    assert.strictEqual(yield* stateOf(restarted), "running")
    const removed = yield* paused(listening)
    yield* engine.remove(removed, { force: true })
    assert.strictEqual((yield* refusal(engine.inspect(removed))).kind, "missing")
  }))

  law(ground, "a signal to a paused container thaws it and reaches it", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* listens
    yield* engine.pause(id)
    yield* engine.kill(id, SIGTERM)
    assert.strictEqual((yield* engine.wait(id)).code, 9)
  }))

  law(ground, "restart ends the old run before the new one begins", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* listens
    const before = (yield* engine.find("inspect", id)).state
    yield* engine.restart(id, { timeout: 20 })
    yield* eventually(ground, logged(id), (lines) => lines.filter((line) => line === "stdout ready").length === 2)
    const after = (yield* engine.find("inspect", id)).state
    assert.notDeepEqual(after.process, before.process)
    assert.deepStrictEqual(yield* logged(id), ["stdout ready", "stdout term", "stdout ready"])
  }))

  law(ground, "restart starts what has ended and what never ran", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "echo run; exit 2"), "")
    yield* engine.restart(id, {})
    assert.strictEqual((yield* engine.wait(id)).code, 2)
    yield* engine.restart(id, {})
    assert.strictEqual((yield* engine.wait(id)).code, 2)
    assert.deepStrictEqual(yield* logged(id), ["stdout run", "stdout run"])
  }))

  law(ground, "the end of pid 1 takes all other processes along", Effect.gen(function*() {
    const engine = yield* Engine
    const source = "sleep 1000 & (trap '' TERM HUP; sleep 1000) & echo ready; sleep 0.1; exit 5"
    const id = yield* started(script(ground, source))
    const waiting = yield* Effect.forkScoped(engine.wait(id))
    assert.strictEqual((yield* Fiber.join(waiting)).code, 5)
    assert.strictEqual((yield* refusal(engine.top(id))).kind, "conflict")
  }))
}
