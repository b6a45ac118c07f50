/**
 * Names between bytes and strings without loss. Linux names are bytes, mostly UTF-8. A byte that is
 * part of no UTF-8 sequence becomes the lone surrogate U+DC00 + byte (the way of PEP 383), and
 * back.
 */

/** Made at first use: a start-up snapshot can't hold one. */
let textDecoder: TextDecoder | undefined
let textEncoder: TextEncoder | undefined

/**
 * Below this many bytes building the string by hand is faster than a call of TextDecoder
 * (measured).
 */
const shortName = 14

/** The name in bytes `start` (inclusive) to `end` (exclusive). */
export const decodeName = (bytes: Uint8Array, start: number, end: number): string => {
  if (end - start <= shortName) {
    let name = ""
    let at = start
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte > 0x7f) break
      name += String.fromCharCode(byte)
    }
    if (at === end) return name
  }
  textDecoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  try {
    return textDecoder.decode(bytes.subarray(start, end))
  } catch {
    return decodeEscaping(bytes, start, end)
  }
}

const decodeEscaping = (bytes: Uint8Array, start: number, end: number): string => {
  let name = ""
  for (let at = start; at < end;) {
    const length = sequenceLength(bytes, at, end)
    name +=
      length === 0
        ? String.fromCharCode(0xdc00 + bytes[at]!)
        : textDecoder!.decode(bytes.subarray(at, at + length))
    at += length === 0 ? 1 : length
  }
  return name
}

/**
 * Bytes of the well-formed UTF-8 sequence at `at` (Unicode 16, table 3-7), 0 when there is none.
 */
const sequenceLength = (bytes: Uint8Array, at: number, end: number): number => {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
  if (length === 0 || at + length > end) return 0
  const second = bytes[at + 1]!
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return 0
  for (let next = at + 2; next < at + length; next++) {
    if ((bytes[next]! & 0xc0) !== 0x80) return 0
  }
  return length
}

/**
 * The bytes of a name. A lone surrogate that stands for no byte becomes U+FFFD, as in TextEncoder.
 */
export const encodeName = (name: string): Uint8Array => {
  const ascii = name.length <= longAscii ? encodeAscii(name) : undefined
  if (ascii !== undefined) return ascii
  textEncoder ??= new TextEncoder()
  if (name.isWellFormed()) return textEncoder.encode(name)
  const bytes: Array<number> = []
  for (const character of name) {
    const point = character.codePointAt(0)!
    if (isEscapedByte(point)) bytes.push(point - 0xdc00)
    else bytes.push(...textEncoder.encode(character))
  }
  return Uint8Array.from(bytes)
}

/**
 * Up to this many characters writing the bytes by hand is faster than a call of TextEncoder
 * (measured).
 */
const longAscii = 64

const encodeAscii = (name: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(name.length)
  for (let at = 0; at < name.length; at++) {
    const character = name.charCodeAt(at)
    if (character > 0x7f) return undefined
    bytes[at] = character
  }
  return bytes
}

const isEscapedByte = (point: number): boolean => point >= 0xdc80 && point <= 0xdcff

/** Whether the name is valid UTF-8, that is, has no escaped byte. */
export const isUtf8 = (name: string): boolean => name.isWellFormed()
