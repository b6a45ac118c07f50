/**
 * Extended attributes in pax records: star has the raw value under `SCHILY.xattr.NAME`, libarchive
 * base64 under `LIBARCHIVE.xattr.NAME` with the name URL-encoded.
 */
import { decodeName, encodeName } from "./tarName.ts"

const schily = "SCHILY.xattr."
const libarchive = "LIBARCHIVE.xattr."

/** Whether a pax record with this key holds an extended attribute. */
export const isXattrKey = (key: string): boolean =>
  key.startsWith(schily) || key.startsWith(libarchive)

export interface Xattr {
  readonly name: string
  readonly value: Uint8Array
}

/**
 * The attribute of such a record, or undefined when name or value are not encoded as they should
 * be.
 */
export const readXattr = (key: string, value: Uint8Array): Xattr | undefined => {
  if (key.startsWith(schily)) return { name: unquote(key.slice(schily.length)), value }
  const name = decodeUrl(key.slice(libarchive.length))
  const bytes = decodeBase64(value)
  return name === undefined || bytes === undefined ? undefined : { name, value: bytes }
}

/** GNU tar writes `%3D` and `%25` for the two characters that would not survive in a key. */
const unquote = (name: string): string =>
  name.includes("%") ? name.replaceAll("%3D", "=").replaceAll("%25", "%") : name

/** The key of the record that holds an extended attribute; `readXattr` undoes the quoting. */
export const xattrKey = (name: string): string =>
  schily + name.replaceAll("%", "%25").replaceAll("=", "%3D")

const decodeUrl = (quoted: string): string | undefined => {
  const bytes: Array<number> = []
  const raw = encodeName(quoted)
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] !== 0x25) {
      bytes.push(raw[at]!)
      continue
    }
    const digits = decodeName(raw, at + 1, Math.min(at + 3, raw.length))
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined
    bytes.push(parseInt(digits, 16))
    at += 2
  }
  return decodeName(Uint8Array.from(bytes), 0, bytes.length)
}

/** RFC 4648, table 1; -1 for a byte outside it. */
const base64Digit = (byte: number): number => {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52
  return byte === 0x2b ? 62 : byte === 0x2f ? 63 : -1
}

/** libarchive leaves the final `=` out; both ways are read. */
const decodeBase64 = (text: Uint8Array): Uint8Array | undefined => {
  let digits = text.length
  while (digits > 0 && text.length - digits < 2 && text[digits - 1] === 0x3d) digits--
  if (digits % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4))
  let bits = 0
  let held = 0
  let written = 0
  for (let at = 0; at < digits; at++) {
    const digit = base64Digit(text[at]!)
    if (digit < 0) return undefined
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[written++] = bits >> held
    }
  }
  return bytes
}
