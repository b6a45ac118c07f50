/**
 * pax headers (pax(1), "pax Extended Header"): records `LENGTH KEY=VALUE\n` that say what a ustar
 * header can't. Keys nobody here reads are dropped at once, so that a hostile archive can't make us
 * keep them.
 */
import * as Result from "effect/Result"
import { damaged, type Fragment, type TarFault } from "./TarEntry.ts"
import { isLayerXattr } from "./layerXattrs.ts"
import { decodeName, encodeName } from "./tarName.ts"
import { beyond, type TarLimits } from "./TarLimits.ts"
import { readDecimal } from "./tarNumber.ts"
import { isXattrKey, readXattr } from "./xattrRecord.ts"

export interface PaxRecords {
  /** Values as text; "" says that the header's own value holds. */
  readonly values: ReadonlyMap<string, string>
  /**
   * Extended attributes by name, from the records of star (SCHILY) and of libarchive; only those
   * that a layer carries.
   */
  readonly xattrs: ReadonlyMap<string, Uint8Array>
  /** The repeated pairs of GNU's sparse format 0.0. */
  readonly fragments: ReadonlyArray<Fragment>
}

const textKeys: ReadonlySet<string> = new Set([
  "path",
  "linkpath",
  "size",
  "uid",
  "gid",
  "uname",
  "gname",
  "mtime",
  "SCHILY.devmajor",
  "SCHILY.devminor",
  "GNU.sparse.major",
  "GNU.sparse.minor",
  "GNU.sparse.name",
  "GNU.sparse.realsize",
  "GNU.sparse.size",
  "GNU.sparse.map"
])

/** XATTR_NAME_MAX, linux/limits.h */
const xattrNameMax = 255

/** The records of the body of a pax header. The body is kept: values are views into it. */
export const readPaxRecords = (
  body: Uint8Array,
  limits: TarLimits
): Result.Result<PaxRecords, TarFault> => {
  const reading: Reading = {
    values: new Map(),
    xattrs: new Map(),
    fragments: [],
    xattrNames: 0,
    offset: undefined
  }
  for (let at = 0; at < body.length;) {
    const record = readRecord(body, at)
    if (record === undefined) {
      return Result.fail(
        damaged(`byte ${at} of the pax header does not begin a record "LENGTH KEY=VALUE"`)
      )
    }
    const fault = keepRecord(reading, body, record, limits)
    if (fault !== undefined) return Result.fail(fault)
    at = record.end
  }
  return Result.succeed(reading)
}

interface Reading {
  readonly values: Map<string, string>
  readonly xattrs: Map<string, Uint8Array>
  readonly fragments: Array<Fragment>
  /** Bytes of the names of `xattrs`, a NUL after each, as listxattr(2) gives them. */
  xattrNames: number
  /** A sparse offset whose length is still to come. */
  offset: string | undefined
}

/**
 * Places in the body: the key, the value after its "=", and the byte after the record's newline.
 */
interface RecordPlace {
  readonly key: string
  readonly value: number
  readonly end: number
}

const readRecord = (body: Uint8Array, at: number): RecordPlace | undefined => {
  let length = 0
  let position = at
  for (; position < body.length && body[position]! >= 0x30 && body[position]! <= 0x39; position++) {
    length = length * 10 + (body[position]! - 0x30)
  }
  const end = at + length
  if (position === at || body[position] !== 0x20 || end > body.length || body[end - 1] !== 0x0a) {
    return undefined
  }
  const equals = body.indexOf(0x3d, position + 1)
  if (equals <= position + 1 || equals >= end - 1) return undefined
  return { key: decodeName(body, position + 1, equals), value: equals + 1, end }
}

const keepRecord = (
  reading: Reading,
  body: Uint8Array,
  record: RecordPlace,
  limits: TarLimits
): TarFault | undefined => {
  const { key } = record
  const end = record.end - 1
  if (textKeys.has(key)) {
    const value = decodeName(body, record.value, end)
    if (value.includes("\0")) return damaged(`the pax record ${key} has a NUL in its value`)
    reading.values.set(key, value)
  } else if (isXattrKey(key)) {
    const xattr = readXattr(key, body.subarray(record.value, end))
    return xattr === undefined
      ? damaged(`the pax record ${key} is not well encoded`)
      : keepXattr(reading, xattr.name, xattr.value, limits)
  } else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
    return keepSparse(reading, key, decodeName(body, record.value, end), limits)
  }
  return undefined
}

const keepXattr = (
  reading: Reading,
  name: string,
  value: Uint8Array,
  limits: TarLimits
): TarFault | undefined => {
  const length = encodeName(name).length
  if (length === 0 || name.includes("\0") || length > xattrNameMax) {
    return damaged(`${JSON.stringify(name)} is no name of an extended attribute`)
  }
  if (!isLayerXattr(name)) return undefined
  if (value.length > limits.xattrBytes) {
    return beyond(limits, "xattrBytes", `the extended attribute ${name} has ${value.length} bytes`)
  }
  if (!reading.xattrs.has(name)) reading.xattrNames += length + 1
  if (reading.xattrNames > limits.xattrNamesBytes) {
    return beyond(limits, "xattrNamesBytes", "bytes of names of the entry's extended attributes")
  }
  reading.xattrs.set(name, value)
  return undefined
}

const keepSparse = (
  reading: Reading,
  key: string,
  value: string,
  limits: TarLimits
): TarFault | undefined => {
  if (key === "GNU.sparse.offset") {
    reading.offset = value
    return undefined
  }
  if (reading.offset === undefined) {
    return damaged("GNU.sparse.numbytes comes without GNU.sparse.offset")
  }
  if (reading.fragments.length === limits.fragments) {
    return beyond(limits, "fragments", "parts of a sparse file")
  }
  reading.fragments.push({ offset: readDecimal(reading.offset), length: readDecimal(value) })
  reading.offset = undefined
  return undefined
}

export type PaxRecord = readonly [key: string, value: Uint8Array]

/** Bytes of a pax header's body with these records. */
export const paxLength = (records: ReadonlyArray<PaxRecord>): number =>
  records.reduce(
    (sum, [key, value]) => sum + recordLength(encodeName(key).length + value.length + 3),
    0
  )

/** Writes the body of a pax header, `paxLength` bytes, at `at`: the records in the order given. */
export const writePaxRecords = (
  bytes: Uint8Array,
  at: number,
  records: ReadonlyArray<PaxRecord>
): void => {
  let start = at
  for (const [key, value] of records) {
    const name = encodeName(key)
    const length = recordLength(name.length + value.length + 3)
    const digits = encodeName(`${length} `)
    bytes.set(digits, start)
    bytes.set(name, start + digits.length)
    bytes[start + digits.length + name.length] = 0x3d
    bytes.set(value, start + digits.length + name.length + 1)
    start += length
    bytes[start - 1] = 0x0a
  }
}

/** The length counts its own digits: `rest` is all of the record but these. */
const recordLength = (rest: number): number => {
  let length = rest + String(rest).length
  if (rest + String(length).length > length) length++
  return length
}
