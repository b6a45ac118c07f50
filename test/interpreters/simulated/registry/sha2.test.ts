import { createHash } from "node:crypto"
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { digestBytes } from "../../../../src/interpreters/simulated/registry/sha2.ts"

it("SHA-256 and SHA-512 agree with those of Node for contents of every length around a block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("sha256" as const, "sha512" as const), (content, algorithm) => {
      assert.strictEqual(digestBytes(content, algorithm), `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`)
    }),
    { numRuns: 600 }
  )
})
