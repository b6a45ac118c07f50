/** Where `save` and `export` write to: a file that is there whole or not at all, or stdout unless that is a terminal. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { OutputClosed } from "../terminal/Terminal.ts"
import { CommandFailure, refusal } from "./CommandFailure.ts"

interface Words {
  readonly toTerminal: string
  /** What stands before the reason why a file cannot be written. */
  readonly failed: string
}

/** `output`: a path; "" for stdout. */
export const writeArchive = <E, R>(
  data: Stream.Stream<Uint8Array, E, R>, output: string, words: Words
): Effect.Effect<void, E | CommandFailure | OutputClosed, R | Terminal | Surroundings> => Effect.gen(function*() {
  const terminal = yield* Terminal
  const surroundings = yield* Surroundings
  if (output === "") {
    if (terminal.isTerminal("stdout")) return yield* refusal(words.toTerminal)
    return yield* Stream.runForEach(data, print)
  }
  return yield* surroundings.writeStream(output, data).pipe(
    Effect.mapError((error) => error instanceof CommandFailure ? refusal(`${words.failed}: ${error.message}`) : error)
  )
})
