/** From an action of the OCI specification to the value by which a filter tells the kernel: seccomp(2). */
import * as Result from "effect/Result"
import type { SeccompAction } from "./OciSeccomp.ts"
import { SeccompError } from "./SeccompError.ts"

/** SECCOMP_RET_ values, linux/seccomp.h; the low 16 bits are data. */
const values = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000
} as const

const operationNotPermitted = 1
const functionNotImplemented = 38

/** The kernel cuts off what is larger: MAX_ERRNO, linux/err.h. */
const largestErrno = 4095

/** What libseccomp, and so runc and crun, do with calls of an architecture that the filter does not list. */
export const unlistedArchitectureVerdict: number = values.SCMP_ACT_KILL_THREAD

export const notImplementedVerdict: number = values.SCMP_ACT_ERRNO | functionNotImplemented

/** Actions after which the call is (or may be) made: runc libcontainer/seccomp/patchbpf/enosys_linux.go. */
export const isPermissive = (action: SeccompAction): boolean =>
  action === "SCMP_ACT_ALLOW" || action === "SCMP_ACT_LOG" || action === "SCMP_ACT_TRACE"

/** `errnoRet` is 1 (EPERM) where the action wants one and none is given. `object`: for the error. */
export const verdict = (
  action: SeccompAction,
  errnoRet: number | undefined,
  object: string
): Result.Result<number, SeccompError> => {
  const refuse = (reason: string, hint: string) =>
    Result.fail(new SeccompError({ operation: "compile the seccomp filter", object, reason, hint }))
  if (action === "SCMP_ACT_NOTIFY") {
    const reason = "SCMP_ACT_NOTIFY needs a listener, which this engine does not have"
    return refuse(reason, "use SCMP_ACT_ERRNO or SCMP_ACT_LOG")
  }
  if (action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE") {
    const data = errnoRet ?? operationNotPermitted
    return action === "SCMP_ACT_ERRNO" && data > largestErrno
      ? refuse(`errnoRet ${data} is no errno`, `the largest is ${largestErrno}`)
      : Result.succeed(values[action] | data)
  }
  // The specification demands an error here (config-linux.md, errnoRet).
  return errnoRet === undefined
    ? Result.succeed(values[action])
    : refuse(`errnoRet is given, but ${action} returns no errno`, "remove errnoRet, or use SCMP_ACT_ERRNO")
}
