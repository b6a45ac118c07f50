/** Durations and points in time: as Go reads and prints them, and as docker shows them to people. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatDuration, parseDuration } from "../../../src/domain/text/GoDuration.ts"
import { humanAgo, humanDuration } from "../../../src/domain/text/humanDuration.ts"
import {
  formatCreatedAt, formatLogTimestamp, formatTimestamp, parseTimestamp, readTimestamp
} from "../../../src/domain/text/Timestamp.ts"
import { causeOf, success } from "./results.ts"

const second = 1_000_000_000n

describe("a duration", () => {
  it.each([
    [0n, "0s"], [1n, "1ns"], [1_100n, "1.1µs"], [2_200_000n, "2.2ms"], [3_300_000_000n, "3.3s"], [60n * second, "1m0s"],
    [245n * second, "4m5s"], [245_001_000_000n, "4m5.001s"], [3_661n * second, "1h1m1s"], [86_400n * second, "24h0m0s"],
    [2n ** 63n - 1n, "2562047h47m16.854775807s"], [-1_500_000n, "-1.5ms"]
  ])("of %d ns is written %s", (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text)
  })

  it("reads back as itself", () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), (nanoseconds) => {
      expect(success(parseDuration(formatDuration(nanoseconds)))).toBe(nanoseconds)
    }))
  })

  it("sums its parts in any order", () => {
    const part = fc.tuple(fc.nat(1000), fc.constantFrom("h", "m", "s", "ms", "us", "ns"))
    fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = (list: typeof parts) => list.map(([count, unit]) => `${count}${unit}`).join("")
      expect(success(parseDuration(text(parts)))).toBe(success(parseDuration(text([...parts].reverse()))))
    }))
  })

  it("of any text is read or refused, not thrown over", () => {
    const soup = fc.string({ unit: fc.constantFrom("1", "9", "0", ".", "h", "m", "s", "µ", "n", "-", "+", " ") })
    fc.assert(fc.property(soup, (text) => {
      const result = parseDuration(text)
      if (result._tag === "Success") expect(success(parseDuration(formatDuration(result.success)))).toBe(result.success)
      else expect(result.failure.cause).toMatch(/^time: (invalid duration|missing unit|unknown unit)/)
    }))
  })
})

describe("a duration for people", () => {
  it.each([
    [0, "Less than a second"], [1, "1 second"], [3, "3 seconds"], [59, "59 seconds"], [62, "About a minute"],
    [119, "About a minute"],
    [122, "2 minutes"], [3590, "59 minutes"], [3605, "About an hour"], [5390, "About an hour"],
    [5410, "2 hours"], [7200, "2 hours"],
    [86400, "24 hours"], [172790, "2 days"], [172810, "2 days"], [604800, "7 days"], [1209590, "2 weeks"],
    [1209610, "2 weeks"],
    [5183900, "2 months"], [5184100, "2 months"], [31536000, "12 months"], [63071900, "1 years"], [63072100, "2 years"],
    [94608100, "3 years"], [-50, "Less than a second"]
  ])("of %d seconds is %s, as docker shows it", (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text)
    expect(humanAgo(seconds * 1000)).toBe(`${text} ago`)
  })
})

const now = 1_700_000_000n * second

const at = (text: string, localZoneMinutes = 0): bigint => success(parseTimestamp(text, { now, localZoneMinutes }))

describe("a value of --since", () => {
  it.each([
    ["2023-11-14T22:13:20Z", now],
    ["2023-11-14T22:13:20.5Z", now + second / 2n],
    ["2023-11-14T22:13:20.123456789Z", now + 123_456_789n],
    ["2023-11-14T22:13:20.1234567891234Z", now + 123_456_789n],
    ["2023-11-14T23:13:20+01:00", now],
    ["2023-11-14T16:43:20-05:30", now],
    ["2023-11-14T22:13Z", now - 20n * second],
    ["2023-11-14T22Z", now - 800n * second],
    ["2023-11-14Z", now - 80_000n * second],
    ["2023-11-14T22:13:20", now],
    ["2023-11-14", now - 80_000n * second],
    ["1700000000", now],
    ["1700000000.25", now + second / 4n],
    ["1700000000.000000001", now + 1n],
    ["0", 0n],
    ["10m", now - 600n * second],
    ["1h30m", now - 5400n * second],
    ["-1h", now + 3600n * second]
  ])("%s is the right moment", (text, moment) => {
    expect(at(text)).toBe(moment)
  })

  it("without a zone is in the local one", () => {
    expect(at("2023-11-14T23:13:20", 60)).toBe(now)
    expect(at("2023-11-14T17:13:20.5", -300)).toBe(now + second / 2n)
    expect(at("2023-11-15", 60)).toBe(at("2023-11-14T23:00:00Z"))
    expect(at("2023-11-14T22:13:20Z", 60)).toBe(now)
  })

  it.each([
    "2023-13-01", "2023-02-29", "2023-02-30T00:00:00Z", "2023-00-10", "2023-01-00", "2023-01-01T24:00:00Z",
    "2023-01-01T00:60:00Z",
    "2023-01-01T00:00:60Z", "2023-1-1", "2023-01-01 00:00:00", "2023-01-01t00:00:00z", "2023-01-01T00:00:00+0100"
  ])("%s is no moment", (text) => {
    expect(causeOf(parseTimestamp(text, { now }))).toContain(`parsing time "${text}"`)
  })

  it.each([
    "", "yesterday", "1.2.3", "1e9", "T12:00", "10 m", "0x10", "9".repeat(300)
  ])("%s is nothing at all", (text) => {
    expect(causeOf(parseTimestamp(text, { now }))).toContain("failed to parse value as time or duration")
  })

  it("takes leap days for what they are", () => {
    expect(at("2024-02-29T12:00:00Z") - at("2024-02-28T12:00:00Z")).toBe(86_400n * second)
    expect(causeOf(parseTimestamp("1900-02-29", { now }))).toContain("parsing time")
    expect(at("0001-01-01T00:00:00Z")).toBe(-62_135_596_800n * second)
  })
})

describe("a timestamp", () => {
  const moment = fc.bigInt({ min: -62_135_596_800n * second, max: 253_402_300_799n * second })
  const zone = fc.integer({ min: -14 * 60, max: 14 * 60 })

  it("is written without zeros at the end, and with nine digits in logs", () => {
    expect([0n, 1n, 500_000_000n, 120n].map((nanoseconds) => formatTimestamp(now + nanoseconds))).toEqual([
      "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000000001Z", "2023-11-14T22:13:20.5Z",
      "2023-11-14T22:13:20.00000012Z"
    ])
    expect(formatLogTimestamp(now)).toBe("2023-11-14T22:13:20.000000000Z")
    expect(formatTimestamp(-1n)).toBe("1969-12-31T23:59:59.999999999Z")
  })

  it("is written in a zone", () => {
    expect(formatTimestamp(now, -330)).toBe("2023-11-14T16:43:20-05:30")
    expect(formatCreatedAt(now)).toBe("2023-11-14 22:13:20 +0000 UTC")
    expect(formatCreatedAt(now, 60, "CET")).toBe("2023-11-14 23:13:20 +0100 CET")
  })

  it("reads back as itself", () => {
    // A zone must not carry the date out of the years 1 to 9999
    const inside = fc.bigInt({ min: -62_135_000_000n * second, max: 253_402_000_000n * second })
    fc.assert(fc.property(inside, zone, (nanoseconds, minutes) => {
      expect(readTimestamp(formatTimestamp(nanoseconds, minutes))).toBe(nanoseconds)
      expect(readTimestamp(formatLogTimestamp(nanoseconds, minutes))).toBe(nanoseconds)
    }))
  })

  it("in logs sorts as the moments do", () => {
    fc.assert(fc.property(moment, moment, (left, right) => {
      expect(formatLogTimestamp(left) < formatLogTimestamp(right)).toBe(left < right)
    }))
  })
})
