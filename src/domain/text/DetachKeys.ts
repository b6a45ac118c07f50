/**
 * The key sequence that detaches a terminal from its container (`ctrl-p,ctrl-q`), and a matcher that finds it in the
 * bytes typed. Bytes that may be the beginning of the sequence are withheld until the next bytes decide.
 */
import * as Result from "effect/Result"
import { refuse, type TextError } from "./TextError.ts"

/** Longest sequence accepted; nobody types more. */
const mostKeys = 64

/** The characters of `ctrl-X`, by the control code they make (0 to 31): caret notation. */
const controls = "@abcdefghijklmnopqrstuvwxyz[\\]^_"

/** moby term, ascii.go: `ctrl-X` for X of @ a–z [ \ ] ^ _, `DEL`, or a single ASCII character. */
const keyCode = (key: string): number | undefined => {
  if (key === "DEL") return 127
  if (key.length === 1) return key.charCodeAt(0) < 0x80 ? key.charCodeAt(0) : undefined
  const code = key.length === 6 && key.startsWith("ctrl-") ? controls.indexOf(key.charAt(5)) : -1
  return code < 0 ? undefined : code
}

/** What docker uses when nobody says otherwise. */
export const defaultDetachKeys = "ctrl-p,ctrl-q"

/** Comma-separated keys → the bytes they send. */
export const parseDetachKeys = (text: string): Result.Result<Uint8Array, TextError> => {
  const operation = "parse detach keys"
  const cure = "write keys separated by commas: single characters, DEL, or ctrl- and one of @ a-z [ \\ ] ^ _"
  const keys = text.split(",", mostKeys + 1)
  if (keys.length > mostKeys) return refuse(operation, text, "too many keys", cure)
  const codes = new Uint8Array(keys.length)
  for (const [index, key] of keys.entries()) {
    const code = keyCode(key)
    if (code === undefined) return refuse(operation, text, `unknown character: '${key.slice(0, 100)}'`, cure)
    codes[index] = code
  }
  return Result.succeed(codes)
}

/** Immutable: `feed` gives the next state. */
export interface DetachMatcher {
  readonly keys: Uint8Array
  /** For each number of matched keys, how many remain matched when the next byte differs (Knuth, Morris and Pratt). */
  readonly fallback: Uint8Array
  /** How many keys the bytes withheld match. */
  readonly matched: number
}

export interface Fed {
  readonly matcher: DetachMatcher
  /** What goes to the container now, in order. */
  readonly forward: Uint8Array
  /** The whole sequence was seen: it is swallowed, and so is whatever follows it in these bytes. */
  readonly detached: boolean
}

/** A matcher at the start of the stream. No keys (`new Uint8Array()`): nothing ever detaches. */
export const detachMatcher = (keys: Uint8Array): DetachMatcher => {
  const fallback = new Uint8Array(keys.length + 1)
  for (let end = 1, matched = 0; end < keys.length; end++) {
    while (matched > 0 && keys[end] !== keys[matched]) matched = fallback[matched] ?? 0
    if (keys[end] === keys[matched]) matched++
    fallback[end + 1] = matched
  }
  return { keys, fallback, matched: 0 }
}

/** The next bytes of the stream. After `detached` the matcher is spent. */
export const feed = (matcher: DetachMatcher, bytes: Uint8Array): Fed => {
  const { fallback, keys } = matcher
  if (keys.length === 0) return { matcher, forward: bytes, detached: false }
  let matched = matcher.matched
  for (let index = 0; index < bytes.length; index++) {
    while (matched > 0 && bytes[index] !== keys[matched]) matched = fallback[matched] ?? 0
    if (bytes[index] === keys[matched]) matched++
    if (matched === keys.length) {
      const forward = decided(matcher, bytes, index + 1, matched)
      return { matcher: { ...matcher, matched: 0 }, forward, detached: true }
    }
  }
  const forward = decided(matcher, bytes, bytes.length, matched)
  return { matcher: { ...matcher, matched }, forward, detached: false }
}

/** The bytes withheld before and the first `count` of `bytes`, without the last `withheld` of them all. */
const decided = (matcher: DetachMatcher, bytes: Uint8Array, count: number, withheld: number): Uint8Array => {
  if (matcher.matched === 0) return bytes.subarray(0, count - withheld)
  const total = matcher.matched + count - withheld
  const forward = new Uint8Array(total)
  forward.set(matcher.keys.subarray(0, Math.min(matcher.matched, total)))
  if (total > matcher.matched) forward.set(bytes.subarray(0, total - matcher.matched), matcher.matched)
  return forward
}

/** What is still withheld when the stream ends: it goes to the container before the end of file does. */
export const withheld = (matcher: DetachMatcher): Uint8Array => matcher.keys.slice(0, matcher.matched)
