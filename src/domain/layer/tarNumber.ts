/**
 * Numbers of tar headers: octal text (POSIX ustar), base 256 (GNU and star, for what does not fit),
 * decimal text (pax). Readers give NaN for what is no number and leave ranges to the caller.
 */

const space = 0x20
const zero = 0x30

/** The number in a header field of `length` bytes; an empty field is 0. Exact up to 2^53. */
export const readNumber = (bytes: Uint8Array, at: number, length: number): number => {
  const first = bytes[at]!
  if (first & 0x80) return readBase256(bytes, at, length)
  const end = at + length
  let position = at
  while (position < end && bytes[position] === space) position++
  let value = 0
  for (; position < end; position++) {
    const byte = bytes[position]!
    if (byte === 0 || byte === space) break
    if (byte < zero || byte > 0x37) return NaN
    value = value * 8 + (byte - zero)
  }
  return value
}

/**
 * Two's complement, big endian; the top bit of the field only marks the format, the next one is the
 * sign.
 */
const readBase256 = (bytes: Uint8Array, at: number, length: number): number => {
  const negative = (bytes[at]! & 0x40) !== 0
  const flip = negative ? 0xff : 0
  let value = (bytes[at]! ^ flip) & 0x7f
  for (let position = at + 1; position < at + length; position++) {
    value = value * 256 + (bytes[position]! ^ flip)
  }
  return negative ? -1 - value : value
}

/** Whether octal text of `length` bytes, one of them the final NUL, can hold the number. */
export const fitsOctal = (value: number, length: number): boolean =>
  value >= 0 && value < 8 ** (length - 1)

/**
 * Writes octal digits with leading zeros up to the NUL that ends the field. The number must fit.
 */
export const writeOctal = (bytes: Uint8Array, at: number, length: number, value: number): void => {
  let rest = value
  for (let position = at + length - 2; position >= at; position--) {
    bytes[position] = zero + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}

/** A whole decimal number with an optional minus, as pax records have it. */
export const readDecimal = (text: string): number =>
  /^-?[0-9]{1,20}$/.test(text) ? Number(text) : NaN

/**
 * `seconds[.fraction]`; digits beyond nanoseconds are cut off towards the past, as a kernel's clock
 * does.
 */
export const readPaxTime = (
  text: string
): { readonly seconds: number; readonly nanoseconds: number } | null => {
  const parts = /^(-?)([0-9]{1,20})(?:\.([0-9]*))?$/.exec(text)
  if (parts === null) return null
  const whole = Number(parts[2])
  const digits = parts[3] ?? ""
  const fraction = Number(digits.slice(0, 9).padEnd(9, "0"))
  if (!Number.isSafeInteger(whole)) return null
  if (parts[1] === "") return { seconds: whole, nanoseconds: fraction }
  const below = fraction + (/[1-9]/.test(digits.slice(9)) ? 1 : 0)
  return below === 0
    ? { seconds: 0 - whole, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1e9 - below }
}

/** The shortest text that `readPaxTime` reads back as the same time. */
export const writePaxTime = (seconds: number, nanoseconds: number): string => {
  if (nanoseconds === 0) return String(seconds)
  const [whole, fraction] = seconds < 0 ? [-seconds - 1, 1e9 - nanoseconds] : [seconds, nanoseconds]
  return `${seconds < 0 ? "-" : ""}${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`
}
