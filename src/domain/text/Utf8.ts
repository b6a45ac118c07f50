/** Text as Go sees it: bytes of UTF-8, which JavaScript strings are not. Lengths, slices and order differ. */

/** Number of bytes that `text` takes in UTF-8; a lone surrogate counts as U+FFFD, three bytes. */
export const byteLength = (text: string): number => {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit >= 0xd800 && unit < 0xdc00 && isTrailing(text.charCodeAt(index + 1))) {
      bytes += 4
      index++
    } else bytes += 3
  }
  return bytes
}

const isTrailing = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/** Bytes `start` to `end` (exclusive) of `text`; a character cut in two becomes U+FFFD. */
export const sliceBytes = (text: string, start: number, end: number): string =>
  text.length === byteLength(text)
    ? text.slice(start, end)
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text).subarray(start, end))

/** The byte at `index`, which must exist. */
export const byteAt = (text: string, index: number): number => new TextEncoder().encode(text)[index] ?? 0

/** Surrogates sort above all other units, as code points above U+FFFF do in UTF-8. */
const rank = (unit: number): number => unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit

/** Order of the UTF-8 bytes, which is the order of the code points. For `Array.prototype.sort`. */
export const compareBytes = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
