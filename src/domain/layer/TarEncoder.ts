/**
 * Writes tar archives: the bytes that stand before, after and between the data of files. The same
 * entries give the same bytes, always: content is addressed by its hash, so nothing here may depend
 * on a clock, a user or the order of a map.
 */
import * as Result from "effect/Result"
import { checkEncodable } from "./checkEncodable.ts"
import { type PaxRecord, paxLength, writePaxRecords } from "./PaxRecords.ts"
import { writeSparseText } from "./SparseMap.ts"
import { type EntryType, storedSize, type TarEntry, TarError } from "./TarEntry.ts"
import { blockSize, checksum, field, type FieldPlace, typeflag } from "./TarHeader.ts"
import { encodeName, isUtf8 } from "./tarName.ts"
import { fitsOctal, writeOctal, writePaxTime } from "./tarNumber.ts"
import { xattrKey } from "./xattrRecord.ts"

const flags: { readonly [T in EntryType]: number } = {
  file: typeflag.file,
  dir: typeflag.dir,
  symlink: typeflag.symlink,
  hardlink: typeflag.hardlink,
  char: typeflag.char,
  block: typeflag.block,
  fifo: typeflag.fifo
}

/**
 * What stands before the data of an entry: a ustar header when it can say everything, with a pax
 * header in front when not, and the map of a sparse file. `storedSize(entry)` bytes of data must
 * follow, then `padding`. Fails when no tar archive could hold the entry.
 */
export const encodeHeader = (entry: TarEntry): Result.Result<Uint8Array, TarError> => {
  const wrong = checkEncodable(entry)
  if (wrong !== undefined) {
    return Result.fail(
      TarError.of(
        { kind: "unencodable", reason: wrong, hint: "leave the file out or change it" },
        0,
        entry.path
      )
    )
  }
  const path = encodeName(
    entry.type === "dir" && !entry.path.endsWith("/") ? `${entry.path}/` : entry.path
  )
  const link = encodeName(entry.linkpath)
  const map = entry.sparse === null ? noBytes : writeSparseText(entry.sparse, entry.size)
  const size = storedSize(entry) + map.length
  const split = splitPath(path)
  const records = paxRecords(entry, path, link, size, split !== undefined)
  const bodyLength = paxLength(records)
  const mainAt = records.length === 0 ? 0 : blockSize + roundUp(bodyLength)
  const bytes = new Uint8Array(mainAt + blockSize + map.length)
  if (records.length > 0) {
    writeUstar(bytes, 0, paxEntry, placeIn(paxDirectory, path), noBytes, bodyLength, typeflag.pax)
    writePaxRecords(bytes, blockSize, records)
  }
  const place = entry.sparse === null ? (split ?? cutPath(path)) : placeIn(sparseDirectory, path)
  writeUstar(bytes, mainAt, entry, place, link, size, flags[entry.type])
  bytes.set(map, mainAt + blockSize)
  return Result.succeed(bytes)
}

const roundUp = (size: number): number => Math.ceil(size / blockSize) * blockSize

const zeros = new Uint8Array(2 * blockSize)
const noBytes = new Uint8Array(0)

/** The zeros, 0 to 511 of them, that follow `size` bytes of data up to the next block. */
export const padding = (size: number): Uint8Array =>
  zeros.subarray(0, (blockSize - (size % blockSize)) % blockSize)

/** The two blocks of zeros that end an archive. */
export const endOfArchive: Uint8Array = zeros

interface Place {
  readonly prefix: Uint8Array
  readonly name: Uint8Array
}

/** The path over the two fields of ustar, or undefined when it must go into a pax record. */
const splitPath = (path: Uint8Array): Place | undefined => {
  if (!isAscii(path)) return undefined
  const nameMax = field.name[1]
  if (path.length <= nameMax) return { prefix: noBytes, name: path }
  const slash = path.lastIndexOf(0x2f, Math.min(field.prefix[1], path.length - 2))
  const name = path.subarray(slash + 1)
  return slash > 0 && name.length <= nameMax ? { prefix: path.subarray(0, slash), name } : undefined
}

/**
 * What ustar can't say, in a fixed order: the names, numbers, sparse format, then attributes by
 * name.
 */
const paxRecords = (
  entry: TarEntry,
  path: Uint8Array,
  link: Uint8Array,
  size: number,
  pathFits: boolean
): ReadonlyArray<PaxRecord> => {
  const records: Array<PaxRecord> = []
  const add = (key: string, value: Uint8Array | string | number): void => {
    records.push([key, value instanceof Uint8Array ? value : encodeName(String(value))])
  }
  const names = [entry.path, entry.linkpath, entry.uname, entry.gname]
  if (!names.every(isUtf8)) add("hdrcharset", "BINARY")
  if (!pathFits || entry.sparse !== null) {
    add(entry.sparse === null ? "path" : "GNU.sparse.name", path)
  }
  if (!fitsText(link, field.linkname)) add("linkpath", link)
  for (const key of ["uname", "gname"] as const) {
    const name = encodeName(entry[key])
    if (!fitsText(name, field[key])) add(key, name)
  }
  for (const key of ["uid", "gid"] as const) {
    if (!fitsOctal(entry[key], field[key][1])) add(key, entry[key])
  }
  if (!fitsOctal(size, field.size[1])) add("size", size)
  const { nanoseconds, seconds } = entry.mtime
  if (nanoseconds !== 0 || !fitsOctal(seconds, field.mtime[1])) {
    add("mtime", writePaxTime(seconds, nanoseconds))
  }
  if (entry.sparse !== null) {
    add("GNU.sparse.major", 1)
    add("GNU.sparse.minor", 0)
    add("GNU.sparse.realsize", entry.size)
  }
  for (const name of [...entry.xattrs.keys()].sort()) add(xattrKey(name), entry.xattrs.get(name)!)
  return records
}

/** linkname may fill its field; uname and gname end with a NUL. */
const fitsText = (text: Uint8Array, place: FieldPlace): boolean =>
  isAscii(text) && text.length <= (place === field.linkname ? place[1] : place[1] - 1)

/** The path for readers that ignore pax records, which say the whole of it. */
const cutPath = (path: Uint8Array): Place => ({
  prefix: noBytes,
  name: path.subarray(0, field.name[1])
})

const isAscii = (bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! > 0x7f) return false
  }
  return true
}

/**
 * The pax header's own header says nothing of its entry but the name, for tools that unpack it as a
 * file.
 */
const paxEntry: TarEntry = {
  path: "",
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  sparse: null
}

/**
 * Directories that no reader makes: pax headers are in the one, GNU tar names sparse files in the
 * other.
 */
const paxDirectory = encodeName("PaxHeaders/")
const sparseDirectory = encodeName("GNUSparseFile.0/")

/** The last component of the path, as far as it is ASCII and has room, in the directory. */
const placeIn = (directory: Uint8Array, path: Uint8Array): Place => {
  let end = path.length
  while (end > 0 && path[end - 1] === 0x2f) end--
  const base = path.subarray(path.lastIndexOf(0x2f, end - 1) + 1, end)
  const name = new Uint8Array(Math.min(field.name[1], directory.length + base.length))
  name.set(directory)
  for (let at = directory.length; at < name.length; at++) {
    const byte = base[at - directory.length]!
    name[at] = byte > 0x7f ? 0x5f : byte
  }
  return { prefix: noBytes, name }
}

/**
 * Writes a ustar block. What does not fit is cut off (names) or 0 (numbers): a pax record says it.
 */
const writeUstar = (
  bytes: Uint8Array,
  at: number,
  entry: TarEntry,
  place: Place,
  link: Uint8Array,
  size: number,
  flag: number
): void => {
  writeText(bytes, at, field.name, place.name)
  writeNumber(bytes, at, field.mode, entry.mode)
  writeNumber(bytes, at, field.uid, entry.uid)
  writeNumber(bytes, at, field.gid, entry.gid)
  writeNumber(bytes, at, field.size, size)
  writeNumber(bytes, at, field.mtime, entry.mtime.seconds)
  bytes[at + field.typeflag[0]] = flag
  writeText(bytes, at, field.linkname, link)
  writeText(bytes, at, field.magic, ustarMagic)
  writeText(bytes, at, field.version, ustarVersion)
  writeText(bytes, at, field.uname, ownerName(entry.uname))
  writeText(bytes, at, field.gname, ownerName(entry.gname))
  if (entry.type === "char" || entry.type === "block") {
    writeNumber(bytes, at, field.devmajor, entry.devmajor)
    writeNumber(bytes, at, field.devminor, entry.devminor)
  }
  writeText(bytes, at, field.prefix, place.prefix)
  writeChecksum(bytes, at)
}

const writeText = (
  bytes: Uint8Array,
  at: number,
  [start, length]: FieldPlace,
  text: Uint8Array
): void => {
  if (text.length > 0) bytes.set(text.length > length ? text.subarray(0, length) : text, at + start)
}

const writeNumber = (
  bytes: Uint8Array,
  at: number,
  [start, length]: FieldPlace,
  value: number
): void => writeOctal(bytes, at + start, length, fitsOctal(value, length) ? value : 0)

const ustarMagic = encodeName("ustar\0")
const ustarVersion = encodeName("00")

const ownerName = (name: string): Uint8Array => {
  const bytes = encodeName(name)
  return bytes.length < field.uname[1] ? bytes : bytes.subarray(0, field.uname[1] - 1)
}

/** Six octal digits, NUL, space: the form that every reader takes. */
const writeChecksum = (bytes: Uint8Array, at: number): void => {
  const [start] = field.checksum
  writeOctal(bytes, at + start, 7, checksum(bytes, at))
  bytes[at + start + 7] = 0x20
}
