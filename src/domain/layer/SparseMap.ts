/**
 * Maps of sparse files, which say where in the file the stored bytes belong, in the four ways of
 * GNU tar (its manual, "Storing Sparse Files"): structures in the header, repeated pax records
 * (0.0), one pax record (0.1), text before the data (1.0).
 */
import * as Result from "effect/Result"
import { copyBytes, countOf, joinBytes, joinItems, type Pieces, withPiece } from "./Pieces.ts"
import { damaged, type Fragment, type TarFault } from "./TarEntry.ts"
import { blockSize } from "./TarHeader.ts"
import { beyond, type TarLimits } from "./TarLimits.ts"
import { decodeName } from "./tarName.ts"
import { readDecimal, readNumber } from "./tarNumber.ts"

/** A map that is complete, or of which more blocks are to come. */
export type SparseReading =
  | {
      readonly _tag: "Structs"
      readonly size: number
      readonly stored: number
      readonly map: Pieces<Fragment>
    }
  | {
      readonly _tag: "Text"
      readonly size: number
      /** Bytes of the rest of the map and of the data. */
      readonly stored: number
      /** Lines that the map has and lines still to come; null before the first block. */
      readonly lines: { readonly all: number; readonly left: number } | null
      readonly map: Pieces<number>
    }
  /**
   * `size` is that of the file with its holes, `stored` the bytes of data that follow in the
   * archive.
   */
  | {
      readonly _tag: "Complete"
      readonly size: number
      readonly stored: number
      readonly map: ReadonlyArray<Fragment>
    }

type Read = Result.Result<SparseReading, TarFault>

/**
 * Places in the header of a GNU sparse file (tar.h, struct oldgnu_header), and in a block that
 * continues its map.
 */
const headerStructs = { start: 386, count: 4, isExtended: 482, realSize: 483 } as const
const extensionStructs = { start: 0, count: 21, isExtended: 504 } as const
/** struct sparse: offset and length, 12 bytes each */
const structBytes = 24

/** The map of a GNU sparse file (typeflag `S`) whose header is the block at `at`. */
export const readSparseHeader = (
  bytes: Uint8Array,
  at: number,
  stored: number,
  limits: TarLimits
): Read =>
  readStructs(
    bytes,
    at,
    headerStructs,
    {
      _tag: "Structs",
      size: readNumber(bytes, at + headerStructs.realSize, 12),
      stored,
      map: null
    },
    limits
  )

/** The map that pax records of format 0.0 give one by one. */
export const sparseOfFragments = (
  fragments: ReadonlyArray<Fragment>,
  size: number,
  stored: number
): Read => complete(fragments, size, stored)

/** The map in the pax record `GNU.sparse.map` of format 0.1: `offset,length,offset,length,…` */
export const readSparseList = (
  text: string,
  size: number,
  stored: number,
  limits: TarLimits
): Read => {
  const numbers = text === "" ? [] : text.split(",")
  if (numbers.length % 2 !== 0) {
    return Result.fail(damaged("GNU.sparse.map has an offset without a length"))
  }
  return numbers.length / 2 > limits.fragments
    ? Result.fail(tooMany(limits))
    : complete(pairs(numbers), size, stored)
}

/** Format 1.0, before the first block of its map. */
export const sparseText = (size: number, stored: number): SparseReading => ({
  _tag: "Text",
  size,
  stored,
  lines: null,
  map: null
})

/** Reads the block at `at`, which goes on with the map. */
export const readSparseBlock = (
  reading: SparseReading,
  bytes: Uint8Array,
  at: number,
  limits: TarLimits
): Read => {
  switch (reading._tag) {
    case "Structs":
      return readStructs(bytes, at, extensionStructs, reading, limits)
    case "Text":
      return readText(bytes, at, reading, limits)
    case "Complete":
      return Result.succeed(reading)
  }
}

const readStructs = (
  bytes: Uint8Array,
  at: number,
  place: typeof headerStructs | typeof extensionStructs,
  reading: SparseReading & { _tag: "Structs" },
  limits: TarLimits
): Read => {
  const fragments: Array<Fragment> = []
  const start = at + place.start
  for (
    let struct = start;
    struct < start + place.count * structBytes && bytes[struct] !== 0;
    struct += structBytes
  ) {
    fragments.push({
      offset: readNumber(bytes, struct, 12),
      length: readNumber(bytes, struct + 12, 12)
    })
  }
  // Nothing is kept of an empty block, or a run of them would fill the memory.
  const map = fragments.length === 0 ? reading.map : withPiece(reading.map, fragments)
  if (countOf(map) > limits.fragments) return Result.fail(tooMany(limits))
  return bytes[at + place.isExtended] === 0
    ? complete(joinItems(map), reading.size, reading.stored)
    : Result.succeed({ ...reading, map })
}

/** Digits of the greatest number that `readDecimal` takes, and the newline. */
const textLineBytes = 21

const readText = (
  bytes: Uint8Array,
  at: number,
  reading: SparseReading & { _tag: "Text" },
  limits: TarLimits
): Read => {
  const end = at + blockSize
  const all = reading.lines?.all ?? textLines(bytes, at, end)
  if (!(all > 0)) {
    return Result.fail(damaged("the sparse file's data does not begin with the length of its map"))
  }
  if (all > 1 + 2 * limits.fragments) return Result.fail(tooMany(limits))
  const left = (reading.lines?.left ?? all) - newlines(bytes, at, end)
  const map = withPiece(reading.map, copyBytes(bytes, at, end))
  const stored = reading.stored - blockSize
  if (stored < 0 || countOf(map) > all * textLineBytes + blockSize) {
    return Result.fail(damaged("the map of the sparse file does not end"))
  }
  if (left > 0) return Result.succeed({ ...reading, stored, lines: { all, left }, map })
  const lines = decodeName(joinBytes(map), 0, countOf(map)).split("\n", all)
  return complete(pairs(lines.slice(1)), reading.size, stored)
}

/** Lines of the map by its first one, the number of fragments: that line and two for each. */
const textLines = (bytes: Uint8Array, at: number, end: number): number => {
  const newline = bytes.indexOf(0x0a, at)
  return newline < 0 || newline >= end ? NaN : 1 + 2 * readDecimal(decodeName(bytes, at, newline))
}

const newlines = (bytes: Uint8Array, from: number, to: number): number => {
  let count = 0
  for (let at = from; at < to; at++) {
    if (bytes[at] === 0x0a) count++
  }
  return count
}

const pairs = (numbers: ReadonlyArray<string>): ReadonlyArray<Fragment> => {
  const fragments: Array<Fragment> = []
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    fragments.push({
      offset: readDecimal(numbers[index]!),
      length: readDecimal(numbers[index + 1]!)
    })
  }
  return fragments
}

const tooMany = (limits: TarLimits): TarFault =>
  beyond(limits, "fragments", "parts of a sparse file")

/**
 * Checks a map against the file's `size` and the `stored` bytes that follow in the archive, and
 * drops empty parts (GNU tar ends a map with one).
 */
const complete = (fragments: ReadonlyArray<Fragment>, size: number, stored: number): Read => {
  let end = 0
  let sum = 0
  for (const { length, offset } of fragments) {
    if (
      !Number.isSafeInteger(offset) ||
      !Number.isSafeInteger(length) ||
      length < 0 ||
      offset < end
    ) {
      return Result.fail(
        damaged("the parts of the sparse file are no numbers, overlap or are out of order")
      )
    }
    end = offset + length
    sum += length
  }
  if (!Number.isSafeInteger(size) || end > size || sum !== stored) {
    return Result.fail(
      damaged(
        `the parts of the sparse file end at byte ${end} of ${size} and have ${sum} bytes, ` +
          `the archive has ${stored}`
      )
    )
  }
  const map = fragments.filter((fragment) => fragment.length > 0)
  return Result.succeed({ _tag: "Complete", size, stored, map })
}

/**
 * The map of format 1.0, filled up with NUL to whole blocks: what stands before the data of a
 * sparse file.
 */
export const writeSparseText = (fragments: ReadonlyArray<Fragment>, size: number): Uint8Array => {
  const last = fragments.at(-1)
  const endsAtSize = last !== undefined && last.offset + last.length === size
  const all = endsAtSize ? fragments : [...fragments, { offset: size, length: 0 }]
  const text =
    [all.length, ...all.flatMap(({ length, offset }) => [offset, length])].join("\n") + "\n"
  const bytes = new Uint8Array(Math.ceil(text.length / blockSize) * blockSize)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}
