/** The one error of this room: a text that somebody wrote does not say anything we can use. */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** Longer texts are cut in messages: the text is untrusted. */
const shownLength = 200

export class TextError extends Data.TaggedError("TextError")<{
  /** What was being done with the text, e.g. `parse ulimit`. */
  readonly operation: string
  /** The text itself. */
  readonly object: string
  /**
   * What is wrong with it, in docker's words where docker has some: stands alone after `invalid
   * argument "x" for "--flag" flag: `.
   */
  readonly cause: string
  /** What to write instead. */
  readonly cure: string
  readonly message: string
}> {}

const shown = (text: string): string =>
  JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text)

export const textError = (operation: string, object: string, cause: string, cure: string): TextError =>
  new TextError({ operation, object, cause, cure, message: `cannot ${operation} ${shown(object)}: ${cause}; ${cure}` })

/** A failed result, for early returns. */
export const refuse = (
  operation: string, object: string, cause: string, cure: string
): Result.Result<never, TextError> => Result.fail(textError(operation, object, cause, cure))
