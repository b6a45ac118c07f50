/** What other engine processes do in the laws, by name: the same program in a simulated process and in a real one. */
import * as Effect from "effect/Effect"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { type Kernel, perform } from "../../src/programs/Kernel.ts"

export const strangers = {
  /** Takes the lock on a file and keeps it. */
  holdsLock: (path: string) => perform("LockAcquire", { path, shared: false }),
  /** Brings the first half of a content into a file, and keeps the file open. */
  bringsHalf: (path: string) =>
    Effect.flatMap(perform("BlobOpen", { path, algorithm: "sha256" }), ({ blob }) =>
      perform("BlobAppend", { blob, data: new TextEncoder().encode("the first half, ") })),
  /** Starts a container and keeps the channel to its supervisor. */
  startsContainer: (reference: string) => Effect.flatMap(Engine, (engine) => engine.start(reference)),
  /** Writes a record under the revision 0. */
  putsRecord: (key: string) => perform("RecordPut", { collection: "images", key, revision: 0, name: key, value: "{}" })
} satisfies { readonly [name: string]: (argument: string) => Effect.Effect<unknown, EngineError, Engine | Kernel> }

export type StrangerName = keyof typeof strangers
