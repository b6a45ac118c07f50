/**
 * What goes wrong above the kernel: an operation on a container that cannot be done, with the cause and
 * the cure. `kind` decides exit codes and, for the API, status codes.
 */
import * as Schema from "effect/Schema"

export class ContainerError extends Schema.TaggedError<ContainerError>()("ContainerError", {
  /** The command: `create`, `start`, `rm`, … */
  operation: Schema.String,
  /** The container, image or path it was about, as the user named it. */
  object: Schema.String,
  /**
   * `invalid`: bad input. `missing`: no such thing. `conflict`: not in this state, or the name is taken.
   * `failed`: the kernel refused. `command`: the container's program cannot be run; `exitCode` is 126 or 127.
   */
  kind: Schema.Literals(["invalid", "missing", "conflict", "failed", "command"]),
  cause: Schema.String,
  cure: Schema.optionalKey(Schema.String),
  exitCode: Schema.optionalKey(Schema.Int)
}) {
  override get message(): string {
    return this.cure === undefined ? this.cause : `${this.cause}: ${this.cure}`
  }
}
