/** Names of containers, what becomes of them, and how containers go. */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { lockFile } from "../../../src/domain/container/Paths.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config, eventually, everything, follow, idle, logged, refusal, script, started, stateOf } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

export const nameLaws = (ground: Ground): void => {
  const create = (name: string) => Effect.flatMap(Engine, (engine) => engine.create(config(ground, ["true"]), name))
  const names = Effect.flatMap(Engine, (engine) => Effect.map(engine.list, (all) => all.map(({ record }) => record.name).sort()))

  law(ground, "a container is found by its name, its id and the beginning of that", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* create("found")
    for (const reference of ["found", "/found", id, id.slice(0, 12), id.slice(0, 5)]) {
      assert.strictEqual((yield* engine.inspect(reference)).Id, id, reference)
    }
    for (const reference of ["foun", `${id}0`, "x"]) assert.strictEqual((yield* refusal(engine.inspect(reference))).kind, "missing")
    assert.strictEqual((yield* refusal(engine.inspect(""))).kind, "invalid")
  }))

  law(ground, "a beginning of ids that several have is refused", Effect.gen(function*() {
    const engine = yield* Engine
    const ids: Array<string> = []
    for (let count = 0; count < 17; count++) ids.push((yield* create("")).id)
    const digit = ids.map((id) => id[0]!).find((first, index) => ids.some((id, other) => other > index && id[0] === first))!
    const error = yield* refusal(engine.inspect(digit))
    assert.deepStrictEqual([error.kind, error.cause], ["invalid", `multiple containers found with provided prefix: ${digit}`])
  }))

  law(ground, "a name is taken by one container only", Effect.gen(function*() {
    yield* create("taken")
    const error = yield* refusal(create("taken"))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "the container name \"/taken\" is already in use"])
    assert.deepStrictEqual(yield* names, ["taken"])
  }))

  law(ground, "of many who want a name at once one gets it", Effect.gen(function*() {
    const wanted = Array.from({ length: 8 }, () => Effect.result(create("wanted")))
    const results = yield* Effect.all(wanted, { concurrency: "unbounded" })
    assert.strictEqual(results.filter((one) => one._tag === "Success").length, 1)
    for (const one of results) {
      if (one._tag === "Failure") assert.deepInclude(one.failure, { _tag: "ContainerError", kind: "conflict" })
    }
    assert.deepStrictEqual(yield* names, ["wanted"])
  }))

  law(ground, "a name that docker would not take is refused", Effect.gen(function*() {
    for (const name of ["-a", ".a", "a b", "a/b", "ä", "_x", "a:b"]) {
      assert.strictEqual((yield* refusal(create(name))).kind, "invalid", name)
    }
    assert.deepStrictEqual(yield* names, [])
  }))

  law(ground, "containers without a name get different ones", Effect.gen(function*() {
    for (let count = 0; count < 10; count++) yield* create("")
    const all = yield* names
    assert.strictEqual(new Set(all).size, 10)
    for (const name of all) assert.match(name, /^[a-z]+_[a-z]+[0-9]*$/)
  }))

  law(ground, "a renamed container has the new name, and the old one is free", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground), "old")
    yield* engine.rename("old", "new")
    assert.strictEqual((yield* engine.inspect("new")).Id, id)
    assert.strictEqual((yield* refusal(engine.inspect("old"))).kind, "missing")
    yield* create("old")
    const error = yield* refusal(engine.rename("new", "old"))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "the container name \"/old\" is already in use"])
    assert.strictEqual((yield* refusal(engine.rename("new", "new"))).kind, "invalid")
    assert.strictEqual((yield* refusal(engine.rename("new", ""))).kind, "invalid")
    assert.strictEqual((yield* refusal(engine.rename("new", "a b"))).kind, "invalid")
    assert.deepStrictEqual(yield* names, ["new", "old"])
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "of two that want to be called the same one is", Effect.gen(function*() {
    const engine = yield* Engine
    yield* create("one")
    yield* create("two")
    const results = yield* Effect.all(
      [Effect.result(engine.rename("one", "three")), Effect.result(engine.rename("two", "three"))], { concurrency: 2 }
    )
    assert.strictEqual(results.filter((one) => one._tag === "Success").length, 1)
    assert.include(yield* names, "three")
  }))
}

export const removalLaws = (ground: Ground): void => {
  // A simulated host goes on only as far as somebody looks at it
  const reported = Effect.flatMap(Engine, (engine) => Effect.map(engine.list, ground.reported))

  law(ground, "a running container is not removed, unless by force", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground), "running")
    const error = yield* refusal(engine.remove(id, { force: false }))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "cannot remove container \"running\": container is running"])
    assert.strictEqual(yield* stateOf(id), "running")
    yield* engine.pause(id)
    assert.strictEqual((yield* refusal(engine.remove(id, { force: false }))).kind, "conflict")
    yield* engine.remove(id, { force: true })
    assert.deepStrictEqual(yield* engine.list, [])
  }))

  law(ground, "what is removed is gone, with its lock, and its name is free", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "exit 1"), "name")
    yield* engine.wait(id)
    yield* engine.remove("name", { force: false })
    for (const reference of ["name", id]) assert.strictEqual((yield* refusal(engine.remove(reference, { force: true }))).kind, "missing")
    assert.strictEqual((yield* Effect.flip(perform("FileStat", { path: lockFile(ground.paths, id), follow: false }))).errno, "ENOENT")
    const { id: next } = yield* engine.create(config(ground, ["true"]), "name")
    assert.notStrictEqual(next, id)
  }))

  law(ground, "a created container is removed without ado", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["true"]), "")
    yield* engine.remove(id, { force: false })
    assert.deepStrictEqual(yield* engine.list, [])
  }))

  law(ground, "of many who remove one container all find it gone, and one removed it", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const results = yield* Effect.all(
      Array.from({ length: 5 }, () => Effect.result(engine.remove(id, { force: true }))), { concurrency: "unbounded" }
    )
    assert.strictEqual(results.filter((one) => one._tag === "Success").length, 1)
    for (const one of results) if (one._tag === "Failure") assert.deepInclude(one.failure, { _tag: "ContainerError", kind: "missing" })
  }))

  law(ground, "whoever follows the log or waits is let go when the container is removed", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "echo there; sleep 1000"))
    yield* eventually(ground, logged(id), (lines) => lines.length === 1)
    const others = yield* Effect.forkScoped(Effect.all([logged(id, { follow: true }), engine.wait(id)], { concurrency: 2 }))
    yield* Effect.sleep(`${20 * ground.patience} millis`)
    yield* engine.remove(id, { force: true })
    const [lines, exit] = yield* Fiber.join(others)
    assert.deepStrictEqual([lines, exit.code], [["stdout there"], 137])
  }))

  law(ground, "a container that is to be removed at its end is named to the command for that", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "exit 6", { autoRemove: true }), "passing")
    yield* eventually(ground, reported, (ids) => ids.includes(id))
    assert.strictEqual((yield* engine.wait(id)).code, 6)
    yield* engine.reap(id)
    assert.deepStrictEqual(yield* engine.list, [])
    // Again, and of what never was: nothing to do
    yield* engine.reap(id)
  }))

  law(ground, "it is not, when a client that has claimed the end is there", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "exit 6", { autoRemove: true }), "")
    const session = yield* engine.startAttached(id, { ...everything, stdin: false })
    assert.strictEqual((yield* follow(session)).exit?.code, 6)
    // Still attached while another one ends, which nobody has claimed
    const second = yield* started(script(ground, "exit 7", { autoRemove: true }))
    yield* eventually(ground, reported, (ids) => ids.includes(second))
    assert.notInclude(ground.reported(), id)
  }))

  law(ground, "what runs again is not reaped", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground, { autoRemove: true }))
    yield* engine.reap(id)
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "recovery removes what should have gone at its end", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "exit 0", { autoRemove: true }))
    yield* engine.wait(id)
    yield* eventually(ground, reported, (ids) => ids.includes(id))
    yield* eventually(ground, Effect.andThen(engine.recover, engine.list), (all) => all.length === 0)
  }))
}
