import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import { storedSize, type TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { ascii, concat, decode, fixture, fixtures, character } from "./archives.ts"

const plain = fc.string({ unit: fc.constantFrom(..."abcxyz._- "), minLength: 1, maxLength: 60 })
const odd = fc.string({ unit: character, minLength: 1, maxLength: 20 })
/**
 * Bytes that are no UTF-8, as the decoder gives them: at most one in a row, or they would be a
 * character.
 */
const raw = fc.integer({ min: 0xdc80, max: 0xdcff }).map((unit) => `x${String.fromCharCode(unit)}x`)
const name = fc
  .oneof({ weight: 4, arbitrary: plain }, odd, raw)
  .map((text) => text.replaceAll("/", "_").replaceAll("\0", "_"))
  .filter((text) => text.trim() !== "")
const path = fc.array(name, { minLength: 1, maxLength: 8 }).map((names) => names.join("/"))
const id = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 2 }), fc.nat(3000))
const mtime = fc.record({
  seconds: fc.oneof(fc.integer(), fc.maxSafeInteger()),
  nanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999))
})
const xattrs = fc
  .array(
    fc.tuple(
      fc.oneof(
        plain.map((name) => `user.${name}`),
        fc.constantFrom("user.a=b", "user.%3D", "security.capability")
      ),
      fc.uint8Array({ maxLength: 40 })
    ),
    { maxLength: 3 }
  )
  .map((pairs) => new Map(pairs))
/** Gaps and lengths in turn; the last part may end with half a block. */
const sparse = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3 })), {
      maxLength: 30
    }),
    fc.nat(511)
  )
  .map(([parts, cut]) => {
    let end = 0
    return parts.map(([gap, blocks], index) => {
      const offset = end + gap
      const length = blocks * 512 - (index === parts.length - 1 ? cut : 0)
      end = offset + length
      return { offset, length }
    })
  })

const common = {
  path,
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  uname: fc.oneof(fc.constant("root"), name),
  gname: fc.constant(""),
  mtime,
  xattrs
}
const still = { size: 0, linkpath: "", devmajor: 0, devminor: 0, sparse: null }
const device = fc.nat(2 ** 21 - 1)

const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  fc
    .record({ ...common, size: fc.nat(5000) })
    .map((fields) => ({ ...still, ...fields, type: "file" as const })),
  fc.record({ ...common, sparse, tail: fc.nat(2000) }).map(({ tail, ...fields }) => {
    const last = fields.sparse.at(-1)
    const size = (last === undefined ? 0 : last.offset + last.length) + tail
    return { ...still, ...fields, size, type: "file" as const }
  }),
  fc
    .record({
      ...common,
      linkpath: path,
      type: fc.constantFrom("symlink" as const, "hardlink" as const)
    })
    .map((fields) => ({ ...still, ...fields })),
  fc
    .record({
      ...common,
      devmajor: device,
      devminor: device,
      type: fc.constantFrom("char" as const, "block" as const)
    })
    .map((fields) => ({ ...still, ...fields })),
  fc
    .record({ ...common, type: fc.constantFrom("dir" as const, "fifo" as const) })
    .map((fields) => ({ ...still, ...fields }))
)

/** Data that tells its place, so that a part in the wrong one is seen. */
const dataOf = (file: TarEntry): Uint8Array =>
  new Uint8Array(storedSize(file)).map((_, index) => (index * 7 + (index >> 8) + 1) & 0xff)

const contentOf = (file: TarEntry): Uint8Array => {
  const data = dataOf(file)
  if (file.sparse === null) return data
  const content = new Uint8Array(file.size)
  let taken = 0
  for (const { length, offset } of file.sparse) {
    content.set(data.subarray(taken, taken + length), offset)
    taken += length
  }
  return content
}

const encode = (files: ReadonlyArray<TarEntry>): Uint8Array =>
  concat(
    ...files.flatMap((file) => {
      const data = dataOf(file)
      return [Result.getOrThrow(encodeHeader(file)), data, padding(data.length)]
    }),
    endOfArchive
  )

const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const cuts = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length
  ]
  return cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut))
}

describe("what is encoded and decoded again", () => {
  it("is the same, wherever the chunks end", () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (files, places) => {
          const decoded = decode(cutAt(encode(files), places))
          expect(decoded.error).toBeUndefined()
          expect(decoded.outline.at(-1)).toBe("End")
          expect(decoded.files).toEqual(
            files.map((file) => ({
              entry: file,
              content: Buffer.from(contentOf(file)).toString("latin1")
            }))
          )
        }
      ),
      { numRuns: 300 }
    )
  })

  it.each(fixtures.filter((name) => name !== "gnu-huge"))("is the same for %s", (name) => {
    const { files } = decode([fixture(name)])
    const again = concat(
      ...files.flatMap(({ content, entry }) => {
        const parts = entry.sparse ?? [{ offset: 0, length: entry.size }]
        const data = concat(
          ...parts.map(({ length, offset }) => ascii(content.slice(offset, offset + length)))
        )
        return [Result.getOrThrow(encodeHeader(entry)), data, padding(data.length)]
      })
    )
    expect(decode([again]).files).toEqual(files)
  })
})
