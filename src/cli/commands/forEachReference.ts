/**
 * One action on several containers or images, as `stop a b c`: all are tried, what succeeds is printed in the order of the
 * command line, and what fails is told at the end.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { EngineError } from "../../programs/Engine.ts"
import { program } from "../program.ts"
import { complain, printLine } from "../terminal/print.ts"
import type { OutputClosed, Terminal } from "../terminal/Terminal.ts"
import type { Services } from "./Command.ts"
import { type CommandError, describe, refusal } from "./CommandFailure.ts"

type Act<E> = (reference: string) => Effect.Effect<string, E, Services>

/** At most this many at a time where several may go on together: docker's number. */
const together = 50

const checkReference = (reference: string): Effect.Effect<void, CommandError> =>
  reference.trim() === "" ? Effect.fail(refusal("invalid container name or ID: value is empty")) : Effect.void

interface Options {
  readonly concurrent: boolean
  /** Failures that are told and yet are none, such as `rm -f` of what is not there. */
  readonly forgives?: (error: CommandError) => boolean
}

/** `act` gives the line to print. The exit status is 1 when one failed. */
export const forEachReference = <E extends CommandError = EngineError>(
  references: ReadonlyArray<string>, act: Act<E>, options: Options
): Effect.Effect<number, OutputClosed, Services | Terminal> => Effect.gen(function*() {
  const outcomes = references.map(() => Deferred.makeUnsafe<string, CommandError>())
  yield* Effect.forEach(references, (reference, index) =>
    Effect.andThen(checkReference(reference), act(reference)).pipe(
      Effect.exit,
      Effect.flatMap((exit) => Deferred.done(outcomes[index]!, exit))
    ), { concurrency: options.concurrent ? together : 1, discard: true }).pipe(Effect.forkScoped)
  const failures: Array<CommandError> = []
  for (const outcome of outcomes) {
    yield* Deferred.await(outcome).pipe(Effect.matchEffect({
      onSuccess: printLine,
      onFailure: (error) => Effect.sync(() => failures.push(error))
    }))
  }
  for (const failure of failures) yield* complain(`${program}: ${describe(failure).message}`)
  return failures.every((failure) => options.forgives?.(failure) === true) ? 0 : 1
  // An interrupted command ends after what it had begun has been taken back
}).pipe(Effect.scoped)
