/** What is wrong with a request about control groups, and what the one who made it can do about it. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export class CgroupError extends Schema.TaggedError<CgroupError>()("CgroupError", {
  /** What was being done, as an infinitive: `use the cgroup parent`, `freeze the container`. */
  operation: Schema.String,
  /** The text or path at fault. */
  object: Schema.String,
  reason: Schema.String,
  cure: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation} ${JSON.stringify(this.object)}: ${this.reason}; ${this.cure}`
  }
}

/** Longer texts are cut in errors: they are untrusted. */
const shownLength = 200

/** A failed result, for early returns. */
export const refuse = (
  operation: string, object: string, reason: string, cure: string
): Result.Result<never, CgroupError> =>
  Result.fail(new CgroupError({
    operation, reason, cure, object: object.length > shownLength ? `${object.slice(0, shownLength)}…` : object
  }))
