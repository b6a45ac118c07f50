/** Go's durations, `1h2m3.5s`: how docker's flags and API write lengths of time. Nanoseconds, as Go counts them. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "./TextError.ts"

const operation = "parse duration"
const cure = "write numbers with units ns, us, ms, s, m or h, such as 1h30m or 500ms"

/** Nanoseconds by unit; both micro signs count, U+00B5 and U+03BC. */
const unitNanoseconds = (unit: string): bigint | undefined => {
  switch (unit) {
    case "ns": return 1n
    case "us": case "µs": case "μs": return 1_000n
    case "ms": return 1_000_000n
    case "s": return 1_000_000_000n
    case "m": return 60_000_000_000n
    case "h": return 3_600_000_000_000n
    default: return undefined
  }
}

const greatest = 2n ** 63n - 1n

/** A number with its unit: everything up to the next digit or point. */
const part = /(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))([^0-9.]*)/y

/** `-1.5h`, `300ms`, `0` → nanoseconds, within ±2⁶³. Wording of time.ParseDuration. */
export const parseDuration = (text: string): Result.Result<bigint, TextError> => {
  const quoted = JSON.stringify(text.slice(0, 100))
  const invalid = refuse(operation, text, `time: invalid duration ${quoted}`, cure)
  if (text.length > 200) return invalid
  const negative = text.startsWith("-")
  let index = negative || text.startsWith("+") ? 1 : 0
  if (text.slice(index) === "0") return Result.succeed(0n)
  if (index === text.length) return invalid
  let total = 0n
  while (index < text.length) {
    part.lastIndex = index
    const found = part.exec(text)
    if (found === null) return invalid
    const [whole, integer = "", fraction = found[3] ?? "", , unit = ""] = found
    if (unit === "") return refuse(operation, text, `time: missing unit in duration ${quoted}`, cure)
    const nanoseconds = unitNanoseconds(unit)
    if (nanoseconds === undefined) {
      return refuse(operation, text, `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`, cure)
    }
    total += BigInt(integer) * nanoseconds
    if (fraction !== "") total += BigInt(fraction) * nanoseconds / 10n ** BigInt(fraction.length)
    if (total > greatest) return refuse(
      operation, text, `time: invalid duration ${quoted}`, "write less than 292 years"
    )
    index += whole.length
  }
  return Result.succeed(negative ? -total : total)
}

/** `count` units with what is left over as decimals, without trailing zeros: 1500, 1000 → "1.5". */
const decimal = (count: bigint, unit: bigint): string => {
  const digits = (count % unit).toString().padStart(unit.toString().length - 1, "0").replace(/0+$/, "")
  return digits === "" ? `${count / unit}` : `${count / unit}.${digits}`
}

/** Nanoseconds → `1h2m3.5s`, `1.5ms`, `0s`, as time.Duration.String. */
export const formatDuration = (nanoseconds: bigint): string => {
  if (nanoseconds < 0n) return `-${formatDuration(-nanoseconds)}`
  if (nanoseconds === 0n) return "0s"
  if (nanoseconds < 1_000n) return `${nanoseconds}ns`
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 1_000n)}µs`
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 1_000_000n)}ms`
  const minutes = nanoseconds / 60_000_000_000n
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}
