/**
 * The 512 bytes that begin every entry: where each field is, and reading them. Field places are
 * those of POSIX ustar (pax(1), "ustar Interchange Format"); the variants differ in what follows
 * byte 257.
 */
import * as Result from "effect/Result"
import { decodeName } from "./tarName.ts"
import { readNumber } from "./tarNumber.ts"
import { damaged, type TarFault } from "./TarEntry.ts"

export const blockSize = 512

/** First byte in the block, and bytes. */
export type FieldPlace = readonly [start: number, length: number]

export const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  linkname: [157, 100],
  magic: [257, 6],
  version: [263, 2],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  /** star cuts the prefix short to have room for atime and ctime, and marks that at the end. */
  starPrefix: [345, 131],
  starTrailer: [508, 4]
} as const

/** Typeflags, as the bytes that they are in the header. */
export const typeflag = {
  /** NUL: a regular file of before POSIX */
  oldFile: 0,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  dir: 0x35,
  fifo: 0x36,
  /** `7`, a file on contiguous disk blocks: a file to us */
  contiguous: 0x37,
  /** `x`: pax header of the next entry; `X`: the same by Solaris */
  pax: 0x78,
  solarisPax: 0x58,
  /** `g`: pax header of all entries that follow */
  globalPax: 0x67,
  /** `L` and `K`: GNU, the path or link of the next entry */
  longName: 0x4c,
  longLink: 0x4b,
  /** `S`: GNU sparse file */
  sparse: 0x53,
  /** `D`: GNU directory of an incremental dump; the body lists names */
  dumpDir: 0x44,
  /** `V`: GNU label of the volume, no file */
  volume: 0x56
} as const

export interface TarHeader {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  readonly typeflag: number
  readonly linkname: string
  readonly uname: string
  readonly gname: string
  readonly devmajor: number
  readonly devminor: number
}

/** Whether the block at `at` is all zero: two of them end an archive. */
export const isZeroBlock = (bytes: Uint8Array, at: number): boolean => {
  for (let position = at; position < at + blockSize; position++) {
    if (bytes[position] !== 0) return false
  }
  return true
}

/** Sum of all bytes of the block, those of the checksum field taken as spaces. */
export const checksum = (bytes: Uint8Array, at: number): number => {
  let even = 0
  let odd = 0
  for (let position = at; position < at + blockSize; position += 4) {
    even += bytes[position]! + bytes[position + 2]!
    odd += bytes[position + 1]! + bytes[position + 3]!
  }
  return even + odd + checksumAsSpaces(bytes, at)
}

const checksumAsSpaces = (bytes: Uint8Array, at: number): number => {
  const [start, length] = field.checksum
  let difference = length * 0x20
  for (let position = at + start; position < at + start + length; position++)
    difference -= bytes[position]!
  return difference
}

/** The sum of writers whose `char` was signed: each byte of 128 or more counts 256 less. */
const signedChecksum = (bytes: Uint8Array, at: number, unsigned: number): number => {
  const [start, length] = field.checksum
  let sum = unsigned
  for (let position = 0; position < blockSize; position++) {
    const counted = position < start || position >= start + length
    if (counted && bytes[at + position]! > 0x7f) sum -= 256
  }
  return sum
}

/** Reads the header block at `at`. Fails with the fault when its checksum or a number is wrong. */
export const readHeader = (bytes: Uint8Array, at: number): Result.Result<TarHeader, TarFault> => {
  const stored = number(bytes, at, field.checksum)
  const sum = checksum(bytes, at)
  if (Number.isNaN(stored)) return Result.fail(damaged("this is no tar archive: a block that should be a header has no checksum"))
  if (stored !== sum && stored !== signedChecksum(bytes, at, sum)) {
    return Result.fail(damaged(`the header's checksum is ${stored}, its bytes add up to ${sum}`))
  }
  const flag = bytes[at + field.typeflag[0]]!
  const device = flag === typeflag.char || flag === typeflag.block
  const posix = hasMagic(bytes, at, "ustar\0")
  const named = posix || hasMagic(bytes, at, "ustar ")
  const header: TarHeader = {
    name: posix ? prefixed(bytes, at) : text(bytes, at, field.name),
    mode: number(bytes, at, field.mode),
    uid: number(bytes, at, field.uid),
    gid: number(bytes, at, field.gid),
    size: number(bytes, at, field.size),
    mtime: number(bytes, at, field.mtime),
    typeflag: flag,
    linkname: text(bytes, at, field.linkname),
    uname: named ? text(bytes, at, field.uname) : "",
    gname: named ? text(bytes, at, field.gname) : "",
    devmajor: device ? number(bytes, at, field.devmajor) : 0,
    devminor: device ? number(bytes, at, field.devminor) : 0
  }
  const wrong = wrongNumber(header)
  return wrong === undefined ? Result.succeed(header) : Result.fail(wrong)
}

const wrongNumber = (header: TarHeader): TarFault | undefined => {
  if (
    isExact(header.mode) &&
    isExact(header.uid) &&
    isExact(header.gid) &&
    isExact(header.size) &&
    header.size >= 0 &&
    isExact(header.mtime) &&
    isExact(header.devmajor) &&
    isExact(header.devminor)
  )
    return undefined
  const numbers = ["mode", "uid", "gid", "size", "mtime", "devmajor", "devminor"] as const
  const name = numbers.find((name) => !isExact(header[name])) ?? "size"
  return damaged(`the header's field ${name} is no number, or one out of range`)
}

const isExact = Number.isSafeInteger

const number = (bytes: Uint8Array, at: number, [start, length]: FieldPlace): number =>
  readNumber(bytes, at + start, length)

/** Text up to the first NUL or the end of the field. */
const text = (bytes: Uint8Array, at: number, [start, length]: FieldPlace): string => {
  const from = at + start
  if (bytes[from] === 0) return ""
  let end = from + 1
  while (end < from + length && bytes[end] !== 0) end++
  return decodeName(bytes, from, end)
}

const prefixed = (bytes: Uint8Array, at: number): string => {
  const name = text(bytes, at, field.name)
  if (bytes[at + field.prefix[0]] === 0) return name
  const star = hasMagic(bytes, at, "tar\0", field.starTrailer[0])
  return `${text(bytes, at, star ? field.starPrefix : field.prefix)}/${name}`
}

const hasMagic = (
  bytes: Uint8Array,
  at: number,
  magic: string,
  start: number = field.magic[0]
): boolean => {
  for (let index = 0; index < magic.length; index++) {
    if (bytes[at + start + index] !== magic.charCodeAt(index)) return false
  }
  return true
}
