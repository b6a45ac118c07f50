import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatExponent, formatFixed, formatGeneral } from "../../../src/domain/text/FloatText.ts"

const double = fc.double({ noNaN: true, noDefaultInfinity: true })

const mostDigits = 100

/** Exact for numbers from about 10⁻³⁰ on. */
const hundredDigits = (value: number): string => value.toFixed(mostDigits)

/** The value of a decimal text times 10^digits, as an exact integer. */
const scaled = (text: string, digits: number): bigint => {
  const [integer = "0", fraction = ""] = text.replace("-", "").split(".")
  return BigInt(integer + fraction.padEnd(digits, "0").slice(0, digits))
}

describe("a float", () => {
  it("rounds exact halves to even, as C and Go do", () => {
    expect([0.5, 1.5, 2.5, 3.5].map((value) => formatFixed(value, 0))).toEqual(["0", "2", "2", "4"])
    expect([0.125, 0.375].map((value) => formatFixed(value, 2))).toEqual(["0.12", "0.38"])
    expect([1.005, 2.675].map((value) => formatFixed(value, 2))).toEqual(["1.00", "2.67"])
    expect([1000.5, 1001.5].map((value) => formatGeneral(value, 4))).toEqual(["1000", "1002"])
  })

  it("has an exponent in %g from the precision on and below a ten-thousandth", () => {
    expect([999.4, 999.5, 999.6].map((value) => formatGeneral(value, 3))).toEqual(["999", "1e+03", "1e+03"])
    expect([0.0001, 0.00001, 123456, 1234567].map((value) => formatGeneral(value)))
      .toEqual(["0.0001", "1e-05", "123456", "1.234567e+06"])
  })

  it("has names where there are no digits", () => {
    expect([NaN, Infinity, -Infinity].map((value) => formatFixed(value, 2))).toEqual(["NaN", "+Inf", "-Inf"])
    expect([formatGeneral(-0), formatFixed(-0, 1), formatExponent(0, 1)]).toEqual(["-0", "-0.0", "0.0e+00"])
  })

  it("in %f is within half a unit of the last place", () => {
    const moderate = fc.double({ min: -1e15, max: 1e15, noNaN: true })
    fc.assert(fc.property(moderate, fc.nat(20), (value, digits) => {
      const text = formatFixed(value, digits)
      expect(text).toMatch(digits === 0 ? /^-?\d+$/ : /^-?\d+\.\d+$/)
      const exact = scaled(hundredDigits(Math.abs(value)), digits + 40)
      const distance = scaled(text, digits) * 10n ** 40n - exact
      expect((distance < 0n ? -distance : distance) * 2n <= 10n ** 40n).toBe(true)
    }))
  })

  it("reads back as itself with 17 digits and in the shortest form", () => {
    fc.assert(fc.property(double, (value) => {
      expect(Number(formatExponent(value, 16))).toBe(value)
      expect(Number(formatGeneral(value, 17))).toBe(value)
      expect(Number(formatGeneral(value))).toBe(value)
    }))
  })
})
