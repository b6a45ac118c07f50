/** The one error of talking to a registry: which operation on which object failed, why, and what helps. */
import * as Schema from "effect/Schema"

/**
 * `invalid`: what we were asked for, or what we sent, is not well formed. `denied`: credentials are missing, wrong or
 * do not suffice. `missing`: no such repository, tag or blob. `limited`: too many requests. `unavailable`: the
 * registry or the way to it failed, another time it may work. `corrupt`: what came contradicts what was declared.
 * `refused`: the registry asked for something that is not safe. `unsupported`: it does not have this function.
 */
export const RegistryErrorKind = Schema.Literals([
  "invalid", "denied", "missing", "limited", "unavailable", "corrupt", "refused", "unsupported"
])
export type RegistryErrorKind = typeof RegistryErrorKind.Type

export class RegistryError extends Schema.TaggedError<RegistryError>()("RegistryError", {
  /** What was being done, as a verb with its object's kind: `fetch blob`, `push manifest`, … */
  operation: Schema.String,
  /** What it was done to: a reference, a digest with its repository, a registry. */
  object: Schema.String,
  kind: RegistryErrorKind,
  cause: Schema.String,
  cure: Schema.String,
  /** The response's status, where there was a response. */
  status: Schema.optionalKey(Schema.Int),
  /** The registry's own word for it: `MANIFEST_UNKNOWN`, `TOOMANYREQUESTS`, … */
  code: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return `cannot ${this.operation} ${this.object}: ${this.cause}; ${this.cure}`
  }
}

/** What an error is about; the rest is found out where it happens. */
export interface Subject {
  readonly operation: string
  readonly object: string
}

export const registryError = (
  subject: Subject, kind: RegistryErrorKind, cause: string, cure: string,
  response: { readonly status?: number; readonly code?: string } = {}
): RegistryError =>
  new RegistryError({
    operation: subject.operation, object: subject.object, kind, cause, cure,
    ...(response.status === undefined ? {} : { status: response.status }),
    ...(response.code === undefined ? {} : { code: response.code })
  })
