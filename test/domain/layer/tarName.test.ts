import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeName, encodeName, isUtf8 } from "../../../src/domain/layer/tarName.ts"
import { character } from "./archives.ts"

const decode = (bytes: Uint8Array): string => decodeName(bytes, 0, bytes.length)

describe("names", () => {
  it("of any bytes come back as these bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeName(decode(bytes))).toEqual(bytes)
      })
    )
  })

  it("that are UTF-8 are what TextDecoder says, with a byte order mark", () => {
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 40 }), (text) => {
        expect(decode(new TextEncoder().encode(text))).toBe(text)
        expect(isUtf8(text)).toBe(true)
      })
    )
    expect(decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa")
  })

  it.each([
    ["a byte that begins nothing", [0x61, 0x80, 0x62], "a\udc80b"],
    ["a sequence cut short", [0xc3], "\udcc3"],
    ["a slash in two bytes", [0xc0, 0xaf], "\udcc0\udcaf"],
    ["a slash in three bytes", [0xe0, 0x80, 0xaf], "\udce0\udc80\udcaf"],
    ["half of a surrogate pair", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
    ["more than Unicode has", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
    ["a good sequence between bad bytes", [0xff, 0xe2, 0x82, 0xac, 0xfe], "\udcff€\udcfe"]
  ])("escape %s", (_, bytes, name) => {
    expect(decode(Uint8Array.from(bytes))).toBe(name)
    expect(isUtf8(name)).toBe(false)
  })

  it("write half a pair that stands for no byte as U+FFFD", () => {
    expect(encodeName("\ud800")).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd))
  })
})
