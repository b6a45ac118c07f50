import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  fitsOctal,
  readDecimal,
  readNumber,
  readPaxTime,
  writeOctal,
  writePaxTime
} from "../../../src/domain/layer/tarNumber.ts"
import { ascii } from "./archives.ts"

const read = (bytes: Uint8Array): number => readNumber(bytes, 0, bytes.length)

describe("octal fields", () => {
  it.each([
    ["0000644\0", 0o644],
    ["000644 \0", 0o644],
    ["  644 \0\0", 0o644],
    ["00000000", 0],
    ["77777777", 0o77777777],
    ["\0\0\0\0\0\0\0\0", 0],
    ["        ", 0],
    ["644\0junk", 0o644],
    ["0000648\0", NaN],
    ["-000001\0", NaN],
    ["0x1F\0\0\0\0", NaN]
  ])("read %j as %d", (text, value) => {
    expect(read(ascii(text))).toBe(value)
  })

  it("come back as they were written, when they fit", () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(8, 12), (value, length) => {
        fc.pre(fitsOctal(value, length))
        const bytes = new Uint8Array(length)
        writeOctal(bytes, 0, length, value)
        expect(read(bytes)).toBe(value)
        expect(bytes.at(-1)).toBe(0)
      })
    )
    expect([fitsOctal(8 ** 7 - 1, 8), fitsOctal(8 ** 7, 8), fitsOctal(-1, 8)]).toEqual([
      true,
      false,
      false
    ])
  })
})

describe("base 256", () => {
  it("is read in two's complement, exactly to 2^53", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Uint8Array(12)
        new DataView(bytes.buffer).setBigInt64(4, BigInt(value))
        bytes.fill(value < 0 ? 0xff : 0, 0, 4)
        bytes[0]! |= 0x80
        expect(read(bytes)).toBe(value)
      })
    )
  })

  it("is beyond what is exact when the field is full", () => {
    expect(Number.isSafeInteger(read(new Uint8Array(12).fill(0xbf)))).toBe(false)
    expect(Number.isSafeInteger(read(Uint8Array.of(0xc0, ...new Uint8Array(11))))).toBe(false)
  })
})

describe("decimal text of pax", () => {
  it.each([
    ["0", 0],
    ["-5", -5],
    ["007", 7],
    ["", NaN],
    ["+5", NaN],
    ["1.5", NaN],
    ["1e3", NaN],
    [" 1", NaN],
    ["0x10", NaN]
  ])("reads %j as %d", (text, value) => {
    expect(readDecimal(text)).toBe(value)
  })

  it.each([
    ["0", 0, 0],
    ["1.5", 1, 500_000_000],
    ["1.", 1, 0],
    ["-1.5", -2, 500_000_000],
    ["-0.1", -1, 900_000_000],
    ["1.1234567899", 1, 123_456_789],
    ["-1.1234567891", -2, 876_543_210],
    ["-1.9999999999", -2, 0],
    ["-3", -3, 0]
  ])("reads the time %j as %d s and %d ns", (text, seconds, nanoseconds) => {
    expect(readPaxTime(text)).toEqual({ seconds, nanoseconds })
  })

  it.each(["", ".5", "1,5", "1.5.5", "now", "--1", "1e9", "99999999999999999999"])(
    "takes %j for no time",
    (text) => {
      expect(readPaxTime(text)).toBeNull()
    }
  )

  it("reads every time back that it wrote", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(999_999_999), (seconds, nanoseconds) => {
        expect(readPaxTime(writePaxTime(seconds, nanoseconds))).toEqual({ seconds, nanoseconds })
      })
    )
  })
})
