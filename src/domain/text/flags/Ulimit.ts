/** `--ulimit NAME=SOFT[:HARD]` (go-units, ulimit.go). */
import * as Result from "effect/Result"
import type { Ulimit } from "../../container/ContainerConfig.ts"
import { parseInteger } from "../Integer.ts"
import { refuse, type TextError } from "../TextError.ts"

const operation = "parse ulimit"
const cure = "write NAME=SOFT[:HARD], such as nofile=1024:2048; -1 means unlimited"

/** Names of RLIMIT_* in getrlimit(2), without `as`, which docker does not offer either. */
const names = [
  "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
  "sigpending", "stack"
]

/** Soft and hard limit are equal when only one is given. Values up to 2⁵³; −1 is unlimited. */
export const parseUlimit = (text: string): Result.Result<Ulimit, TextError> => {
  const equals = text.indexOf("=")
  if (equals < 0) return refuse(operation, text, `invalid ulimit argument: ${text}`, cure)
  const name = text.slice(0, equals)
  if (!names.includes(name)) {
    return refuse(operation, text, `invalid ulimit type: ${name}`, `use one of ${names.join(", ")}`)
  }
  const value = text.slice(equals + 1)
  const limits = value.split(":", 3)
  if (limits.length > 2) {
    return refuse(
      operation, text, `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``, cure
    )
  }
  const parsed = limits.map((limit) => parseInteger(limit, { operation: "ulimit", base: 10, minimum: -1n }))
  const [softLimit, hardLimit = softLimit] = parsed
  if (softLimit === undefined || hardLimit === undefined) return refuse(operation, text, "no limit", cure)
  if (Result.isFailure(hardLimit)) return Result.fail(hardLimit.failure)
  if (Result.isFailure(softLimit)) return Result.fail(softLimit.failure)
  const soft = softLimit.success
  const hard = hardLimit.success
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    const detail = soft === -1 ? `soft: -1 (unlimited), hard: ${hard}` : `${soft} > ${hard}`
    return refuse(
      operation, text, `ulimit soft limit must be less than or equal to hard limit: ${detail}`, "raise the hard limit"
    )
  }
  return Result.succeed({ name, soft, hard })
}
