/** What is wrong with a seccomp profile or filter, where, and what its author can do about it. */
import * as Schema from "effect/Schema"

export class SeccompError extends Schema.TaggedError<SeccompError>()("SeccompError", {
  operation: Schema.Literals(["parse the seccomp profile", "compile the seccomp filter"]),
  /** The part at fault, e.g. `architectures` or `syscalls[3] (clone)`. */
  object: Schema.String,
  reason: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation}: ${this.object}: ${this.reason} (${this.hint})`
  }
}
