/** Whole numbers as Go's strconv reads them, with its wording for what it cannot read. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "./TextError.ts"

/** strconv.ParseInt and ParseUint; base 0 is the base of Go source: 0x, 0o, 0b, a leading 0, `_` between digits. */
export interface IntegerRange {
  /** What the number is, for the error: `ulimit`, `pids limit`. */
  readonly operation: string
  readonly base?: 0 | 10
  readonly minimum?: bigint
  readonly maximum?: bigint
  readonly signed?: boolean
}

const decimal = /^[+-]?[0-9]+$/
const sourceForms: ReadonlyArray<readonly [RegExp, string]> = [
  [/^0[xX]_?([0-9a-fA-F](_?[0-9a-fA-F])*)$/, "0x"],
  [/^0[bB]_?([01](_?[01])*)$/, "0b"],
  [/^0[oO]_?([0-7](_?[0-7])*)$/, "0o"],
  [/^0_?([0-7](_?[0-7])*)$/, "0o"],
  [/^([0-9]|[1-9](_?[0-9])*)$/, ""]
]

/** The value of a whole number in Go source, or undefined. Not range-checked. */
export const readGoInteger = (text: string): bigint | undefined => {
  const negative = text.startsWith("-")
  const digits = negative || text.startsWith("+") ? text.slice(1) : text
  for (const [form, prefix] of sourceForms) {
    const found = form.exec(digits)?.[1]
    if (found !== undefined) {
      const value = BigInt(prefix + found.replaceAll("_", ""))
      return negative ? -value : value
    }
  }
  return undefined
}

const int64 = { minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n }

/** Longest text that is looked at: any longer one is out of range anyway. */
const longest = 100

/** A signed 64-bit number, by default in Go source form as docker's flags take it (`0x10`, `010` are fine). */
export const parseBigInteger = (text: string, range: IntegerRange): Result.Result<bigint, TextError> => {
  const signed = range.signed ?? true
  const name = signed ? "strconv.ParseInt" : "strconv.ParseUint"
  const fail = (cause: string, cure: string) =>
    refuse(
      `parse ${range.operation}`, text, `${name}: parsing ${JSON.stringify(text.slice(0, longest))}: ${cause}`, cure
    )
  const wellFormed = text.length <= longest && (signed || /^[0-9]/.test(text))
  const value = !wellFormed
    ? undefined
    : range.base === 10 ? (decimal.test(text) ? BigInt(text.replace(/^\+/, "")) : undefined) : readGoInteger(text)
  const minimum = range.minimum ?? (signed ? int64.minimum : 0n)
  const maximum = range.maximum ?? int64.maximum
  if (value === undefined) return fail("invalid syntax", `write a whole number from ${minimum} to ${maximum}`)
  return value < minimum || value > maximum
    ? fail("value out of range", `write a whole number from ${minimum} to ${maximum}`)
    : Result.succeed(value)
}

/** As parseBigInteger, within what a JavaScript number holds exactly (±2⁵³). */
export const parseInteger = (text: string, range: IntegerRange): Result.Result<number, TextError> =>
  Result.map(
    parseBigInteger(text, {
      ...range,
      minimum: range.minimum ?? (range.signed === false ? 0n : BigInt(Number.MIN_SAFE_INTEGER)),
      maximum: range.maximum ?? BigInt(Number.MAX_SAFE_INTEGER)
    }),
    Number
  )
