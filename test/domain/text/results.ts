/** Taking results apart in the tests of this room. */
import * as Result from "effect/Result"

export const success = Result.getOrThrow

/** The cause of a failure; a success fails the test. */
export const causeOf = <A>(result: Result.Result<A, { readonly cause: string }>): string => {
  if (Result.isFailure(result)) return result.failure.cause
  throw new Error(`expected a failure, got ${JSON.stringify(result.success)}`)
}
