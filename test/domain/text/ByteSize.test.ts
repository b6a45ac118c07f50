import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  formatBinarySize, formatDecimalSize, parseByteLimit, parseByteSize
} from "../../../src/domain/text/ByteSize.ts"
import { causeOf, success } from "./results.ts"

describe("a size in bytes", () => {
  it("refuses what a number cannot hold", () => {
    expect(success(parseByteSize("7p"))).toBe(7 * 2 ** 50)
    expect(causeOf(parseByteSize("8p"))).toBe("invalid size: '8p': value out of range")
    expect(causeOf(parseByteSize("1e400"))).toBe("invalid size: '1e400': value out of range")
  })

  it("may be minus one only where that means no limit", () => {
    expect(success(parseByteLimit("-1"))).toBe(-1)
    expect(causeOf(parseByteSize("-1"))).toBe("invalid size: '-1'")
    expect(causeOf(parseByteLimit("-2"))).toBe("invalid size: '-2'")
  })

  it("is the same however its unit is spelled", () => {
    const unit = fc.constantFrom("k", "m", "g", "t")
    fc.assert(fc.property(fc.nat(1000), unit, (amount, letter) => {
      const bytes = amount * 1024 ** ("kmgt".indexOf(letter) + 1)
      for (const suffix of [letter, `${letter}b`, `${letter}ib`, letter.toUpperCase(), `${letter.toUpperCase()}iB`]) {
        expect(success(parseByteSize(`${amount}${suffix}`))).toBe(bytes)
        expect(success(parseByteSize(`${amount} ${suffix}`))).toBe(bytes)
      }
    }))
  })

  it.each([
    [0, "0B"], [1, "1B"], [999, "999B"], [1000, "1kB"], [1024, "1.02kB"], [1234, "1.23kB"], [12345, "12.3kB"],
    [999499, "999kB"],
    [999500, "1e+03kB"], [1_000_000, "1MB"], [1_234_567, "1.23MB"], [1_005_000, "1MB"], [1_015_000, "1.01MB"],
    [1_025_000, "1.02MB"],
    [123_456_789, "123MB"], [1e9, "1GB"], [9_995_000, "9.99MB"], [99_950_000, "100MB"], [1e12, "1TB"],
    [5e15, "5PB"], [1e18, "1EB"]
  ])("of %d bytes is shown by ps as %s", (bytes, text) => {
    expect(formatDecimalSize(bytes, 3)).toBe(text)
  })

  it("is shown in powers of 1024 with four digits", () => {
    expect([0, 1023, 1024, 1536, 1024 ** 2 * 1.2345, 1024 ** 3, 1023.96 * 1024].map(formatBinarySize))
      .toEqual(["0B", "1023B", "1KiB", "1.5KiB", "1.234MiB", "1GiB", "1024KiB"])
  })

  it("survives being shown, to within the digits shown", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (bytes) => {
      const shown = formatBinarySize(bytes)
      const reread = success(parseByteSize(shown))
      expect(Math.abs(reread - bytes)).toBeLessThanOrEqual(bytes * 5e-4 + 1)
    }))
  })
})
