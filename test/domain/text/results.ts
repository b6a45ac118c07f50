/** Taking results apart in the tests of this room. */
import * as Result from "effect/Result"
import type { TextError } from "../../../src/domain/text/TextError.ts"

export const success = Result.getOrThrow

/** The cause of a failure; a success fails the test. */
export const causeOf = <A>(result: Result.Result<A, TextError>): string => {
  if (Result.isFailure(result)) return result.failure.cause
  throw new Error(`expected a failure, got ${JSON.stringify(result.success)}`)
}
