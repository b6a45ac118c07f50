/**
 * The one error of both algebras: which operation failed, in which system call, with which errno and
 * on which object. Programs add what the user can do about it.
 */
import * as Schema from "effect/Schema"
import { errnoMeaning } from "./errno.ts"

/** Names of errno values as in errno(3). `ECRASHED` and `ETRACE` are ours: see `faulty` and `replayed`. */
export const Errno = Schema.String.check(Schema.isPattern(/^E[A-Z0-9]+$/))

export class KernelError extends Schema.TaggedError<KernelError>()("KernelError", {
  /** Tag of the KernelOp, or `SupervisorStart/<InitOp>` when the failure happened inside the container. */
  op: Schema.String,
  /** The system call as in the man pages, e.g. `mkdir`, or the library call where there is none. */
  syscall: Schema.String,
  errno: Errno,
  /** The object: most often an absolute host path. */
  path: Schema.optionalKey(Schema.String),
  /** What a user can do about it. */
  hint: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const where = this.path === undefined ? "" : ` ${this.path}`
    const hint = this.hint === undefined ? "" : ` (${this.hint})`
    return `${this.op}: ${this.syscall}${where}: ${errnoMeaning(this.errno)}${hint}`
  }
}
