/** Amounts of bytes as docker reads and prints them (go-units, size.go). */
import * as Result from "effect/Result"
import { formatGeneral } from "./FloatText.ts"
import { refuse, type TextError } from "./TextError.ts"

const operation = "parse size"
const cure = "write a number with an optional unit b, k, m, g, t or p, such as 512m or 1.5g"

/** Powers of 1024 by unit letter. */
const powers = "bkmgtp"

const numberForm = /^\+?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?$/

/** Past any digit, point or space comes the unit. */
const splitUnit = (text: string): readonly [number: string, unit: string] => {
  let end = text.length
  while (end > 0 && !/[0-9. ]/.test(text.charAt(end - 1))) end--
  return [text.slice(0, text.charAt(end - 1) === " " ? end - 1 : end), text.slice(end)]
}

/** `k`, `kb` and `kib` are all 1024; `b` and nothing are 1. */
const multiplier = (unit: string): number | undefined => {
  if (unit === "") return 1
  if (!/^(b|[kmgtp](i?b)?)$/.test(unit)) return undefined
  return 1024 ** powers.indexOf(unit.charAt(0))
}

/**
 * `512m`, `1.5g`, `1GiB`, `1024` → bytes, rounded down. Units are powers of 1024 whatever their spelling.
 * Fails on negative amounts and on those a number cannot hold exactly (2⁵³).
 */
export const parseByteSize = (text: string): Result.Result<number, TextError> => {
  const shown = text.slice(0, 100)
  const [number, unit] = splitUnit(text)
  if (number === "" || text.startsWith("-")) return refuse(operation, text, `invalid size: '${shown}'`, cure)
  if (!numberForm.test(number)) {
    return refuse(
      operation, text, `strconv.ParseFloat: parsing ${JSON.stringify(number.slice(0, 100))}: invalid syntax`, cure
    )
  }
  const factor = multiplier(unit.toLowerCase())
  if (factor === undefined) return refuse(
    operation, text, `invalid suffix: '${unit.toLowerCase().slice(0, 100)}'`, cure
  )
  const bytes = Math.trunc(Number(number.replaceAll("_", "")) * factor)
  return Number.isSafeInteger(bytes)
    ? Result.succeed(bytes)
    : refuse(operation, text, `invalid size: '${shown}': value out of range`, "write an amount below 8p")
}

/** As parseByteSize, and `-1` for "no limit" (--memory-swap). */
export const parseByteLimit = (text: string): Result.Result<number, TextError> =>
  text === "-1" ? Result.succeed(-1) : parseByteSize(text)

const scale = (bytes: number, base: number, units: ReadonlyArray<string>, precision: number): string => {
  let size = bytes
  let index = 0
  while (size >= base && index < units.length - 1) {
    size /= base
    index++
  }
  return formatGeneral(size, precision) + (units[index] ?? "")
}

/** Powers of 1000 with `precision` significant digits: `1.23MB`. docker: 3 for ps and images, 4 elsewhere. */
export const formatDecimalSize = (bytes: number, precision = 4): string =>
  scale(bytes, 1000, ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"], precision)

/** Powers of 1024 with 4 significant digits: `1.5GiB`, as docker stats shows memory. */
export const formatBinarySize = (bytes: number): string =>
  scale(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"], 4)
