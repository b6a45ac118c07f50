import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  defaultDetachKeys, detachMatcher, type DetachMatcher, feed, parseDetachKeys, withheld
} from "../../../src/domain/text/DetachKeys.ts"
import { causeOf, success } from "./results.ts"

describe("detach keys", () => {
  it.each([
    [defaultDetachKeys, [16, 17]], ["ctrl-a", [1]],
    ["ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", [0, 27, 28, 29, 30, 31]], ["a,B,~", [97, 66, 126]],
    ["DEL", [127]], ["ctrl-z, ", [26, 32]]
  ])("%s are the bytes %j", (text, bytes) => {
    expect([...success(parseDetachKeys(text))]).toEqual(bytes)
  })

  it.each([
    ["ctrl-A", "ctrl-A"], ["ctrl-", "ctrl-"], ["ctrl-ab", "ctrl-ab"], ["", ""], ["a,", ""], ["del", "del"],
    ["é", "é"], ["ctrl-?", "ctrl-?"]
  ])("%j names the unknown key %j", (text, key) => {
    expect(causeOf(parseDetachKeys(text))).toBe(`unknown character: '${key}'`)
  })

  it("are few", () => {
    expect(causeOf(parseDetachKeys(Array(65).fill("a").join(",")))).toBe("too many keys")
    expect(success(parseDetachKeys(Array(64).fill("a").join(","))).length).toBe(64)
  })
})

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What happens to a stream that comes in these pieces. */
const type = (keys: string, pieces: ReadonlyArray<Uint8Array>) => {
  let matcher: DetachMatcher = detachMatcher(bytesOf(keys))
  const forwarded: Array<number> = []
  for (const piece of pieces) {
    const fed = feed(matcher, piece)
    forwarded.push(...fed.forward)
    matcher = fed.matcher
    if (fed.detached) return { forwarded: String.fromCharCode(...forwarded), detached: true, withheld: "" }
  }
  const kept = String.fromCharCode(...withheld(matcher))
  return { forwarded: String.fromCharCode(...forwarded), detached: false, withheld: kept }
}

describe("the detach matcher", () => {
  it("withholds a beginning until it is decided", () => {
    const typed = (text: string) => type("pq", [...text].map(bytesOf))
    expect(typed("abp")).toEqual({ forwarded: "ab", detached: false, withheld: "p" })
    expect(typed("abpx")).toEqual({ forwarded: "abpx", detached: false, withheld: "" })
    expect(typed("abpq")).toEqual({ forwarded: "ab", detached: true, withheld: "" })
    expect(typed("pp")).toEqual({ forwarded: "p", detached: false, withheld: "p" })
    expect(typed("ppq")).toEqual({ forwarded: "p", detached: true, withheld: "" })
  })

  it("sees a sequence that begins within a false start", () => {
    expect(type("aab", [bytesOf("aaab")])).toEqual({ forwarded: "a", detached: true, withheld: "" })
    expect(type("abac", [bytesOf("aba"), bytesOf("bac")])).toEqual({ forwarded: "ab", detached: true, withheld: "" })
  })

  it("lets everything through when there are no keys", () => {
    expect(type("", [bytesOf("anything")])).toEqual({ forwarded: "anything", detached: false, withheld: "" })
  })

  it("finds the first occurrence however the stream is cut, forwarding exactly what is before it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 })
    const keys = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 })
    fc.assert(fc.property(keys, text, fc.array(fc.nat(5), { maxLength: 40 }), (sequence, stream, cuts) => {
      const pieces: Array<Uint8Array> = []
      let rest = stream
      for (const cut of cuts) {
        pieces.push(bytesOf(rest.slice(0, cut)))
        rest = rest.slice(cut)
      }
      pieces.push(bytesOf(rest))
      const result = type(sequence, pieces)
      const first = stream.indexOf(sequence)
      expect(result.detached).toBe(first >= 0)
      if (first >= 0) expect(result.forwarded).toBe(stream.slice(0, first))
      else {
        expect(result.forwarded + result.withheld).toBe(stream)
        expect(sequence.startsWith(result.withheld)).toBe(true)
      }
    }), { numRuns: 2000 })
  })

  it("never withholds more than needed", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 })
    const keys = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 })
    fc.assert(fc.property(keys, text, (sequence, stream) => {
      const result = type(sequence, [bytesOf(stream)])
      if (result.detached) return
      const beginnings = Array.from(sequence, (_, length) => sequence.slice(0, length))
      expect(result.withheld).toBe(beginnings.findLast((beginning) => stream.endsWith(beginning)))
    }))
  })
})
