/**
 * Docker's json-file format: output cut into lines of at most 16 KiB, and the text of a line, byte
 * for byte as the real supervisor writes it.
 */
import type { LogLine } from "../processes/Process.ts"

/**
 * The buffer size of docker's log copier: a longer line becomes several entries, all but the last
 * without "\n".
 */
const lineLimit = 16_384

export interface LogEntry {
  readonly bytes: Uint8Array
  readonly newline: boolean
  readonly time: string
}

const nothing = new Uint8Array(0)

export const emptyLine: LogLine = { bytes: nothing, partial: false, time: "" }

/** Entries that a piece of output completes, and what is left after its last newline. */
export const splitLines = (
  line: LogLine,
  output: Uint8Array,
  time: string
): readonly [ReadonlyArray<LogEntry>, LogLine] => {
  const entries: Array<LogEntry> = []
  let { bytes, partial, time: first } = line
  let start = 0
  const timeOf = () => partial ? first : time
  while (start < output.length) {
    const found = output.indexOf(10, start)
    const end = found < 0 ? output.length : found
    bytes = bytes.length === 0
      ? output.subarray(start, end)
      : Buffer.concat([bytes, output.subarray(start, end)])
    while (bytes.length >= lineLimit) {
      entries.push({ bytes: bytes.subarray(0, lineLimit), newline: false, time: timeOf() })
      first = timeOf()
      partial = true
      bytes = bytes.subarray(lineLimit)
    }
    if (found >= 0) {
      entries.push({ bytes, newline: true, time: timeOf() })
      bytes = nothing
      partial = false
    }
    start = end + 1
  }
  return [entries, { bytes: new Uint8Array(bytes), partial, time: first }]
}

/** What a stream leaves at its end, without a newline. */
export const lastEntry = (line: LogLine, time: string): ReadonlyArray<LogEntry> =>
  line.bytes.length === 0
    ? []
    : [{ bytes: line.bytes, newline: false, time: line.partial ? line.time : time }]

/**
 * Bytes of the UTF-8 character at `at`, 0 when there is none: overlong forms, surrogates, beyond
 * U+10FFFF, cut short.
 */
const characterLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (size === 0 || bytes.length - at < size) return 0
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (bytes[at + 1]! < lowest || bytes[at + 1]! > highest) return 0
  for (let index = 2; index < size; index++) {
    if (bytes[at + index]! < 0x80 || bytes[at + index]! > 0xbf) return 0
  }
  return size
}

const escapeCode = (code: number): string => `\\u${code.toString(16).padStart(4, "0")}`

const special: { readonly [code: number]: string } = {
  0x22: "\\\"",
  0x5c: "\\\\",
  0x0a: "\\n",
  0x0d: "\\r"
}

const isPlain = (byte: number): boolean =>
  byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c && byte !== 0x3c && byte !== 0x3e &&
  byte !== 0x26

/**
 * As docker's encoder: \u00xx for control characters and <>&, \ufffd for each byte that is not
 * UTF-8.
 */
export const escapeJson = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!
    if (isPlain(byte)) text += String.fromCharCode(byte)
    else if (byte < 0x80) text += special[byte] ?? escapeCode(byte)
    else {
      const size = characterLength(bytes, at)
      const character = size === 0
        ? "\\ufffd"
        : new TextDecoder().decode(bytes.subarray(at, at + size))
      text += character === "\u2028" || character === "\u2029"
        ? escapeCode(character.charCodeAt(0))
        : character
      at += Math.max(0, size - 1)
    }
    at++
  }
  return text
}

export const formatEntry = (entry: LogEntry, stream: "stdout" | "stderr"): string =>
  `{"log":"${escapeJson(entry.bytes)}${entry.newline ? "\\n" : ""}",` +
  `"stream":"${stream}","time":"${entry.time}"}\n`

/** RFC 3339 with the digits of a second that are not zero; microseconds since the epoch. */
export const formatTime = (micros: number): string => {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = String(micros % 1_000_000).padStart(6, "0").replace(/0+$/, "")
  const start = new Date(seconds * 1000).toISOString().slice(0, 19)
  return fraction === "" ? `${start}Z` : `${start}.${fraction}Z`
}
