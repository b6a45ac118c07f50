/** `--cpus` and the other numbers of the resource flags. */
import * as Result from "effect/Result"
import { parseInteger } from "../Integer.ts"
import { refuse, type TextError } from "../TextError.ts"

const operation = "parse cpus"
const cure = "write a number such as 1.5, with at most nine decimals"

/** Longest text looked at, and largest power of ten: numbers beyond are no counts of CPUs. */
const longest = 40
const largestExponent = 30

/** `1.5`, `.5`, `2e-3`, `1/2` → numerator and denominator. */
const readRational = (text: string): readonly [numerator: bigint, denominator: bigint] | undefined => {
  const fraction = /^([+-]?[0-9]+)\/([0-9]+)$/.exec(text)
  if (fraction !== null) {
    const denominator = BigInt(fraction[2] ?? "0")
    return denominator === 0n ? undefined : [BigInt((fraction[1] ?? "0").replace(/^\+/, "")), denominator]
  }
  const decimal = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  if (decimal === null) return undefined
  const [, sign, integer = "", decimals = "", exponentText = "0"] = decimal
  const exponent = Number(exponentText) - decimals.length
  if (integer + decimals === "" || Math.abs(exponent) > largestExponent) return undefined
  const digits = BigInt(`${integer}${decimals}`) * (sign === "-" ? -1n : 1n)
  return exponent < 0 ? [digits, 10n ** BigInt(-exponent)] : [digits * 10n ** BigInt(exponent), 1n]
}

/** CPUs × 10⁹, exactly: `0.1` is 100,000,000. Fails on what is negative or needs more than nine decimals. */
export const parseCpus = (text: string): Result.Result<number, TextError> => {
  const rational = text.length > longest ? undefined : readRational(text)
  if (rational === undefined) {
    return refuse(operation, text, `failed to parse ${text.slice(0, 100)} as a rational number`, cure)
  }
  const [numerator, denominator] = rational
  const nano = numerator * 1_000_000_000n
  if (nano % denominator !== 0n) return refuse(operation, text, "value is too precise", cure)
  const value = nano / denominator
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    return refuse(operation, text, "value out of range", "write a number of CPUs that the host has")
  }
  return Result.succeed(Number(value))
}

/** `--memory-swappiness`: 0 to 100, or −1 to leave it as it is. */
export const parseMemorySwappiness = (text: string): Result.Result<number, TextError> =>
  Result.flatMap(parseInteger(text, { operation: "memory swappiness" }), (value) =>
    value >= -1 && value <= 100 ? Result.succeed(value) : refuse(
      "parse memory swappiness", text, `invalid value: ${value}. Valid memory swappiness range is 0-100`, "use 0 to 100"
    ))

/** `--pids-limit`: −1 for no limit. */
export const parsePidsLimit = (text: string): Result.Result<number, TextError> =>
  parseInteger(text, { operation: "pids limit", minimum: -1n })

/** `--oom-score-adj`; the range is the kernel's (proc_pid_oom_score_adj(5)). */
export const parseOomScoreAdjustment = (text: string): Result.Result<number, TextError> =>
  Result.flatMap(parseInteger(text, { operation: "OOM score adjustment" }), (value) =>
    value >= -1000 && value <= 1000 ? Result.succeed(value) : refuse(
      "parse OOM score adjustment", text, `Invalid value ${value}, range for oom score adj is [-1000, 1000]`,
      "use -1000 to 1000"
    ))
