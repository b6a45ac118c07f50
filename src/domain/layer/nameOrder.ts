/**
 * The order of names: that of their bytes, as strcmp(3) has it, so that a walk in C and a tree in
 * memory give the same archive. The order of JavaScript's strings is another one.
 */
import { encodeName } from "./tarName.ts"

/** Below 0, 0 or above 0, for names as `tarName.ts` has them. */
export const compareNames = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const one = left.charCodeAt(at)
    const other = right.charCodeAt(at)
    if (one === other) continue
    // UTF-8 keeps the order of code points, UTF-16 does too up to the surrogates.
    return one < firstSurrogate && other < firstSurrogate
      ? one - other
      : compareBytes(encodeName(left), encodeName(right))
  }
  return left.length - right.length
}

const firstSurrogate = 0xd800

const compareBytes = (left: Uint8Array, right: Uint8Array): number => {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    if (left[at] !== right[at]) return left[at]! - right[at]!
  }
  return left.length - right.length
}

/** Paths in the order of a walk: a directory, what is in it, then its next sibling. */
export const comparePaths = (left: string, right: string): number => {
  const one = left.split("/")
  const other = right.split("/")
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const order = compareNames(one[at]!, other[at]!)
    if (order !== 0) return order
  }
  return one.length - other.length
}
