/**
 * How a stream of bytes is compressed, by the bytes it begins with: names and media types may be
 * wrong or missing. Only recognised here; undoing it is for an interpreter.
 */
import { joinBytes } from "../bytes/joinBytes.ts"

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2"

/** Bytes after which `detectCompression` is certain; a shorter stream is judged by what it has. */
export const detectionBytes = 10

const gzip = [0x1f, 0x8b, 0x08] // RFC 1952, with deflate, the only method there is
const zstd = [0x28, 0xb5, 0x2f, 0xfd] // RFC 8878, 3.1.1
const zstdSkippable = [0x2a, 0x4d, 0x18] // RFC 8878, 3.1.2: after a byte 0x50 to 0x5f
const xz = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] // xz file format, 2.1.1.1
const bzip2 = [0x42, 0x5a, 0x68] // "BZh", then the block size as a digit, then one of these two:
const bzip2Block = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
const bzip2End = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]

/**
 * The compression of a stream that begins with these bytes. A tar archive that is not compressed is
 * `none`.
 */
export const detectCompression = (bytes: Uint8Array): Compression => {
  if (begins(bytes, 0, gzip)) return "gzip"
  if (
    begins(bytes, 0, zstd) ||
    (((bytes[0] ?? 0) & 0xf0) === 0x50 && begins(bytes, 1, zstdSkippable))
  )
    return "zstd"
  if (begins(bytes, 0, xz)) return "xz"
  const level = bytes[3] ?? 0
  const isBzip2 =
    begins(bytes, 0, bzip2) &&
    level >= 0x31 &&
    level <= 0x39 &&
    (begins(bytes, 4, bzip2Block) || begins(bytes, 4, bzip2End))
  return isBzip2 ? "bzip2" : "none"
}

/** The first bytes of a stream, with as many of the next piece as `detectCompression` needs. */
export const lengthened = (head: Uint8Array, piece: Uint8Array): Uint8Array =>
  head.length >= detectionBytes ? head : joinBytes([head, piece.subarray(0, detectionBytes - head.length)])

/** Of a layer's first bytes: the compression that its media type is to say. */
export const layerCompression = (head: Uint8Array): "none" | "gzip" | "zstd" => {
  const found = detectCompression(head)
  return found === "gzip" || found === "zstd" ? found : "none"
}

const begins = (bytes: Uint8Array, at: number, magic: ReadonlyArray<number>): boolean =>
  magic.every((byte, index) => bytes[at + index] === byte)

/**
 * What to tell a user whose archive is compressed in a way that is recognised but not read, else
 * undefined.
 */
export const compressionRefusal = (compression: Compression): string | undefined =>
  compression === "xz" || compression === "bzip2"
    ? `the archive is compressed with ${compression}; only gzip, zstd and plain tar are read ` +
      `(decompress it first: ${compression} -dc FILE | fx-engine import - NAME)`
    : undefined
