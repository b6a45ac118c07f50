/** What `load` and `import` read: a file of the user's. One that cannot be read is a plain failure. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Surroundings } from "../terminal/Surroundings.ts"
import { type CommandFailure, refusal } from "./CommandFailure.ts"

export const readArchive = (path: string): Effect.Effect<Stream.Stream<Uint8Array, CommandFailure>, never, Surroundings> =>
  Effect.map(Surroundings, (surroundings) => Stream.mapError(surroundings.streamFile(path), ({ message }) => refusal(message)))
