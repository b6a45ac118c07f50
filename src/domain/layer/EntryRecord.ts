/**
 * Packed records of what files are, as they pass between JavaScript and native code and in listings
 * of trees: little-endian, a text is u32 length, the bytes, a NUL (native/addon/addon.h).
 */
import type { EntryType, Timestamp } from "./TarEntry.ts"
import { decodeName, encodeName } from "./tarName.ts"

export const recordKinds = {
  entry: 1,
  data: 2,
  end: 3,
  times: 4,
  whiteout: 5,
  opaque: 6,
  removeLower: 7,
  clearLower: 8,
  piece: 9
} as const

export type RecordType = EntryType | "socket"

/** The number of a type is its index and one. */
const types: ReadonlyArray<RecordType> = [
  "file", "dir", "symlink", "hardlink", "char", "block", "fifo", "socket"
]

/** What a record says of a file. `linkpath`: target of a symlink, or the first name of a hardlink. */
export interface EntryRecord {
  readonly path: string
  readonly type: RecordType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: Timestamp
  readonly linkpath: string
  readonly devmajor: number
  readonly devminor: number
  readonly xattrs: ReadonlyMap<string, Uint8Array>
}

/** Thrown by a reader where the bytes are no record: `at` is where. */
export class BadRecord {
  readonly at: number
  constructor(at: number) {
    this.at = at
  }
}

const halfOf64 = 2 ** 32

export class RecordReader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get hasMore(): boolean {
    return this.at < this.bytes.length
  }

  u32(): number {
    const start = this.take(4)
    return this.view.getUint32(start, true)
  }

  i64(): number {
    const start = this.take(8)
    return this.view.getInt32(start + 4, true) * halfOf64 + this.view.getUint32(start, true)
  }

  /** A view into the bytes. */
  value(): Uint8Array {
    const start = this.takeValue()
    return this.bytes.subarray(start, this.at - 1)
  }

  text(): string {
    const start = this.takeValue()
    return decodeName(this.bytes, start, this.at - 1)
  }

  /** The rest of a record of the kind `entry`. */
  entry(): EntryRecord {
    const type = types[this.u32() - 1]
    if (type === undefined) throw new BadRecord(this.at)
    const mode = this.u32()
    const uid = this.u32()
    const gid = this.u32()
    const devmajor = this.u32()
    const devminor = this.u32()
    const nanoseconds = this.u32()
    const size = this.i64()
    const seconds = this.i64()
    const path = this.text()
    const linkpath = this.text()
    const mtime = { seconds, nanoseconds }
    return { path, type, mode, uid, gid, size, mtime, linkpath, devmajor, devminor, xattrs: this.xattrs() }
  }

  private xattrs(): ReadonlyMap<string, Uint8Array> {
    const count = this.u32()
    if (count === 0) return noAttributes
    const xattrs = new Map<string, Uint8Array>()
    for (let left = count; left > 0; left--) {
      const name = this.text()
      xattrs.set(name, new Uint8Array(this.value()))
    }
    return xattrs
  }

  private take(size: number): number {
    const start = this.at
    if (start + size > this.bytes.length) throw new BadRecord(start)
    this.at = start + size
    return start
  }

  private takeValue(): number {
    const length = this.u32()
    const start = this.take(length + 1)
    if (this.bytes[this.at - 1] !== 0) throw new BadRecord(start)
    return start
  }
}

const noAttributes: ReadonlyMap<string, Uint8Array> = new Map()

/** Bytes at first. */
const initialBytes = 64 << 10

export class RecordWriter {
  private bytes = new Uint8Array(initialBytes)
  private view = new DataView(this.bytes.buffer)
  private at = 0

  get length(): number {
    return this.at
  }

  /**
   * What was packed, until the next record is: the memory is used again, fresh pages cost more than
   * the rest.
   */
  take(): Uint8Array {
    const packed = this.bytes.subarray(0, this.at)
    this.at = 0
    return packed
  }

  entry(entry: EntryRecord): void {
    const { devmajor, devminor, gid, linkpath, mode, mtime, path, size, type, uid, xattrs } = entry
    this.u32(recordKinds.entry)
    this.u32(types.indexOf(type) + 1)
    this.u32(mode)
    this.u32(uid)
    this.u32(gid)
    this.u32(devmajor)
    this.u32(devminor)
    this.u32(mtime.nanoseconds)
    this.i64(size)
    this.i64(mtime.seconds)
    this.text(path)
    this.text(linkpath)
    this.u32(xattrs.size)
    for (const [name, value] of xattrs) {
      this.text(name)
      this.value(value)
    }
  }

  data(offset: number, bytes: Uint8Array): void {
    this.u32(recordKinds.data)
    this.i64(offset)
    this.value(bytes)
  }

  /** As `data`, of bytes that are `length` from `place` on of what goes along with the records. */
  piece(offset: number, place: number, length: number): void {
    this.u32(recordKinds.piece)
    this.i64(offset)
    this.u32(place)
    this.u32(length)
  }

  end(): void {
    this.u32(recordKinds.end)
  }

  times(path: string, { nanoseconds, seconds }: Timestamp): void {
    this.u32(recordKinds.times)
    this.u32(nanoseconds)
    this.i64(seconds)
    this.text(path)
  }

  /** A record of a layer that is about a path alone. */
  about(kind: "whiteout" | "opaque" | "removeLower" | "clearLower", path: string): void {
    this.u32(recordKinds[kind])
    this.text(path)
  }

  u32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.at, value, true)
    this.at += 4
  }

  i64(value: number): void {
    this.reserve(8)
    const high = Math.floor(value / halfOf64)
    this.view.setUint32(this.at, value - high * halfOf64, true)
    this.view.setInt32(this.at + 4, high, true)
    this.at += 8
  }

  text(text: string): void {
    this.value(encodeName(text))
  }

  private value(bytes: Uint8Array): void {
    this.reserve(bytes.length + 5)
    this.view.setUint32(this.at, bytes.length, true)
    this.bytes.set(bytes, this.at + 4)
    this.at += bytes.length + 5
    this.bytes[this.at - 1] = 0
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
