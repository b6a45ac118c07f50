import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareNames, comparePaths } from "../../../src/domain/layer/nameOrder.ts"
import { encodeName } from "../../../src/domain/layer/tarName.ts"
import { character } from "./archives.ts"

const name = fc.string({
  unit: fc.oneof(character, fc.constantFrom("a", "\u{1f600}", "\uffee", "\udcff", "é")),
  maxLength: 4
})

describe("the order of names", () => {
  it("is that of their bytes", () => {
    fc.assert(
      fc.property(name, name, (left, right) => {
        const bytes = Buffer.compare(encodeName(left), encodeName(right))
        expect(Math.sign(compareNames(left, right))).toBe(bytes)
      }),
      { numRuns: 2000 }
    )
  })

  it("puts a character beyond 16 bits after the last within, unlike that of strings", () => {
    expect(["\u{1f600}", "\uffee"].sort()).toEqual(["\u{1f600}", "\uffee"])
    expect(["\u{1f600}", "\uffee"].sort(compareNames)).toEqual(["\uffee", "\u{1f600}"])
  })

  it("of paths is that of a walk: what is in a directory before its next sibling", () => {
    const walk = ["a", "a/b", "a/b/c", "a/c", "a-b", "b"]
    expect(walk.toReversed().sort(comparePaths)).toEqual(walk)
  })
})
