/** Records change by compare-and-set, and names in a collection are unique. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { RecordRow } from "../../../src/domain/kernel/KernelOp.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"

const collection = "images"

const row = (key: string, revision: number, name = "", value = "{}"): RecordRow => ({ key, revision, name, value })

const put = (one: RecordRow) => perform("RecordPut", { collection, ...one })
const refused = (one: RecordRow) => errnoOf("RecordPut", { collection, ...one })
const get = (key: string) => perform("RecordGet", { collection, key })
const remove = (key: string) => perform("RecordDelete", { collection, key })
const list = perform("RecordList", { collection })

/** Takes away whatever a law has put. */
const cleared = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.ensuring(program, Effect.ignore(Effect.flatMap(list, (rows) => Effect.forEach(rows, (one) => remove(one.key)))))

export const recordLaws = (ground: Ground): void => {
  law(ground, "a record is read as it was written, one revision on", cleared(Effect.gen(function*() {
    assert.isUndefined(yield* get("a"))
    yield* put(row("a", 0, "name", "{\"text\":\"ä\\u0000\"}"))
    assert.deepStrictEqual(yield* get("a"), row("a", 1, "name", "{\"text\":\"ä\\u0000\"}"))
    yield* put(row("a", 1, "name", "2"))
    assert.deepStrictEqual(yield* get("a"), row("a", 2, "name", "2"))
  })))

  law(ground, "a record that has moved on, or was made or removed meanwhile, is not written", cleared(Effect.gen(function*() {
    yield* put(row("a", 0))
    assert.strictEqual(yield* refused(row("a", 0)), "ESTALE")
    yield* put(row("a", 1))
    assert.strictEqual(yield* refused(row("a", 1)), "ESTALE")
    assert.strictEqual(yield* refused(row("a", 3)), "ESTALE")
    yield* remove("a")
    assert.strictEqual(yield* refused(row("a", 2)), "ESTALE")
    assert.isUndefined(yield* get("a"))
    yield* put(row("a", 0))
  })))

  law(ground, "a name belongs to one record of a collection, until it is given up", cleared(Effect.gen(function*() {
    yield* put(row("a", 0, "name"))
    assert.strictEqual(yield* refused(row("b", 0, "name")), "EEXIST")
    assert.isUndefined(yield* get("b"))
    yield* put(row("b", 0, "other"))
    assert.strictEqual(yield* refused(row("b", 1, "name")), "EEXIST")
    assert.deepStrictEqual(yield* get("b"), row("b", 1, "other"))
    yield* put(row("a", 1, "free"))
    yield* put(row("b", 1, "name"))
    yield* remove("b")
    yield* put(row("c", 0, "name"))
    assert.deepStrictEqual((yield* list).map((one) => [one.key, one.name]), [["a", "free"], ["c", "name"]])
  })))

  law(ground, "any number of records have no name, and collections know nothing of each other", cleared(Effect.gen(function*() {
    yield* put(row("a", 0))
    yield* put(row("b", 0))
    yield* put(row("c", 0, "name"))
    yield* perform("RecordPut", { collection: "execs", ...row("c", 0, "name", "1") })
    yield* remove("c")
    assert.strictEqual((yield* perform("RecordGet", { collection: "execs", key: "c" }))?.value, "1")
    yield* perform("RecordDelete", { collection: "execs", key: "c" })
    assert.deepStrictEqual((yield* list).map((one) => one.key), ["a", "b"])
  })))

  law(ground, "records are listed by their keys, and removed without ado", cleared(Effect.gen(function*() {
    for (const key of ["b", "a", "c", "10", "9", "A"]) yield* put(row(key, 0))
    assert.deepStrictEqual((yield* list).map((one) => one.key), ["10", "9", "A", "a", "b", "c"])
    yield* remove("none")
    yield* remove("a")
    yield* remove("a")
    assert.strictEqual((yield* list).length, 5)
  })))

  law(ground, "of many who change a record at once one does", cleared(Effect.gen(function*() {
    yield* put(row("a", 0, "", "0"))
    const changes = Array.from({ length: 10 }, (_, index) => Effect.result(put(row("a", 1, "", String(index)))))
    const results = yield* Effect.all(changes, { concurrency: "unbounded" })
    const winners = results.flatMap((one, index) => one._tag === "Success" ? [index] : [])
    assert.strictEqual(winners.length, 1)
    assert.deepStrictEqual(yield* get("a"), row("a", 2, "", String(winners[0])))
  })))

  law(ground, "many who count one up come to their number", cleared(Effect.gen(function*() {
    yield* put(row("a", 0, "", "0"))
    const count = Effect.gen(function*() {
      for (;;) {
        const now = (yield* get("a"))!
        const done = yield* Effect.result(put({ ...now, value: String(Number(now.value) + 1) }))
        if (done._tag === "Success") return
        assert.strictEqual(done.failure.errno, "ESTALE")
        yield* Effect.yieldNow
      }
    })
    yield* Effect.all(Array.from({ length: 10 }, () => count), { concurrency: "unbounded" })
    assert.deepStrictEqual(yield* get("a"), row("a", 11, "", "10"))
  })))
}
