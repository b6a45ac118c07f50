/**
 * Entries of archives as the addon has them, see `native/addon/addon.h` (records): what its walk finds becomes
 * tar entries, and tar entries become what its unpacking makes.
 */
import type { EntryType, TarEntry, Timestamp } from "../../domain/layer/TarEntry.ts"
import { decodeName, encodeName } from "../../domain/layer/tarName.ts"

const kinds = { entry: 1, data: 2, end: 3, times: 4 } as const

/** Index is the addon's number of the type. */
const types: ReadonlyArray<EntryType> = ["file", "file", "dir", "symlink", "hardlink", "char", "block", "fifo"]

export type WalkRecord =
  | { readonly _tag: "Entry"; readonly entry: TarEntry }
  /** A view into what was read. */
  | { readonly _tag: "Data"; readonly bytes: Uint8Array }

class RecordReader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u32(): number {
    this.at += 4
    return this.view.getUint32(this.at - 4, true)
  }

  i64(): number {
    this.at += 8
    return Number(this.view.getBigInt64(this.at - 8, true))
  }

  value(): Uint8Array {
    const start = this.at + 4
    this.at = start + this.view.getUint32(this.at, true) + 1
    return this.bytes.subarray(start, this.at - 1)
  }

  text(): string {
    const start = this.at + 4
    this.at = start + this.view.getUint32(this.at, true) + 1
    return decodeName(this.bytes, start, this.at - 1)
  }
}

const readEntry = (reader: RecordReader): TarEntry => {
  const type = types[reader.u32()] ?? "file"
  const mode = reader.u32()
  const uid = reader.u32()
  const gid = reader.u32()
  const devmajor = reader.u32()
  const devminor = reader.u32()
  const nanoseconds = reader.u32()
  const size = reader.i64()
  const seconds = reader.i64()
  const path = reader.text()
  const linkpath = reader.text()
  const xattrs = new Map<string, Uint8Array>()
  for (let left = reader.u32(); left > 0; left--) {
    const name = reader.text()
    xattrs.set(name, reader.value().slice())
  }
  return {
    path, type, mode, uid, gid, uname: "", gname: "", size: type === "file" ? size : 0,
    mtime: { seconds, nanoseconds }, linkpath, devmajor, devminor, xattrs, sparse: null
  }
}

/** The records that a walk has written; they are whole, and ours. */
export const readWalkRecords = (bytes: Uint8Array): ReadonlyArray<WalkRecord> => {
  const records: Array<WalkRecord> = []
  const reader = new RecordReader(bytes)
  while (reader.at < bytes.length) {
    records.push(
      reader.u32() === kinds.entry
        ? { _tag: "Entry", entry: readEntry(reader) }
        : { _tag: "Data", bytes: reader.value() }
    )
  }
  return records
}

/** Packs records for an unpacking. */
export class RecordWriter {
  private bytes = Buffer.allocUnsafe(64 << 10)
  private at = 0

  get length(): number {
    return this.at
  }

  /** What was packed, until the next record is: the memory is used again, fresh pages cost more than the rest. */
  take(): Buffer {
    const packed = this.bytes.subarray(0, this.at)
    this.at = 0
    return packed
  }

  /** `path` and `linkpath` are those of the entry made safe. */
  entry(entry: TarEntry, path: string, linkpath: string, owner: { readonly uid: number; readonly gid: number }): void {
    this.numbers(kinds.entry, types.lastIndexOf(entry.type), entry.mode, owner.uid, owner.gid)
    this.numbers(entry.devmajor, entry.devminor, entry.mtime.nanoseconds)
    this.i64(entry.size)
    this.i64(entry.mtime.seconds)
    this.value(encodeName(path))
    this.value(encodeName(linkpath))
    this.numbers(entry.xattrs.size)
    for (const [name, value] of entry.xattrs) {
      this.value(encodeName(name))
      this.value(value)
    }
  }

  data(offset: number, bytes: Uint8Array): void {
    this.numbers(kinds.data)
    this.i64(offset)
    this.value(bytes)
  }

  end(): void {
    this.numbers(kinds.end)
  }

  times(path: string, mtime: Timestamp): void {
    this.numbers(kinds.times, mtime.nanoseconds)
    this.i64(mtime.seconds)
    this.value(encodeName(path))
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + more))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  private numbers(...values: ReadonlyArray<number>): void {
    this.reserve(4 * values.length)
    for (const value of values) this.at = this.bytes.writeUInt32LE(value, this.at)
  }

  private i64(value: number): void {
    this.reserve(8)
    this.at = this.bytes.writeBigInt64LE(BigInt(value), this.at)
  }

  private value(bytes: Uint8Array): void {
    this.reserve(bytes.length + 5)
    this.at = this.bytes.writeUInt32LE(bytes.length, this.at)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
    this.bytes[this.at++] = 0
  }
}
