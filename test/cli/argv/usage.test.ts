import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { wrapText } from "../../../src/cli/argv/usage.ts"

describe("wrapText", () => {
  it("keeps short texts on one line", () => {
    expect(wrapText("a few words", 10, 60)).toBe("a few words")
  })

  it("cuts at white space, five columns early, and indents what follows", () => {
    expect(wrapText("one two three four five six seven eight nine", 4, 34))
      .toBe("one two three four five\n    six seven eight nine")
  })

  it("lets the last words stand out rather than leave an orphan", () => {
    expect(wrapText("one two three four five sixes", 4, 34)).toBe("one two three four five sixes")
  })

  it("begins on a line of its own where there is little room", () => {
    expect(wrapText("some words of help", 40, 60)).toBe(`\n${" ".repeat(16)}some words of help`)
  })

  it("loses no word", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 40 })
    fc.assert(fc.property(words, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 40, max: 120 }),
      (list, indent, width) =>
      wrapText(list.join(" "), indent, width).trim().split(/\s+/).join(" ") === list.join(" ")))
  })
})
