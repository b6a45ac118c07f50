/**
 * Names of contents: algorithm and hash (OCI image-spec, descriptor.md, "Digests"). A Digest is known to be well formed, so
 * it may be a file name. Hashing itself is for an interpreter.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { refuse, type TextError } from "../text/TextError.ts"

export type Algorithm = "sha256" | "sha512"

/** Hexadecimal digits of a hash. */
const digits: { readonly [algorithm in Algorithm]: number } = { sha256: 64, sha512: 128 }

/** The two algorithms that the specification registers and everybody computes. */
export const Digest = Schema.String.check(
  Schema.isPattern(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, {
    expected: "a digest: sha256: and 64, or sha512: and 128 lower-case hexadecimal digits"
  })
).pipe(Schema.brand("Digest"))
export type Digest = typeof Digest.Type

const isAlgorithm = (name: string): name is Algorithm => Object.hasOwn(digits, name)

const causeOf = (text: string): string | undefined => {
  const colon = text.indexOf(":")
  if (colon <= 0) return "invalid checksum digest format"
  const algorithm = text.slice(0, colon)
  const hex = text.slice(colon + 1)
  if (!isAlgorithm(algorithm)) return `unsupported digest algorithm ${JSON.stringify(algorithm.slice(0, 40))}`
  if (hex.length !== digits[algorithm]) {
    return `invalid checksum digest length: ${algorithm} has ${digits[algorithm]} hexadecimal digits, not ${hex.length}`
  }
  return /^[0-9a-f]+$/.test(hex) ? undefined : "invalid checksum digest format: only 0-9 and a-f in lower case"
}

/** `sha256:…` or `sha512:…`, in lower case and of the exact length. */
export const parseDigest = (text: string): Result.Result<Digest, TextError> => {
  const cause = causeOf(text)
  return cause === undefined
    ? Result.succeed(text as Digest)
    : refuse("parse digest", text, cause, "write sha256: and 64, or sha512: and 128 hexadecimal digits")
}

/** The digest that a text is, or undefined. */
export const readDigest = (text: string): Digest | undefined =>
  causeOf(text) === undefined ? text as Digest : undefined

/** Of a hash that was just computed. @throws RangeError if `hex` is not of the algorithm's length. */
export const makeDigest = (algorithm: Algorithm, hex: string): Digest => {
  const digest = readDigest(`${algorithm}:${hex}`)
  if (digest === undefined) throw new RangeError(`not a hash of ${algorithm}: ${hex}`)
  return digest
}

/** The algorithm that a digest names; sha256 where a text names none that we know. */
export const algorithmOf = (digest: string): Algorithm => digest.startsWith("sha512:") ? "sha512" : "sha256"

export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)

/** The twelve digits that listings show. */
export const shortDigest = (digest: Digest): string => hexOf(digest).slice(0, 12)
