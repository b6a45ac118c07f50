/**
 * Archives for the tests: those that real tools made, those built byte by byte, and what the
 * decoder says.
 */
import { readdirSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import * as fc from "fast-check"
import {
  finish,
  start,
  step,
  type TarDecoder,
  type TarEvent
} from "../../../src/domain/layer/TarDecoder.ts"
import type { TarEntry, TarError } from "../../../src/domain/layer/TarEntry.ts"
import { defaultLimits, type TarLimits } from "../../../src/domain/layer/TarLimits.ts"

const directory = new URL("./fixtures/", import.meta.url)

/** Names of the archives that fixtures/make.sh made. */
export const fixtures: ReadonlyArray<string> = readdirSync(directory)
  .filter((file) => file.endsWith(".tar.gz"))
  .map((file) => file.slice(0, -".tar.gz".length))

/** Any character of Unicode, for strings: the one of fast-check takes seconds to make. */
export const character = fc
  .oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((point) => String.fromCodePoint(point))

const unpacked = new Map<string, Uint8Array>()

/** The bytes of one of them, in memory of their own. */
export const fixture = (name: string): Uint8Array => {
  const known = unpacked.get(name)
  if (known !== undefined) return new Uint8Array(known)
  const archive = new Uint8Array(gunzipSync(readFileSync(new URL(`${name}.tar.gz`, directory))))
  unpacked.set(name, archive)
  return new Uint8Array(archive)
}

export interface DecodedFile {
  readonly entry: TarEntry
  /** The file with its holes, a character for each byte; "" when it is too big to be held. */
  readonly content: string
}

export interface Decoded {
  readonly files: ReadonlyArray<DecodedFile>
  /** Tags of the events, those of Data left out. */
  readonly outline: ReadonlyArray<TarEvent["_tag"]>
  readonly error: TarError | undefined
}

/**
 * All events of an archive given in these chunks. Each chunk is overwritten as soon as it was
 * decoded.
 */
export const decode = (chunks: Iterable<Uint8Array>, limits: Partial<TarLimits> = {}): Decoded => {
  let decoder: TarDecoder = start({ ...defaultLimits, ...limits })
  const files: Array<{ readonly entry: TarEntry; readonly content: Buffer }> = []
  const outline: Array<TarEvent["_tag"]> = []
  let error: TarError | undefined
  const take = (events: ReadonlyArray<TarEvent>): void => {
    for (const event of events) {
      if (event._tag !== "Data") outline.push(event._tag)
      if (event._tag === "Entry") {
        const content = Buffer.alloc(event.entry.size > 1e8 ? 0 : event.entry.size)
        files.push({ entry: event.entry, content })
      } else if (event._tag === "Data") {
        files.at(-1)!.content.set(event.bytes, event.offset)
      } else if (event._tag === "Failed") {
        error = event.error
      }
    }
  }
  for (const chunk of chunks) {
    const own = Buffer.isBuffer(chunk) ? Buffer.from(chunk) : new Uint8Array(chunk)
    const [events, next] = step(decoder, own)
    take(events)
    own.fill(0x2a)
    decoder = next
  }
  take(finish(decoder))
  return {
    files: files.map(({ content, entry }) => ({ entry, content: content.toString("latin1") })),
    outline,
    error
  }
}

export const decodeFixture = (name: string): Decoded => decode([fixture(name)])

/** Pieces of `size` bytes. */
export const inPieces = function* (bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(Buffer.concat(parts))

/** Bytes filled up with zeros to whole blocks. */
export const padded = (bytes: Uint8Array): Uint8Array => {
  const all = new Uint8Array(Math.ceil(bytes.length / 512) * 512)
  all.set(bytes)
  return all
}

export const end = new Uint8Array(1024)

/** Gives the header block at `at` the checksum that it should have. */
export const sign = (bytes: Uint8Array, at = 0): Uint8Array => {
  bytes.fill(0x20, at + 148, at + 156)
  const sum = bytes.subarray(at, at + 512).reduce((sum, byte) => sum + byte, 0)
  bytes.set(ascii(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148)
  return bytes
}

/**
 * A header block with the texts at the given bytes; unless said otherwise an empty file `name` of
 * ustar.
 */
export const header = (fields: Readonly<Record<number, string | Uint8Array>> = {}): Uint8Array => {
  const block = new Uint8Array(512)
  const usual = {
    0: "name",
    100: "0000644\0",
    108: "0000000\0",
    116: "0000000\0",
    124: "00000000000\0",
    136: "00000000000\0",
    156: "0",
    257: "ustar\x0000"
  }
  for (const [at, value] of Object.entries({ ...usual, ...fields })) {
    block.set(typeof value === "string" ? ascii(value) : value, Number(at))
  }
  return sign(block)
}

/** Where the fields are that tests change. */
export const at = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  typeflag: 156,
  linkname: 157,
  magic: 257,
  uname: 265,
  devmajor: 329,
  prefix: 345
} as const

export const octal = (value: number): string => `${value.toString(8).padStart(11, "0")}\0`

/** A pax header of the type given (`x` or `g`) with these records. */
export const pax = (
  type: "x" | "g",
  ...records: ReadonlyArray<readonly [string, string]>
): Uint8Array => {
  const body = concat(
    ...records.map(([key, value]) => {
      const text = new TextEncoder().encode(` ${key}=${value}\n`)
      let length = text.length + 1
      while (String(length).length + text.length !== length) length++
      return concat(ascii(String(length)), text)
    })
  )
  return concat(header({ [at.typeflag]: type, [at.size]: octal(body.length) }), padded(body))
}
