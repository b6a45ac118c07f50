/** Several engines over one root, and engines that come to an end. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { listContainers, putContainer } from "../../../src/programs/Store.ts"
import {
  bytes, config, executed, everything, follow, idle, logged, refusal, script, started, stateOf, untilLogged
} from "../container.ts"
import { type Ground, law } from "../Ground.ts"

export const sharingLaws = (ground: Ground): void => {
  /** Runs something on an engine of its own beside the law's. */
  const elsewhere = <A, E>(program: Effect.Effect<A, E, Engine>): Effect.Effect<A, E> =>
    Effect.provide(program, Layer.fresh(ground.layer))

  law(ground, "what one engine does another sees", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* elsewhere(started(script(ground, "echo hello; sleep 1000"), "common"))
    assert.strictEqual((yield* engine.inspect("common")).Id, id)
    yield* untilLogged(ground, id, "hello")
    assert.strictEqual((yield* executed("common", ["true"])).exit?.code, 0)
    yield* elsewhere(Effect.flatMap(Engine, (other) => other.stop("common", { timeout: 0 })))
    assert.strictEqual(yield* stateOf("common"), "exited")
  }))

  law(ground, "of many who start one container one does, and it runs once", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "echo run; sleep 1000"), "")
    const start = Effect.result(Effect.flatMap(Engine, (other) => other.start(id)))
    const results = yield* Effect.all(Array.from({ length: 4 }, () => elsewhere(start)), { concurrency: "unbounded" })
    assert.isAtLeast(results.filter((one) => one._tag === "Success").length, 1)
    for (const one of results) if (one._tag === "Failure") assert.deepInclude(one.failure, { _tag: "ContainerError", kind: "conflict" })
    yield* untilLogged(ground, id, "run")
    yield* Effect.sleep(`${50 * ground.patience} millis`)
    assert.deepStrictEqual(yield* logged(id), ["stdout run"])
    assert.strictEqual((yield* engine.top(id)).processes.length, 1)
  }))

  law(ground, "stop, restart and remove at once leave the container whole or gone", Effect.gen(function*() {
    const engine = yield* Engine
    for (let round = 0; round < 5; round++) {
      const id = yield* started(idle(ground), "torn")
      const results = yield* Effect.all([
        elsewhere(Effect.result(Effect.flatMap(Engine, (other) => other.stop(id, { timeout: 0 })))),
        elsewhere(Effect.result(Effect.flatMap(Engine, (other) => other.restart(id, { timeout: 0 })))),
        elsewhere(Effect.result(Effect.flatMap(Engine, (other) => other.remove(id, { force: true }))))
      ], { concurrency: "unbounded" })
      for (const one of results) if (one._tag === "Failure") assert.strictEqual(one.failure._tag, "ContainerError", one.failure.message)
      assert.strictEqual(results[2]._tag, "Success")
      assert.deepStrictEqual(yield* engine.list, [])
    }
  }))

  law(ground, "a container outlives the engine that started it, by choice and by force", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "echo one; read line; echo two; exit 4", { openStdin: true }), "orphan")
    const stranger = yield* ground.stranger("startsContainer", id)
    assert.strictEqual(yield* stateOf(id), "running")
    yield* stranger.kill
    assert.deepStrictEqual((yield* engine.recover).quarantined, [])
    assert.strictEqual(yield* stateOf(id), "running")
    const session = yield* engine.attach(id, everything)
    const outcome = yield* follow(session, Stream.make(bytes("go\n")))
    assert.deepStrictEqual([outcome.exit?.code, outcome.stdout], [4, "two\n"])
    assert.deepStrictEqual(yield* logged(id), ["stdout one", "stdout two"])
  }))

  law(ground, "the end of a container while no engine runs is known to the next one", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "sleep 0.2; echo last; exit 8"), "")
    const stranger = yield* ground.stranger("startsContainer", id)
    yield* stranger.kill
    yield* Effect.sleep(`${300 * ground.patience} millis`)
    assert.strictEqual((yield* engine.wait(id)).code, 8)
    const before = yield* engine.inspect(id)
    yield* engine.recover
    const after = yield* engine.inspect(id)
    assert.deepStrictEqual(after.State, before.State)
    assert.deepStrictEqual(yield* logged(id), ["stdout last"])
  }))

  law(ground, "a lock goes with the process that held it", Effect.gen(function*() {
    const path = `${ground.scratch}/lock`
    const stranger = yield* ground.stranger("holdsLock", path)
    assert.strictEqual(yield* perform("LockTry", { path }), undefined)
    const waiting = yield* Effect.forkScoped(perform("LockAcquire", { path, shared: false }))
    yield* Effect.sleep("50 millis")
    assert.strictEqual(yield* perform("LockTry", { path }), undefined)
    yield* stranger.kill
    yield* perform("LockRelease", { handle: yield* Fiber.join(waiting) })
    const handle = yield* perform("LockTry", { path })
    assert.isNumber(handle)
    yield* perform("LockRelease", { handle: handle! })
  }))

  law(ground, "what a process recorded stays when it is killed", Effect.gen(function*() {
    const stranger = yield* ground.stranger("putsRecord", "kept")
    yield* stranger.kill
    assert.deepStrictEqual(
      yield* perform("RecordGet", { collection: "images", key: "kept" }), { key: "kept", revision: 1, name: "kept", value: "{}" }
    )
    yield* perform("RecordDelete", { collection: "images", key: "kept" })
  }))

  law(ground, "a second recovery finds nothing to do, and a check nothing to say", Effect.gen(function*() {
    const engine = yield* Engine
    yield* started(idle(ground))
    yield* engine.wait(yield* started(script(ground, "exit 1")))
    yield* engine.create(config(ground, ["true"]), "")
    yield* engine.recover
    assert.deepStrictEqual(yield* engine.recover, { mended: [], quarantined: [] })
    assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
  }))

  law(ground, "what nobody has recorded is removed by recovery", Effect.gen(function*() {
    const engine = yield* Engine
    const id = "0123456789abcdef".repeat(4)
    const { execRoot, root } = ground.paths
    yield* perform("DirMake", { path: `${root}/containers/${id}`, mode: 0o755 })
    yield* perform("FileWrite", { path: `${root}/containers/${id}/file`, mode: 0o644, text: "" })
    yield* perform("DirMake", { path: `${execRoot}/containers/${id}`, mode: 0o755 })
    yield* perform("DirMake", { path: `${root}/containers/not-ours`, mode: 0o755 })
    assert.strictEqual((yield* engine.check({ repair: false })).length, 2)
    assert.strictEqual((yield* engine.recover).mended.length, 1)
    assert.deepStrictEqual(yield* perform("DirList", { path: `${root}/containers` }), ["not-ours"])
    assert.deepStrictEqual(yield* perform("DirList", { path: `${execRoot}/containers` }), [])
    yield* perform("TreeRemove", { path: `${root}/containers/not-ours` })
  }))

  law(ground, "a container that lost its supervisor is ended and told to be lost", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const status = yield* perform("FileRead", { path: `${ground.paths.execRoot}/containers/${id}/status`, limit: 1000 })
    const [, pid, startTime] = /^supervisor ([0-9]+) ([0-9]+)$/m.exec(status)!
    yield* perform("ProcessSignal", { process: { pid: Number(pid), startTime: Number(startTime) }, signal: 9 })
    yield* Effect.sleep(`${20 * ground.patience} millis`)
    assert.strictEqual((yield* engine.check({ repair: false }))[0]?.problem, "it runs without its supervisor")
    assert.strictEqual((yield* engine.recover).mended.length, 1)
    assert.strictEqual(yield* stateOf(id), "exited")
    assert.strictEqual((yield* engine.wait(id)).code, 137)
    assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
    yield* engine.start(id)
    assert.strictEqual(yield* stateOf(id), "running")
    yield* refusal(engine.remove(id, { force: false }))
  }))

  law(ground, "of many containers recovery mends those that need it and leaves the others as they are", Effect.gen(function*() {
    const engine = yield* Engine
    const run = (id: string) => `${ground.paths.execRoot}/containers/${id}`
    const statusOf = (id: string) => perform("FileRead", { path: `${run(id)}/status`, limit: 1000 })
    const well = yield* started(idle(ground), "well")
    yield* executed("well", ["true"])
    const lost = yield* started(idle(ground), "lost")
    const strange = yield* started(idle(ground), "strange")
    const withDeadExec = yield* started(idle(ground), "with-dead-exec")
    yield* engine.create(idle(ground), "only-created")
    yield* started(idle(ground), "last")
    const [, pid, startTime] = /^supervisor ([0-9]+) ([0-9]+)$/m.exec(yield* statusOf(lost))!
    yield* perform("ProcessSignal", { process: { pid: Number(pid), startTime: Number(startTime) }, signal: 9 })
    const exec = `${run(withDeadExec)}/exec/0123456789ab`
    yield* perform("DirEnsure", { path: exec, mode: 0o700 })
    yield* perform("FileWrite", { path: `${exec}/status`, mode: 0o600, text: "supervisor 1 999999999\n" })
    const before = yield* statusOf(strange)
    yield* perform("FileWrite", { path: `${run(strange)}/status`, mode: 0o600, text: "x".repeat(20_000) })
    yield* Effect.sleep(`${20 * ground.patience} millis`)
    const { mended, quarantined } = yield* engine.recover
    yield* perform("FileWrite", { path: `${run(strange)}/status`, mode: 0o600, text: before })
    assert.deepStrictEqual(mended, ["ended lost, whose supervisor was gone"])
    assert.deepStrictEqual(quarantined.map(({ id }) => id), [strange])
    assert.include(quarantined[0]!.reason, "16384")
    assert.deepStrictEqual(yield* perform("DirList", { path: `${run(withDeadExec)}/exec` }), [])
    assert.deepStrictEqual(yield* perform("DirList", { path: `${run(well)}/exec` }), [])
    const states = Object.fromEntries((yield* engine.list).map(({ record, state }) => [record.name, state.name]))
    assert.deepStrictEqual(states, {
      well: "running", lost: "exited", strange: "running", "with-dead-exec": "running", "only-created": "created", last: "running"
    })
    assert.deepStrictEqual(yield* engine.recover, { mended: [], quarantined: [] })
  }))

  /** The host of a running container goes down: as its record tells, and nothing of it lives any more. */
  const afterReboot = Effect.fnUntraced(function*(id: string) {
    const [stored] = (yield* listContainers).filter(({ record }) => record.id === id)
    const { record, revision } = stored!
    const run = `${ground.paths.execRoot}/containers/${id}`
    const status = yield* perform("FileRead", { path: `${run}/status`, limit: 1000 })
    const [, pid, startTime] = /^supervisor ([0-9]+) ([0-9]+)$/m.exec(status)!
    yield* perform("ProcessSignal", { process: { pid: Number(pid), startTime: Number(startTime) }, signal: 9 })
    yield* perform("TreeRemove", { path: run })
    yield* putContainer({ ...record, launch: { ...record.launch!, boot: "of another boot" } }, revision)
    return record.launch!.at
  })

  law(ground, "what ran when the host went down has ended in an unknown way, and starts again", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground), "interrupted")
    const startedAt = yield* afterReboot(id)
    assert.strictEqual((yield* engine.check({ repair: false }))[0]?.problem, "it ran when the host went down")
    assert.deepStrictEqual((yield* engine.recover).mended, ["ended interrupted, which ran when the host went down"])
    const { State } = yield* engine.inspect(id)
    assert.deepStrictEqual([State.Status, State.ExitCode, State.StartedAt], ["exited", 255, startedAt])
    assert.isTrue(Date.parse(State.StartedAt) <= Date.parse(State.FinishedAt), State.FinishedAt)
    assert.strictEqual((yield* engine.wait(id)).code, 255)
    assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
    yield* engine.start(id)
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "what was to be removed at its end has gone when its host comes up again", Effect.gen(function*() {
    const engine = yield* Engine
    yield* afterReboot(yield* started(idle(ground, { autoRemove: true })))
    yield* engine.recover
    assert.deepStrictEqual(yield* engine.list, [])
  }))
}
