/** Hashing in a simulation: simulated registries check digests as real ones do. For small contents. */
import * as Layer from "effect/Layer"
import { joinBytes } from "../../../domain/bytes/joinBytes.ts"
import { sha256, sha512 } from "../../../domain/hash/sha2.ts"
import type { Algorithm } from "../../../domain/image/Digest.ts"
import { Digester, type Hasher } from "../../../programs/registry/Digester.ts"

const startHasher = (algorithm: Algorithm): Hasher => {
  const parts: Array<Uint8Array> = []
  return {
    update: (bytes) => void parts.push(bytes.slice()),
    digest: () => `${algorithm}:${(algorithm === "sha256" ? sha256 : sha512)(joinBytes(parts))}`
  }
}

/** The digest of a content, as in a descriptor. */
export const digestBytes = (content: Uint8Array, algorithm: Algorithm = "sha256"): string => {
  const hasher = startHasher(algorithm)
  hasher.update(content)
  return hasher.digest()
}

export const simulatedDigester: Layer.Layer<Digester> = Layer.succeed(Digester, { start: startHasher })
