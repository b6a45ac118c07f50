/** Going on with a blob at the byte where it stopped (RFC 9110 §14). */
import { readLength, type ResponseFields, single } from "./HttpMessage.ts"

/** The `Range` field for what is missing; undefined where nothing was read yet. */
export const rangeFrom = (offset: number): string | undefined => offset === 0 ? undefined : `bytes=${offset}-`

export interface ContentRange {
  readonly first: number
  readonly last: number
  /** Undefined for `*`. */
  readonly total: number | undefined
}

/** `bytes 200-999/1000`; undefined for anything else, also for the form that only names a length. */
export const readContentRange = (text: string | undefined): ContentRange | undefined => {
  const match = /^bytes ([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16}|\*)$/.exec(text ?? "")
  const first = readLength(match?.[1])
  const last = readLength(match?.[2])
  const total = match?.[3] === "*" ? undefined : readLength(match?.[3])
  if (first === undefined || last === undefined || last < first) return undefined
  return total !== undefined && last >= total ? undefined : { first, last, total }
}

export type ResumeDecision =
  /** The body is content: the first `skip` bytes of it are here already; then `expected` bytes, or as many as come. */
  | { readonly kind: "take"; readonly skip: number; readonly expected: number }
  /** There is nothing more to get. */
  | { readonly kind: "complete" }
  /** What it says contradicts the declared size. */
  | { readonly kind: "corrupt"; readonly cause: string }
  /** It could not continue where we asked: ask for all of it. */
  | { readonly kind: "startOver" }
  /** Not an answer to this question: judge it by its status. */
  | { readonly kind: "other" }

/** What a response to a request for the bytes from `offset` of a content of `size` bytes means. */
export const decideResume = (offset: number, size: number, status: number, fields: ResponseFields): ResumeDecision => {
  const length = readLength(single(fields, "content-length"))
  if (status === 200) {
    return length !== undefined && length !== size
      ? { kind: "corrupt", cause: `it has ${length} bytes, but ${size} were declared` }
      : { kind: "take", skip: offset, expected: size }
  }
  if (status === 206) {
    const range = readContentRange(single(fields, "content-range"))
    if (range === undefined || range.first !== offset) return { kind: "startOver" }
    if (range.total !== undefined && range.total !== size) {
      return { kind: "corrupt", cause: `it has ${range.total} bytes, but ${size} were declared` }
    }
    if (range.last >= size) return { kind: "corrupt", cause: `it goes on behind the ${size} bytes that were declared` }
    if (length !== undefined && length !== range.last - range.first + 1) return { kind: "startOver" }
    return { kind: "take", skip: 0, expected: range.last - range.first + 1 }
  }
  if (status === 416) return offset >= size ? { kind: "complete" } : { kind: "startOver" }
  return { kind: "other" }
}
