/** Hashing by OpenSSL. */
import * as Layer from "effect/Layer"
import { Digester } from "../../../programs/registry/Digester.ts"

export const layer: Layer.Layer<Digester> = Layer.succeed(Digester, {
  start: (algorithm) => {
    const hash = process.getBuiltinModule("node:crypto").createHash(algorithm)
    return {
      update: (bytes) => void hash.update(bytes),
      digest: () => `${algorithm}:${hash.digest("hex")}`
    }
  }
})
