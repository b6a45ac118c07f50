/**
 * The session of a blob upload (distribution-spec, "Pushing blobs"): where it goes on, from which byte, in pieces of
 * which size.
 */
import * as Result from "effect/Result"
import { readLength, readUrl, type RequestFields, type ResponseFields, single } from "./HttpMessage.ts"
import { printable } from "./printable.ts"

/** A session as the registry last told us of it. */
export interface Session {
  /** Where the next request goes. Changes with every answer. */
  readonly url: string
  /** Bytes that the registry has. */
  readonly offset: number
  /** The least that it takes in a piece, the last one apart. */
  readonly leastChunk: number
}

/**
 * The session's address, absolute or relative to the request's. Fails with the cause when there is none or it leaves
 * https.
 */
export const readLocation = (fields: ResponseFields, requestUrl: string): Result.Result<string, string> => {
  const location = single(fields, "location")
  if (location === undefined) return Result.fail("the registry names no one address to upload to")
  const url = readUrl(location, requestUrl)
  if (url === undefined) return Result.fail(`the registry names an unusable address to upload to: ${printable(location)}`)
  if (url.protocol === "http:" && requestUrl.startsWith("https:")) {
    return Result.fail(`the registry names an address to upload to that is not protected: ${url.origin}`)
  }
  url.hash = ""
  return Result.succeed(url.href)
}

/**
 * How many bytes the registry has by its `Range` (`0-1023` or `bytes=0-1023`: 1024 bytes). `0-0` means one byte, but
 * registries also write it for none: undefined, as for anything that cannot be read.
 */
export const readReceived = (text: string | undefined): number | undefined => {
  const last = readLength(/^(?:bytes[= ])?0-([0-9]{1,16})$/.exec(text ?? "")?.[1])
  return last === undefined || last === 0 ? undefined : last + 1
}

/** Larger demands are a mistake: the piece is held in a connection, not in memory, but has to be sent again on failure. */
const largestLeastChunk = 2 ** 30

const readLeastChunk = (fields: ResponseFields, before: number): number =>
  Math.min(largestLeastChunk, Math.max(before, readLength(single(fields, "oci-chunk-min-length")) ?? 0))

export type UploadDecision =
  | { readonly kind: "session"; readonly session: Session }
  /** The blob is there. */
  | { readonly kind: "done" }
  /** The registry does not know the session, or not from which byte on: begin a new one. */
  | { readonly kind: "lost" }
  /** It has another number of bytes than we think: ask. */
  | { readonly kind: "outOfStep" }
  | { readonly kind: "broken"; readonly cause: string }
  /** Not an answer of this protocol: judge it by its status. */
  | { readonly kind: "other" }

const sessionAt = (
  fields: ResponseFields, requestUrl: string, offset: number, leastChunk: number
): UploadDecision => {
  const url = readLocation(fields, requestUrl)
  return Result.isFailure(url)
    ? { kind: "broken", cause: url.failure }
    : { kind: "session", session: { url: url.success, offset, leastChunk: readLeastChunk(fields, leastChunk) } }
}

/** The answer to the POST: 202 opens a session; 201 says that the blob was mounted. */
export const afterBegin = (status: number, fields: ResponseFields, requestUrl: string): UploadDecision => {
  if (status === 201) return { kind: "done" }
  return status === 202 ? sessionAt(fields, requestUrl, 0, 0) : { kind: "other" }
}

/** The answer to the PATCH with the bytes up to `end`. */
export const afterChunk = (status: number, fields: ResponseFields, session: Session, end: number): UploadDecision => {
  if (status === 416) return { kind: "outOfStep" }
  if (status === 404) return { kind: "lost" }
  // 201 and 204 are answers of registries that were first
  if (status !== 202 && status !== 201 && status !== 204) return { kind: "other" }
  const received = readReceived(single(fields, "range"))
  if (received !== undefined && received > end) return { kind: "lost" }
  return sessionAt(fields, session.url, received ?? end, session.leastChunk)
}

/** The answer to the GET that asks how far the session is, when at most `sent` bytes were sent. */
export const afterQuestion = (status: number, fields: ResponseFields, session: Session, sent: number): UploadDecision => {
  if (status === 404) return { kind: "lost" }
  if (status !== 204 && status !== 202 && status !== 200) return { kind: "other" }
  const received = readReceived(single(fields, "range")) ?? (sent === 0 ? 0 : undefined)
  if (received === undefined || received > sent) return { kind: "lost" }
  const url = single(fields, "location") === undefined
    ? { ...fields, location: [session.url] }
    : fields
  return sessionAt(url, session.url, received, session.leastChunk)
}

/** The answer to the PUT that closes the session. */
export const afterClose = (status: number): UploadDecision => {
  if (status === 416) return { kind: "outOfStep" }
  if (status === 404) return { kind: "lost" }
  return status === 201 || status === 204 || status === 202 ? { kind: "done" } : { kind: "other" }
}

/** The address that closes a session: the registry may have parameters of its own in it. */
export const closeUrl = (session: Session, digest: string): string => {
  const url = new URL(session.url)
  url.searchParams.set("digest", digest)
  return url.href
}

/** The next piece: bytes from `start` to before `end`. `last`: the closing PUT carries it. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly last: boolean
}

/**
 * All that is missing in the closing PUT when nothing was sent yet and it is no more than a piece; otherwise pieces
 * of `chunk` bytes, or of as many as the registry asks for, and a closing PUT without content.
 */
export const nextPiece = (session: Session, size: number, chunk: number): Piece => {
  const step = Math.max(1, chunk, session.leastChunk)
  if (session.offset === 0 && size <= step) return { start: 0, end: size, last: true }
  if (session.offset >= size) return { start: size, end: size, last: true }
  return { start: session.offset, end: Math.min(size, session.offset + step), last: false }
}

/** `Content-Range` of a piece is written without a unit, against RFC 9110 (distribution-spec, "Pushing a blob in chunks"). */
export const pieceFields = ({ end, last, start }: Piece): RequestFields => ({
  "content-type": "application/octet-stream",
  "content-length": String(end - start),
  ...(last || end === start ? {} : { "content-range": `${start}-${end - 1}` })
})
