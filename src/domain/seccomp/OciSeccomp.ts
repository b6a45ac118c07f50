/**
 * `linux.seccomp` of the OCI runtime specification (config-linux.md, "Seccomp"): what `compile` takes, whether it
 * comes from a Docker profile or straight from a config.json.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { SeccompError } from "./SeccompError.ts"

export const SeccompAction = Schema.Literals([
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY"
])
export type SeccompAction = typeof SeccompAction.Type

export const SeccompOperator = Schema.Literals([
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ"
])
export type SeccompOperator = typeof SeccompOperator.Type

/** An unsigned 64-bit number: a bigint where a number would not be exact. See `ociSeccompJson`. */
const Unsigned64 = Schema.Union([
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 0xffff_ffff_ffff_ffffn }))
])

/** SECCOMP_RET_DATA is 16 bits wide: linux/seccomp.h. */
export const ErrnoReturn = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff }))

export const SeccompArgument = Schema.Struct({
  /** Which of the six arguments. */
  index: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
  value: Unsigned64,
  /** For SCMP_CMP_MASKED_EQ, where `value` is the mask: the argument under the mask must equal this. */
  valueTwo: Schema.optionalKey(Unsigned64),
  op: SeccompOperator
})
export type SeccompArgument = typeof SeccompArgument.Type

const OciSyscall = Schema.Struct({
  names: Schema.Array(Schema.String),
  action: SeccompAction,
  errnoRet: Schema.optionalKey(ErrnoReturn),
  /** All must hold; but if two are about the same argument, any one of them: see SyscallRules.ts. */
  args: Schema.optionalKey(Schema.Array(SeccompArgument))
})

export const OciSeccomp = Schema.Struct({
  defaultAction: SeccompAction,
  defaultErrnoRet: Schema.optionalKey(ErrnoReturn),
  /** SCMP_ARCH_ names; the host's own architecture is always meant too. */
  architectures: Schema.optionalKey(Schema.Array(Schema.String)),
  /** SECCOMP_FILTER_FLAG_ names. Absent is not empty: see `compile`. */
  flags: Schema.optionalKey(Schema.Array(Schema.String)),
  listenerPath: Schema.optionalKey(Schema.String),
  listenerMetadata: Schema.optionalKey(Schema.String),
  syscalls: Schema.optionalKey(Schema.Array(OciSyscall))
})
export type OciSeccomp = typeof OciSeccomp.Type

/** Checks `linux.seccomp` as found in a config.json. */
export const decodeOciSeccomp = (input: unknown): Result.Result<OciSeccomp, SeccompError> =>
  Result.mapError(Schema.decodeUnknownResult(OciSeccomp)(input), (error) =>
    new SeccompError({
      operation: "parse the seccomp profile",
      object: "linux.seccomp",
      reason: error.message,
      hint: "see config-linux.md of the OCI runtime specification, section Seccomp"
    }))

/** As JSON text, 64-bit numbers exact: JSON.stringify alone throws at a bigint. */
export const ociSeccompJson = (seccomp: OciSeccomp): string => {
  const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }
  return JSON.stringify(seccomp, (_key, value) => typeof value === "bigint" ? rawJSON(String(value)) : value)
}
