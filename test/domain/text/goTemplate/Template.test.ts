import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { GoFloat, GoMethod, GoStruct, type GoValue } from "../../../../src/domain/text/goTemplate/GoValue.ts"
import * as Template from "../../../../src/domain/text/goTemplate/Template.ts"
import { causeOf, success } from "../results.ts"

const run = (text: string, data: GoValue = {}) =>
  Result.flatMap(Template.parse(text), (template) => Template.execute(template, data))

const print = (text: string, data: GoValue = {}): string => success(run(text, data))

const why = (text: string, data: GoValue = {}): string =>
  causeOf(run(text, data)).replace(/^template parsing error: template: /, "")

describe("a template over JSON", () => {
  it("takes whole numbers for ints and others for floats", () => {
    expect(print("{{printf \"%T %T %T %T\" .a .b .c .d}}", { a: 3, b: 2.5, c: 2n ** 60n, d: new GoFloat(2) }))
      .toBe("int float64 int float64")
    const numbers = { a: 3, c: 2n ** 60n, d: new GoFloat(2) }
    expect(print("{{if gt .a 2}}more{{end}} {{eq .c 1152921504606846976}} {{.d}}", numbers)).toBe("more true 2")
    expect(why("{{eq .a 1}}", { a: new GoFloat(1) })).toContain("incompatible types for comparison")
  })

  it("sees only own keys of objects", () => {
    expect(print("{{.constructor}} {{.toString}} {{.__proto__}} {{index . \"constructor\"}}"))
      .toBe(Array(4).fill("<no value>").join(" "))
    expect(why("{{constructor 1}}")).toBe(":1: function \"constructor\" not defined")
  })

  it("gives an error for a missing key when asked to", () => {
    const template = success(Template.parse("{{.a.b}}"))
    expect(causeOf(Template.execute(template, { a: {} }, { missingKey: "error" }))).toBe(
      "template parsing error: template: :1:4: executing \"\" at <.a.b>: map has no entry for key \"b\""
    )
    expect(success(Template.execute(template, { a: {} }))).toBe("<no value>")
  })

  it("keeps what was written before a failure for headings", () => {
    const template = success(Template.parse("before {{upper .a}} {{.a.b}} after"))
    expect(Template.executeLeniently(template, { a: "Name" }, { forHeader: true })).toBe("before Name ")
  })

  it("walks maps in the order of their keys' bytes", () => {
    expect(print("{{range $k, $v := .}}{{$k}} {{end}}", { "\u{1f600}": 1, "\uffee": 1, b: 1, B: 1, a: 1 }))
      .toBe("B a b \uffee \u{1f600} ")
  })
})

describe("a struct", () => {
  const row = new GoStruct("*formatter.Row", {
    Name: "n", Label: new GoMethod(["string"], (key = "") => `<${key}>`), Size: 3
  })

  it("has its fields and no others", () => {
    expect(print("{{.Name}} {{.Size}}", row)).toBe("n 3")
    expect(why("{{.Nope}}", row))
      .toBe(":1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type *formatter.Row")
    expect(why("{{.Name 1}}", row)).toContain("Name has arguments but cannot be invoked as function")
  })

  it("has methods with arguments", () => {
    expect(print("{{.Label \"a\"}} {{.Name | .Label}} {{len (.Label .Name)}}", row)).toBe("<a> <n> 3")
    expect(why("{{.Label}}", row)).toContain("wrong number of args for Label: want 1 got 0")
    expect(why("{{.Label 1}}", row)).toContain("expected string; found 1")
  })

  it("writes JSON in order of declaration, or sorted with HTML escaped", () => {
    expect(print("{{json .}}", row)).toBe("{\"Name\":\"n\",\"Size\":3}")
    expect(print("{{json .}}", new GoStruct("Row", { b: "<", a: 1 }, "sorted"))).toBe("{\"a\":1,\"b\":\"\\u003c\"}")
  })

  it("is true even when empty", () => {
    expect(print("{{if .}}yes{{end}}", new GoStruct("Empty", {}))).toBe("yes")
  })
})

describe("the bounds of a template", () => {
  it("stop endless work", () => {
    expect(why("{{range 1000000000}}{{end}}")).toContain("stopped after 1000000 steps")
    expect(why("{{range 100000}}{{printf \"%9999d\" 1}}{{end}}")).toContain("output longer than")
    expect(why("{{printf \"%99999d\" 1}}")).toContain("width or precision beyond 10000")
    expect(why("{{pad \"a\" 99999 0}}")).toContain("padding beyond 10000")
  })

  it("stop deep nesting and long texts", () => {
    expect(why("{{" + "(".repeat(2000) + "1" + ")".repeat(2000) + "}}")).toContain("nested more than 100 levels deep")
    expect(why("{{if 1}}".repeat(2000) + "{{end}}".repeat(2000))).toContain("nested more than 100 levels deep")
    expect(why("{{if 0}}" + "{{else if 0}}".repeat(2000) + "{{end}}")).toContain("nested more than 100 levels deep")
    expect(why("x".repeat(70_000))).toContain("longer than 65536 characters")
  })

  it("say that a format is a single template", () => {
    for (const keyword of ["define \"x\"", "template \"x\"", "block \"x\" ."]) {
      expect(why(`{{${keyword}}}{{end}}`)).toMatch(/^:1: \{\{(define|template|block)\}\} is not supported/)
    }
  })
})

/** Pieces of templates, right and wrong, put together at random. */
const soup = fc.array(
  fc.constantFrom(
    "{{", "}}", "{{-", "-}}", " ", "\n", "if", "else", "end", "range", "with", ".", ".A", "$", "$x", ":=",
    "=", "|", "(", ")",
    "\"s\"", "'c'", "`r`", "1", "2.5", "-", "printf", "%d", "json", "len", "index", "nil", "true", "/*", "*/",
    ",", "é", "\\", "\""
  ),
  { maxLength: 30 }
).map((pieces) => pieces.join(""))

describe("any text whatever", () => {
  const data = { A: [1, "two", null, { b: true }], B: "x" }

  it("is printed or refused with a position, never thrown over", () => {
    fc.assert(fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), (text) => {
      const result = run(text, data)
      if (Result.isFailure(result)) {
        expect(result.failure.cause)
          .toMatch(/^template parsing error: template: :\d+(:\d+: executing "" at <[^]*>)?: ./)
        expect(result.failure.object).toBe(text)
      }
    }), { numRuns: 1000 })
  })

  it("without actions is printed as it is", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }).filter((text) => !text.includes("{{")), (text) => {
      expect(print(text)).toBe(text)
    }))
  })

  it("comes through a quoted string unchanged", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      // JSON's escapes are Go's as well
      expect(print(`{{${JSON.stringify(text)}}}`)).toBe(text)
      expect(print("{{printf \"%s\" .}}", text)).toBe(text)
    }))
  })

  it("is quoted by %q in a way that a template reads back", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const quoted = print("{{printf \"%q\" .}}", text)
      const ascii = print("{{printf \"%+q\" .}}", text)
      expect(ascii).toMatch(/^[\x20-\x7e]*$/)
      expect(print(`{{${quoted}}}`)).toBe(text)
      expect(print(`{{${ascii}}}`)).toBe(text)
    }))
  })
})

describe("numbers in templates", () => {
  it("of any size and base come back in decimal", () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const magnitude = (value < 0n ? -value : value).toString(16)
      expect(print(`{{${value < 0n ? "-" : ""}0x${magnitude}}}`)).toBe(value.toString())
      expect(print(`{{${value}}}`)).toBe(value.toString())
      expect(print("{{printf \"%x\" .}}", value)).toBe(value.toString(16))
    }))
  })

  it("print as themselves in the shortest form", () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(print("{{.}}", new GoFloat(value)))).toBe(value)
    }))
  })

  it("order as JavaScript orders them", () => {
    const number = fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }))
    fc.assert(fc.property(number, number, (a, b) => {
      expect(print("{{lt .a .b}} {{le .a .b}} {{gt .a .b}} {{ge .a .b}} {{eq .a .b}} {{ne .a .b}}", { a, b }))
        .toBe([a < b, a <= b, a > b, a >= b, BigInt(a) === BigInt(b), BigInt(a) !== BigInt(b)].join(" "))
    }))
  })
})
