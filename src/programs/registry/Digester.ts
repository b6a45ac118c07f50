/** Hashing, as far as the registry programs need it: an interpreter brings the fastest one that it has. */
import * as Context from "effect/Context"
import type { Algorithm } from "../../domain/image/Digest.ts"

/** The hash of a content in the making. */
export interface Hasher {
  readonly update: (bytes: Uint8Array) => void
  /** `sha256:…`; once, at the end. */
  readonly digest: () => string
}

export class Digester extends Context.Service<Digester, {
  readonly start: (algorithm: Algorithm) => Hasher
}>()("fx/programs/registry/Digester") {}

export const digestOf = (digester: Digester["Service"], algorithm: Algorithm, bytes: Uint8Array): string => {
  const hasher = digester.start(algorithm)
  hasher.update(bytes)
  return hasher.digest()
}
