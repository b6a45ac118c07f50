/** Floating-point numbers as Go prints them: C's %e, %f and %g, rounding exact halves to even. */

/**
 * Rounds the decimal `digits` (all significant digits, no point) to `count` digits, half to even.
 * JavaScript's toFixed and toPrecision round halves up, which shows on numbers such as 0.125.
 */
const roundDigits = (digits: string, count: number): { readonly digits: string; readonly carried: boolean } => {
  const kept = digits.slice(0, count)
  const rest = digits.slice(count)
  const last = kept === "" ? 0 : kept.charCodeAt(kept.length - 1) - 48
  const half = "5".padEnd(rest.length, "0")
  const up = rest !== "" && (rest > half || (rest === half && last % 2 === 1))
  if (!up) return { digits: kept, carried: false }
  const raised = (BigInt(kept === "" ? "0" : kept) + 1n).toString().padStart(count, "0")
  return { digits: raised, carried: raised.length > count }
}

/** The most that toExponential gives, one before the point and the rest after it. */
const mostDigits = 100

/** The value is 0.DIGITS × 10^exponent; `digits` is exact as far as a double goes (100 digits). */
const decompose = (value: number): { readonly digits: string; readonly exponent: number } => {
  if (value === 0) return { digits: "0", exponent: 1 }
  const [mantissa = "0", exponent = "0"] = value.toExponential(mostDigits - 1).split("e")
  return { digits: mantissa.replace(".", ""), exponent: Number(exponent) + 1 }
}

const special = (value: number): string | undefined =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : undefined

const isNegative = (value: number): boolean => value < 0 || Object.is(value, -0)

const signed = (value: number, text: string): string => isNegative(value) ? `-${text}` : text

/** `%.Nf`: `fraction` digits after the point. */
export const formatFixed = (value: number, fraction: number): string => {
  const named = special(value)
  if (named !== undefined) return named
  const { digits, exponent } = decompose(Math.abs(value))
  const count = exponent + fraction
  if (count < 0) return signed(value, fraction === 0 ? "0" : `0.${"0".repeat(fraction)}`)
  const rounded = roundDigits(digits.padEnd(count, "0"), count).digits.padStart(fraction + 1, "0")
  const point = rounded.length - fraction
  return signed(value, fraction === 0 ? rounded : `${rounded.slice(0, point)}.${rounded.slice(point)}`)
}

const exponentText = (exponent: number): string =>
  `e${exponent < 0 ? "-" : "+"}${Math.abs(exponent).toString().padStart(2, "0")}`

/** `%.Ne`: `fraction` digits after the point. */
export const formatExponent = (value: number, fraction: number): string => {
  const named = special(value)
  if (named !== undefined) return named
  const { digits, exponent } = decompose(Math.abs(value))
  const rounded = roundDigits(digits.padEnd(fraction + 1, "0"), fraction + 1)
  const shift = rounded.carried ? 1 : 0
  const mantissa = rounded.digits.slice(0, fraction + 1)
  const point = fraction === 0 ? mantissa : `${mantissa.slice(0, 1)}.${mantissa.slice(1)}`
  return signed(value, point + exponentText(exponent - 1 + shift))
}

/** Lays out significant `digits` as %g does: without trailing zeros, with an exponent when far from 1. */
const layOut = (digits: string, exponent: number, threshold: number): string => {
  const significant = digits.replace(/0+$/, "") || "0"
  if (exponent - 1 < -4 || exponent - 1 >= threshold) {
    const fraction = significant.length > 1 ? `.${significant.slice(1)}` : ""
    return significant.slice(0, 1) + fraction + exponentText(exponent - 1)
  }
  if (exponent <= 0) return `0.${"0".repeat(-exponent)}${significant}`
  if (significant.length <= exponent) return significant.padEnd(exponent, "0")
  return `${significant.slice(0, exponent)}.${significant.slice(exponent)}`
}

/**
 * From this power of ten on the shortest form has an exponent: strconv, ftoa.go, "use precision 6
 * for this decision".
 */
const shortestThreshold = 6

/** `%.Ng`, or `%g` with the fewest digits that say the number exactly when `precision` is left out. */
export const formatGeneral = (value: number, precision?: number): string => {
  const named = special(value)
  if (named !== undefined) return named
  if (value === 0) return signed(value, "0")
  if (precision === undefined) {
    const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e")
    return signed(value, layOut(mantissa.replace(".", ""), Number(exponent) + 1, shortestThreshold))
  }
  const count = Math.max(precision, 1)
  const { digits, exponent } = decompose(Math.abs(value))
  const rounded = roundDigits(digits.padEnd(count, "0"), count)
  return signed(value, layOut(rounded.digits.slice(0, count), exponent + (rounded.carried ? 1 : 0), count))
}
