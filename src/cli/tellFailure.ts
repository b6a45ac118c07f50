/** The end of a command that failed: words on stderr and an exit status. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Described } from "./argv/usage.ts"
import { usageHint } from "./argv/usage.ts"
import { type CommandError, describe } from "./commands/CommandFailure.ts"
import { program } from "./program.ts"
import { complain } from "./terminal/print.ts"
import type { Terminal } from "./terminal/Terminal.ts"

const tell = (described: Described, error: CommandError): Effect.Effect<number, never, Terminal> => {
  const { exitCode, hint, message } = describe(error)
  const text = `${program}: ${message}${hint ? `\n\n${usageHint(described)}` : ""}`
  return Effect.as(message === "" ? Effect.void : Effect.ignore(complain(text)), exitCode)
}

/** A defect of ours: nothing a user can do about, so all that is known of it is shown. */
const confess = (cause: Cause.Cause<unknown>): Effect.Effect<number, never, Terminal> =>
  Effect.as(Effect.ignore(complain(`${program}: internal error\n${Cause.pretty(cause)}`)), 1)

/** The exit status, whatever happens; only an interruption goes through. */
export const tellFailure = <R>(
  described: Described, run: Effect.Effect<number, CommandError, R>
): Effect.Effect<number, never, R | Terminal> =>
  run.pipe(
    Effect.catch((error) => tell(described, error)),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : confess(cause))
  )
