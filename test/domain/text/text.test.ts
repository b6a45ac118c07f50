/** The small tools of this room: bytes of UTF-8, integers, paths, addresses, signals, CSV, JSON. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isIP } from "node:net"
import { posix } from "node:path"
import { parseCsvRecord } from "../../../src/domain/text/CsvRecord.ts"
import { encodeGoJson } from "../../../src/domain/text/GoJson.ts"
import { GoStruct, type GoValue } from "../../../src/domain/text/goTemplate/GoValue.ts"
import { parseBigInteger, parseInteger, readGoInteger } from "../../../src/domain/text/Integer.ts"
import { readIpAddress } from "../../../src/domain/text/IpAddress.ts"
import { cleanPath, resolvePath } from "../../../src/domain/text/PosixPath.ts"
import { formatSignal, parseSignal } from "../../../src/domain/text/Signal.ts"
import { textError } from "../../../src/domain/text/TextError.ts"
import { byteLength, compareBytes, sliceBytes } from "../../../src/domain/text/Utf8.ts"
import { causeOf, success } from "./results.ts"

const anyText = fc.string({ unit: "binary" })

describe("UTF-8", () => {
  it("lengths, slices and order are those of the bytes", () => {
    fc.assert(fc.property(anyText, anyText, fc.nat(10), (left, right, cut) => {
      const bytes = Buffer.from(left)
      expect(byteLength(left)).toBe(bytes.length)
      expect(sliceBytes(left, cut, cut + 5)).toBe(bytes.subarray(cut, cut + 5).toString())
      expect(Math.sign(compareBytes(left.toWellFormed(), right.toWellFormed())))
        .toBe(Buffer.compare(Buffer.from(left.toWellFormed()), Buffer.from(right.toWellFormed())))
    }))
  })

  it("counts half a surrogate pair as the replacement character", () => {
    expect(byteLength("a\ud800")).toBe(4)
    expect(byteLength("\udc00\ud800")).toBe(6)
  })
})

describe("an integer", () => {
  it("in Go source form may have a base and underscores", () => {
    expect(["0x1F", "0X1f", "0b101", "0o17", "017", "1_000", "-0x10", "+7", "0", "-0"].map(readGoInteger))
      .toEqual([31n, 31n, 5n, 15n, 15n, 1000n, -16n, 7n, 0n, 0n])
    expect(["08", "0x", "1__0", "_1", "1_", "", "-", "0b2", "1e3", " 1", "1.0", "0x_"].map(readGoInteger))
      .toEqual(Array(12).fill(undefined))
  })

  it("comes back from any base", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (value) => {
      for (const text of [`${value}`, `0x${value.toString(16)}`, `0o${value.toString(8)}`, `0b${value.toString(2)}`]) {
        expect(success(parseBigInteger(text, { operation: "number" }))).toBe(value)
      }
      expect(success(parseBigInteger(`-${value}`, { operation: "number" }))).toBe(-value)
    }))
  })

  it("outside its range says which range that is", () => {
    const failed = parseInteger("11", { operation: "number", minimum: 0n, maximum: 10n })
    expect(causeOf(failed)).toBe("strconv.ParseInt: parsing \"11\": value out of range")
    expect(failed._tag === "Failure" && failed.failure.cure).toBe("write a whole number from 0 to 10")
    expect(causeOf(parseInteger("9007199254740992", { operation: "number" }))).toContain("value out of range")
    expect(causeOf(parseInteger("1".repeat(5000), { operation: "number" })).length).toBeLessThan(200)
  })
})

describe("a path", () => {
  it("is cleaned and resolved as POSIX paths are", () => {
    const path = fc.string({ unit: fc.constantFrom("/", ".", "..", "a", "b "), maxLength: 12 })
    fc.assert(fc.property(path, path, (left, right) => {
      const withoutSlash = (text: string) => text.length > 1 ? text.replace(/\/$/, "") : text
      expect(cleanPath(left)).toBe(withoutSlash(posix.normalize(left)) || ".")
      expect(resolvePath(`/${left}`, right)).toBe(posix.resolve(`/${left}`, right))
    }))
  })
})

describe("an IP address", () => {
  it("is taken exactly where Node takes it, but for zones", () => {
    const unit = fc.constantFrom("0", "1", "25", "255", "a", "F", ":", "::", ".", "ffff")
    const soup = fc.string({ unit, maxLength: 14 })
    const v4 = fc.tuple(fc.nat(300), fc.nat(300), fc.nat(255), fc.nat(255)).map((parts) => parts.join("."))
    fc.assert(fc.property(fc.oneof(soup, v4, fc.ipV6(), fc.ipV4()), (text) => {
      expect(readIpAddress(text) !== undefined).toBe(isIP(text) !== 0)
    }), { numRuns: 2000 })
  })

  it("has one canonical form", () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = readIpAddress(text)
      expect(canonical).toBeDefined()
      expect(readIpAddress(canonical ?? "")).toBe(canonical)
      if (text.includes(":") && !canonical!.includes(".")) {
        // The URL parser of the platform writes RFC 5952 too
        expect(`[${canonical}]`).toBe(new URL(`http://[${text}]/`).hostname)
      }
    }))
  })
})

describe("a signal", () => {
  it.each([
    ["SIGTERM", 15], ["term", 15], ["sigKill", 9], ["15", 15], ["64", 64], ["RTMIN", 34], ["SIGRTMIN+3", 37],
    ["RTMAX", 64], ["rtmax-1", 63],
    ["IOT", 6], ["CLD", 17], ["POLL", 29], ["WINCH", 28], ["SYS", 31], ["RTMIN+30", 64]
  ])("%s is number %i", (text, number) => {
    expect(success(parseSignal(text))).toBe(number)
  })

  it.each([
    "", "0", "65", "-1", "foo", "SIG", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMAX-31", "RTMIN+", "1 ", "0x9",
    "constructor"
  ])("%j is none", (text) => {
    expect(causeOf(parseSignal(text))).toBe(`invalid signal: ${text}`)
  })

  it("reads back as its number", () => {
    for (let number = 1; number <= 64; number++) {
      expect(success(parseSignal(formatSignal(number)))).toBe(number)
    }
  })
})

describe("a record of comma-separated values", () => {
  it("reads back as its fields", () => {
    const field = fc.string({ unit: fc.constantFrom("a", "\"", ",", " ", "é", "=", "\n") })
    const quote = (text: string) => /["\n,]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text
    fc.assert(fc.property(fc.array(field, { minLength: 1 }), (fields) => {
      expect(success(parseCsvRecord(fields.map(quote).join(",")))).toEqual(fields)
    }))
  })

  it("of any text is read or refused with a column", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "\"", ",", "é", "\n") }), (text) => {
      const result = parseCsvRecord(text)
      if (result._tag === "Failure") expect(result.failure).toMatch(/^parse error on line 1, column [1-9]\d*: /)
    }))
  })
})

describe("JSON as Go writes it", () => {
  it("says what JSON.stringify says, with the keys sorted", () => {
    fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const negativeZero = JSON.stringify(value)
      for (const style of [{}, { escapeHtml: true }, { indent: "  " }]) {
        expect(JSON.stringify(JSON.parse(encodeGoJson(value as GoValue, style)))).toBe(
          JSON.stringify(JSON.parse(negativeZero, (_, item) =>
            typeof item === "object" && item !== null && !Array.isArray(item)
              ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => compareBytes(a, b)))
              : item))
        )
      }
    }))
  })

  it("indents as Go does", () => {
    expect(encodeGoJson({ b: [], a: [1, {}], c: { d: null } }, { indent: "    " })).toBe(
      "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": [],\n    \"c\": {\n        \"d\": null\n    }\n}"
    )
  })

  it("escapes for HTML only when asked to, line separators always", () => {
    expect(encodeGoJson("<&>\u2028\u0001\b")).toBe("\"<&>\\u2028\\u0001\\b\"")
    expect(encodeGoJson("<&>", { escapeHtml: true })).toBe("\"\\u003c\\u0026\\u003e\"")
    expect(encodeGoJson("\ud800")).toBe("\"\ufffd\"")
  })

  it("leaves out what is undefined and keeps the order of structs", () => {
    expect(encodeGoJson(new GoStruct("T", { b: 1, a: undefined, c: [undefined] }))).toBe("{\"b\":1,\"c\":[null]}")
    expect(encodeGoJson({ big: 2n ** 62n, float: 1e21, not: NaN }))
      .toBe("{\"big\":4611686018427387904,\"float\":1e+21,\"not\":null}")
  })
})

describe("an error about a text", () => {
  it("names operation, object, cause and cure, and cuts long objects", () => {
    const error = textError("parse ulimit", "x".repeat(1000), "too long", "write less")
    expect(error.message).toMatch(/^cannot parse ulimit "x{200}…": too long; write less$/)
    expect(error._tag).toBe("TextError")
    expect(error).toBeInstanceOf(Error)
  })
})
