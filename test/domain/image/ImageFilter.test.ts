/** Filters of `images` and `image prune`, and the patterns of names. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { filterImages, type FilteredImage, parseImageFilters } from "../../../src/domain/image/ImageFilter.ts"
import { compileGlob } from "../../../src/domain/image/matchGlob.ts"
import { defaultDomain as hub, familiarReference, parseReference } from "../../../src/domain/image/Reference.ts"
import { causeOf, success } from "../text/results.ts"
import { sha256 } from "./arbitraries.ts"

const image = (
  name: string, day: number, tags: ReadonlyArray<string>, labels: { readonly [name: string]: string } = {}
): FilteredImage => ({
  id: sha256(name), createdAt: BigInt(Date.UTC(2024, 0, day)) * 1_000_000n,
  tags: tags.map((text) => success(parseReference(text))), digests: [], labels
})

const old = image("old", 1, ["debian:12", "a.b/base:1"], { stage: "prod" })
const middle = image("middle", 5, [], { stage: "test", keep: "" })
const recent = image("recent", 9, ["busybox:1.36", "busybox:latest"])
const images = [recent, middle, old]
const now = BigInt(Date.UTC(2024, 0, 10)) * 1_000_000n

const parse = (filters: ReadonlyArray<string>) => parseImageFilters(filters, { now })
const left = (...filters: ReadonlyArray<string>) => success(filterImages(success(parse(filters)), images)).map(({ id }) => id)

describe("a filter", () => {
  it("leaves the images that it is about", () => {
    expect(left()).toEqual([recent.id, middle.id, old.id])
    expect(left("dangling=true")).toEqual([middle.id])
    expect(left("dangling=false")).toEqual([recent.id, old.id])
    expect(left("label=stage")).toEqual([middle.id, old.id])
    expect(left("label=stage=prod")).toEqual([old.id])
    expect(left("label=stage", "label=keep")).toEqual([middle.id])
    expect(left("label=keep=")).toEqual([middle.id])
    expect(left("label!=stage=prod")).toEqual([recent.id, middle.id])
    expect(left("label!=stage")).toEqual([recent.id])
    expect(left("label=constructor")).toEqual([])
  })

  it("compares times: strictly before, since, and until", () => {
    expect(left("before=busybox")).toEqual([middle.id, old.id])
    expect(left("since=debian:12")).toEqual([recent.id, middle.id])
    expect(left("before=busybox", "since=debian:12")).toEqual([middle.id])
    expect(left("since=busybox")).toEqual([])
    expect(left("until=48h")).toEqual([middle.id, old.id])
    expect(left("until=24h")).toEqual([middle.id, old.id])
    expect(left("until=2024-01-05")).toEqual([old.id])
    expect(left("until=1704412800.5")).toEqual([middle.id, old.id])
  })

  it("on names leaves only those names of an image", () => {
    const names = (...filters: ReadonlyArray<string>) =>
      success(filterImages(success(parse(filters)), images)).map(({ tags }) => tags.map(familiarReference))
    expect(names("reference=busybox")).toEqual([["busybox:1.36", "busybox:latest"]])
    expect(names("reference=busy*:l*")).toEqual([["busybox:latest"]])
    expect(names("reference=*")).toEqual([["busybox:1.36", "busybox:latest"], ["debian:12"]])
    expect(names("reference=*/*")).toEqual([["a.b/base:1"]])
    expect(names("reference=debian", "reference=busybox:1*")).toEqual([["busybox:1.36"], ["debian:12"]])
    expect(names(`reference=${hub}/library/debian`)).toEqual([])
  })

  it.each([
    ["dangling", "bad format of filter (expected name=value)"],
    ["dangling=maybe", "invalid filter 'dangling=maybe'"],
    ["colour=red", "invalid filter 'colour'"],
    ["reference=[a", "syntax error in pattern"],
    [`reference=${"*".repeat(2000)}`, "syntax error in pattern"],
    ["until=yesterday", "failed to parse value as time or duration: \"yesterday\""]
  ])("%s is none", (filter, cause) => {
    expect(causeOf(parse([filter]))).toBe(cause)
  })

  it("is refused if it contradicts itself or names no image", () => {
    expect(causeOf(parse(["dangling=true", "dangling=false"]))).toBe("invalid filter 'dangling=false'")
    expect(causeOf(filterImages(success(parse(["before=nothing"])), images))).toBe("No such image: nothing")
  })
})

describe("a pattern", () => {
  const match = (pattern: string, text: string) => compileGlob(pattern)?.(text)

  it.each([
    ["abc", "abc", true], ["*", "abc", true], ["*c", "abc", true], ["a*", "a", true], ["a*", "abc", true],
    ["a*", "ab/c", false], ["a*/b", "abc/b", true], ["a*/b", "a/c/b", false], ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true], ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false], ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["a*b?c*x", "abxbbxdbxebxczzy", false], ["ab[c]", "abc", true], ["ab[b-d]", "abc", true], ["ab[e-g]", "abc", false],
    ["ab[^c]", "abc", false], ["ab[^e-g]", "abc", true], ["a\\*b", "a*b", true], ["a\\*b", "ab", false], ["a?b", "a☺b", true],
    ["a?b", "a/b", false], ["[\\]a]", "]", true], ["[\\-x]", "-", true], ["", "", true], ["", "a", false], ["**", "ab", true]
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(match(pattern, text)).toBe(expected)
  })

  it.each(["[", "[a", "[]a]", "[-]", "[x-]", "[-x]", "a[", "[^", "a\\", "[a-"])("%s is malformed", (pattern) => {
    expect(compileGlob(pattern)).toBeUndefined()
  })

  it("of stars and letters matches as a regular expression does", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 })
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 8 })
    fc.assert(fc.property(pattern, text, (glob, subject) => {
      const expression = new RegExp(`^${glob.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}$`)
      expect(match(glob, subject)).toBe(expression.test(subject))
    }), { numRuns: 2000 })
  })

  it("however nasty takes no time", () => {
    expect(match("*a".repeat(400), "a".repeat(5000))).toBe(true)
    expect(match(`${"*a".repeat(400)}b`, "a".repeat(5000))).toBe(false)
  })
})
