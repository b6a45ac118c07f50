/**
 * The JSON documents that make up images, read from untrusted bytes within limits and written deterministically. A
 * document is stored by the bytes it came in; only what we make ourselves is encoded here.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { encodeGoJson } from "../text/GoJson.ts"
import type { GoValue } from "../text/goTemplate/GoValue.ts"
import { refuse, type TextError } from "../text/TextError.ts"

export const documentLimits = {
  /** Of one document: what registries accept of a manifest (OCI distribution-spec, "Pushing Manifests"). */
  bytes: 4 * 1024 * 1024,
  /** Objects and arrays inside each other; real documents have six. */
  depth: 64,
  /** Layers of a manifest, manifests of an index. */
  descriptors: 2048,
  /** One map of annotations or labels: how many, and bytes of all keys and values together. */
  annotations: 4096,
  annotationBytes: 512 * 1024,
  /** Of one descriptor. */
  urls: 64,
  urlCharacters: 4096,
  /** Rows of an image's history. */
  history: 8192
}

/** What a document is, for messages: its kind, and where it comes from (a digest, a reference, a path). */
export interface DocumentSource {
  readonly kind: "manifest" | "index" | "image config" | "docker archive" | "OCI layout"
  readonly name: string
}

export type JsonObject = { readonly [key: string]: unknown }

/** What can be done about a broken document: little. */
export const brokenDocument = "have it written again by a current tool, or use another image"

export const refuseDocument = (
  source: DocumentSource, cause: string, cure = brokenDocument
): Result.Result<never, TextError> => refuse(`read ${source.kind}`, source.name, cause, cure)

const closingQuote = (text: string, opening: number): number => {
  for (let index = opening + 1;; index++) {
    const unit = text[index]
    if (unit === "\\") index++
    else if (unit === "\"" || unit === undefined) return index
  }
}

/** The key that a quoted text is; text that is no JSON string is found out by whoever parses the whole. */
const keyOf = (quoted: string): string => {
  if (!quoted.includes("\\")) return quoted.slice(1, -1)
  const parsed = Result.try(() => JSON.parse(quoted) as string)
  return Result.isSuccess(parsed) ? parsed.success : quoted
}

/**
 * What is wrong with the structure of a JSON text: nesting, or a key given twice, which readers take differently. Looked
 * at before the text is parsed, since a million open brackets keep JSON.parse busy for seconds.
 */
const structureFault = (text: string): string | undefined => {
  const open: Array<Set<string> | undefined> = []
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === "{") open.push(new Set())
    else if (character === "[") open.push(undefined)
    else if (character === "}" || character === "]") open.pop()
    else if (character === "\"") {
      const end = closingQuote(text, index)
      let next = end + 1
      while (/[ \t\r\n]/.test(text[next] ?? "")) next++
      const keys = open.at(-1)
      if (keys !== undefined && text[next] === ":") {
        const key = keyOf(text.slice(index, end + 1))
        if (keys.has(key)) return `the key ${JSON.stringify(key.slice(0, 100))} is given twice in one object`
        keys.add(key)
      }
      index = end
    }
    if (open.length > documentLimits.depth) return `nested deeper than the ${documentLimits.depth} levels allowed`
  }
  return undefined
}

/** Go writes a missing list or map as null and reads null as missing. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => item === null ? [] : [[key, withoutNulls(item)]])
  )
}

/** Any JSON value. Refused: more than 4 MiB, no UTF-8, no JSON, nested too deeply, the same key twice in an object. */
export const parseDocument = (bytes: Uint8Array, source: DocumentSource): Result.Result<unknown, TextError> => {
  if (bytes.length > documentLimits.bytes) {
    return refuseDocument(source, `it has ${bytes.length} bytes, more than the ${documentLimits.bytes} allowed`)
  }
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const decoded = Result.try(() => decoder.decode(bytes))
  if (Result.isFailure(decoded)) return refuseDocument(source, "it is not UTF-8")
  const text = decoded.success
  const fault = structureFault(text)
  if (fault !== undefined) return refuseDocument(source, fault)
  const parsed = Result.try(() => JSON.parse(text) as unknown)
  return Result.isSuccess(parsed)
    ? Result.succeed(withoutNulls(parsed.success))
    : refuseDocument(source, `it is not JSON: ${(parsed.failure as Error).message.slice(0, 200)}`)
}

export const parseObject = (bytes: Uint8Array, source: DocumentSource): Result.Result<JsonObject, TextError> =>
  Result.flatMap(parseDocument(bytes, source), (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Result.succeed(value as JsonObject)
      : refuseDocument(source, "it is not a JSON object"))

/** Long reasons come from long input, and would bury the cure. */
const shorten = (text: string): string => text.length > 600 ? `${text.slice(0, 600)}…` : text

/** Checks a parsed document against its schema. */
export const decodeDocument = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S, value: unknown, source: DocumentSource
): Result.Result<S["Type"], TextError> => {
  const decoded = Schema.decodeUnknownResult(schema)(value)
  return Result.isSuccess(decoded)
    ? Result.succeed(decoded.success)
    : refuseDocument(source, shorten(decoded.failure.message))
}

/** The bytes of a document of ours: keys in order, no white space; keys that are undefined are left out. */
export const encodeDocument = (value: GoValue): Uint8Array => new TextEncoder().encode(encodeGoJson(value))
