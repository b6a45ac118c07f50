import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { displayWidth } from "../../../src/domain/text/displayWidth.ts"
import { alignTable } from "../../../src/domain/text/Table.ts"

/** Widths that docker's own tables gave these texts. */
const widths: ReadonlyArray<readonly [text: string, columns: number]> = [
  ["日本", 4], ["a\u0301", 1], ["👍", 2], ["👍🏽", 2], ["👨‍👩‍👧", 2], ["\u200b", 0], ["\u00ad", 0], ["①", 1], ["±", 1],
  ["ﬁ", 1], ["ａ", 2], ["\u1100", 2], ["🇫🇷", 1], ["❤️", 1], ["☃", 1], ["…", 1], ["\u0007", 0], ["｡", 1],
  ["\u0e33", 1], ["\ufeff", 0],
  ["⌚", 2], ["⚡", 2], ["〰", 2], ["\u2028", 0], ["한", 2], ["𠀀", 2], ["★", 1], ["α", 1], ["Ж", 1], ["─", 1],
  ["\u00a0", 1], ["", 0],
  ["\u001b[31mx", 5], ["plain text", 10]
]

describe("the width of a text", () => {
  it.each(widths)("%j takes %i columns", (text, columns) => {
    expect(displayWidth(text)).toBe(columns)
  })

  it("never depends on what stands before a printable character", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "é", "日", "👍", "Ж") })
    fc.assert(fc.property(letters, letters, (left, right) => {
      expect(displayWidth(left + right)).toBe(displayWidth(left) + displayWidth(right))
    }))
  })
})

describe("a table", () => {
  it("makes a column as wide as its widest cell and three more, but ten at least", () => {
    expect(alignTable("a\tb\nlonger than ten\tc\n")).toBe("a                 b\nlonger than ten   c\n")
    expect(alignTable("a\tb\n")).toBe("a         b\n")
  })

  it("lets a line without a cell end the column", () => {
    expect(alignTable("a long first cell\tx\nno cell\nb\ty\n")).toBe("a long first cell   x\nno cell\nb         y\n")
  })

  it("counts wide characters double", () => {
    expect(alignTable("日本語日本語\tx\nab\ty\n")).toBe("日本語日本語   x\nab             y\n")
  })

  it("keeps empty cells ten wide and what follows the last tab as it is", () => {
    expect(alignTable("\t\tx y  \n")).toBe(`${" ".repeat(20)}x y  \n`)
  })

  const cell = fc.string({ unit: fc.constantFrom("a", "bc", "日", "é", "x y"), maxLength: 12 })

  it("starts the cells of a rectangle at the same columns, without losing a character", () => {
    const rectangle = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }))
    fc.assert(fc.property(rectangle, (rows) => {
      const aligned = alignTable(rows.map((cells) => `${cells.join("\t")}\n`).join("")).split("\n")
      let start = 0
      const positions = (rows[0] ?? []).map((_, column) => {
        const position = start
        start += Math.max(10, ...rows.map((cells) => displayWidth(cells[column] ?? "") + 3))
        return position
      })
      for (const [index, cells] of rows.entries()) {
        let line = ""
        for (const [column, text] of cells.entries()) {
          line += " ".repeat((positions[column] ?? 0) - displayWidth(line)) + text
        }
        expect(aligned[index]).toBe(line)
      }
    }))
  })
})
