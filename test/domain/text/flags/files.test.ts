/** --env-file and --label-file. The answers are those of docker 28.2 to the same files. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseEnvironmentFile, parseLabelFile } from "../../../../src/domain/text/flags/KeyValueFile.ts"
import { causeOf, success } from "../results.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const environmentFile = (contents: string | Uint8Array, environment: { readonly [name: string]: string } = {}) =>
  parseEnvironmentFile(typeof contents === "string" ? bytes(contents) : contents, "vars", environment)

describe("an --env-file", () => {
  it("is lines of NAME=VALUE with comments and blank lines between", () => {
    const contents = "\ufeffA=1\n  B=2  \n#c\n\n   # d\nHOME\nNOPE\nQ=\"x y\"\nS='a'\nT=\"\n" +
      "E=\nX=a=b\r\nTAB=\ta\n\tLEAD=1\nUé=1\n\u00a0C=1\nD\u00a0D=1"
    expect(success(environmentFile(contents, { HOME: "/root" }))).toEqual([
      "A=1", "B=2  ", "HOME=/root", "Q=\"x y\"", "S='a'", "T=\"", "E=", "X=a=b", "TAB=\ta", "LEAD=1", "Ué=1",
      "C=1", "D\u00a0D=1"
    ])
  })

  it("takes a byte order mark only at its beginning, and carriage returns only before line feeds", () => {
    expect(success(environmentFile("A=1\n\ufeffB=2"))).toEqual(["A=1", "\ufeffB=2"])
    expect(success(environmentFile("A=1\rB=2\n"))).toEqual(["A=1\rB=2"])
  })

  it("takes values only from the environment's own names", () => {
    expect(success(environmentFile("constructor\n__proto__\ntoString\n"))).toEqual([])
  })

  it.each([
    ["A B=1\n", "variable 'A B' contains whitespaces"],
    ["=1\n", "no variable name on line '=1'"],
    ["A =1\n", "variable 'A ' contains whitespaces"],
    ["A=\0b\n", "variable 'A' contains a NUL byte"],
    ["OK=1\n" + "a".repeat(70_000), "line 2 is longer than 65535 bytes"]
  ])("%j is refused", (contents, cause) => {
    expect(causeOf(environmentFile(contents))).toBe(`invalid env file (vars): ${cause}`)
  })

  it("must be UTF-8", () => {
    expect(causeOf(environmentFile(Uint8Array.of(79, 75, 61, 49, 10, 65, 61, 255, 10)))).toBe(
      "invalid env file (vars): invalid utf8 bytes at line 2: [65 61 255]"
    )
  })

  it("gives back any lines that were written properly", () => {
    const name = fc.string({ unit: fc.constantFrom("A", "b", "_", "1", "é", "-"), minLength: 1 })
    const value = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\0]|\r$/.test(text) && text.isWellFormed())
    fc.assert(fc.property(fc.array(fc.tuple(name, value)), fc.boolean(), (pairs, windows) => {
      const lines = pairs.map(([key, text]) => `${key}=${text}`)
      const end = windows ? "\r\n" : "\n"
      expect(success(environmentFile(lines.map((line) => line + end).join("")))).toEqual(lines)
    }))
  })

  it("of any bytes is read or refused by name", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (contents) => {
      const result = environmentFile(contents)
      if (result._tag === "Failure") expect(result.failure.cause).toMatch(/^invalid env file \(vars\): /)
      else for (const line of result.success) expect(line).toMatch(/^[^= \t]+=/)
    }))
  })
})

describe("a --label-file", () => {
  it("leaves out names without a value", () => {
    expect(success(parseLabelFile(bytes("a\nb=\nc=d e\n#x\n\"q\"=\"v\"\n"), "labels")))
      .toEqual(["b=", "c=d e", "\"q\"=\"v\""])
  })

  it("is refused as what it is", () => {
    expect(causeOf(parseLabelFile(bytes("f g=h"), "labels")))
      .toBe("invalid label file (labels): variable 'f g' contains whitespaces")
  })
})
