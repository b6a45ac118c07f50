import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Sorted from "../../../src/interpreters/simulated/Sorted.ts"
import { Table } from "../../../src/interpreters/simulated/Table.ts"

const keys = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 2000 }), fc.nat({ max: 2 ** 30 - 1 }))
const changes = fc.array(fc.tuple(fc.boolean(), keys, fc.nat()), { maxLength: 200 })

describe("a table of numbers", () => {
  it("holds what a Map holds, in the order of the keys, whatever was put in and taken out", () => {
    fc.assert(fc.property(changes, (list) => {
      let table = Table.empty<number>()
      const map = new Map<number, number>()
      for (const [put, key, value] of list) {
        table = put ? table.set(key, value) : table.remove(key)
        if (put) map.set(key, value)
        else map.delete(key)
        assert.strictEqual(table.size, map.size)
        assert.strictEqual(table.get(key), map.get(key))
      }
      assert.deepStrictEqual(table.entries(), [...map].sort(([one], [other]) => one - other))
    }))
  })

  it("leaves older tables as they were", () => {
    fc.assert(fc.property(changes, changes, (first, then) => {
      const build = (from: Table<number>, list: typeof first) =>
        list.reduce(
          (table, [put, key, value]) => put ? table.set(key, value) : table.remove(key),
          from
        )
      const old = build(Table.empty<number>(), first)
      const before = old.entries()
      build(old, then)
      assert.deepStrictEqual(old.entries(), before)
    }))
  })
})

describe("a sorted map of names", () => {
  it("holds what a Map holds, sorted", () => {
    const names = fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 3 }), fc.nat()), {
      maxLength: 100
    })
    fc.assert(fc.property(names, (list) => {
      let sorted = Sorted.empty<number>()
      const map = new Map<string, number>()
      for (const [put, key, value] of list) {
        sorted = put ? Sorted.set(sorted, key, value) : Sorted.remove(sorted, key)
        if (put) map.set(key, value)
        else map.delete(key)
        assert.strictEqual(Sorted.get(sorted, key), map.get(key))
      }
      assert.deepStrictEqual(
        sorted.keys,
        [...map.keys()].sort((one, other) => one < other ? -1 : 1)
      )
    }))
  })
})
