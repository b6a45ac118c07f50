/** eq, lt and their kin on template values: kinds must agree (text/template, funcs.go). */
import { compareBytes } from "../Utf8.ts"
import { display, GoFloat, type GoValue, type Kind, kindOf, typeName } from "./GoValue.ts"
import { sprintf } from "./printf.ts"
import { FunctionFault } from "./TemplateFault.ts"

const numberOf = (value: GoValue): number | bigint =>
  value instanceof GoFloat ? value.value : typeof value === "number" || typeof value === "bigint" ? value : Number.NaN

const basic: ReadonlyArray<Kind> = ["bool", "int", "float", "string"]

const equalPair = (left: GoValue, right: GoValue): boolean => {
  const [kind, other] = [kindOf(left), kindOf(right)]
  if (kind === "nil" || other === "nil") return kind === other
  if (kind !== other) {
    if (basic.includes(kind) || basic.includes(other)) throw new FunctionFault("incompatible types for comparison")
    throw new FunctionFault(
      `non-comparable types ${sprintf("%s", [left])}: ${typeName(left)}, ${typeName(right)}: ${display(right)}`
    )
  }
  // Ints may be numbers or bigints
  if (kind === "int" || kind === "float") return numberOf(left) == numberOf(right)
  if (basic.includes(kind) || kind === "struct") return left === right
  throw new FunctionFault(`non-comparable type ${sprintf("%s", [right])}: ${typeName(right)}`)
}

/** Whether `first` equals any of the others, of which there must be one. */
export const equals = (first: GoValue, others: ReadonlyArray<GoValue>): boolean => {
  if (others.length === 0) throw new FunctionFault("missing argument for comparison")
  return others.some((other) => equalPair(first, other))
}

/** Negative, zero or positive; NaN where a float is no number. */
export const compareOrder = (left: GoValue, right: GoValue): number => {
  const [kind, other] = [kindOf(left), kindOf(right)]
  if (!basic.includes(kind) || !basic.includes(other)) throw new FunctionFault("invalid type for comparison")
  if (kind !== other) throw new FunctionFault("incompatible types for comparison")
  if (kind === "bool") throw new FunctionFault("invalid type for comparison")
  if (typeof left === "string" && typeof right === "string") return compareBytes(left, right)
  const [a, b] = [numberOf(left), numberOf(right)]
  return a < b ? -1 : a > b ? 1 : a == b ? 0 : Number.NaN
}
