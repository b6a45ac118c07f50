/**
 * The values that templates work on: JSON, plus the little of Go that JSON cannot say. A plain object is a
 * `map[string]interface {}`: asking for a key it lacks gives "no value". A GoStruct has its fields and no others.
 */
import { byteLength, compareBytes } from "../Utf8.ts"
import { formatGeneral } from "../FloatText.ts"

/**
 * `undefined` is Go's invalid value, which prints as `<no value>`; `null` is nil. Whole numbers
 * within ±2⁵³ are ints, others float64.
 */
export type GoValue =
  | undefined | null | boolean | number | bigint | string
  | GoFloat | GoStruct | GoMethod
  | ReadonlyArray<GoValue>
  | GoMap

export interface GoMap {
  readonly [key: string]: GoValue
}

/** A float64 that may be whole: 2.0 is not 2 to Go. */
export class GoFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** Something callable on a GoStruct, such as `{{.Label "name"}}`. */
export class GoMethod {
  /** Types of the parameters; all of them must be given. */
  readonly parameters: ReadonlyArray<"string">
  readonly call: (...values: ReadonlyArray<string>) => GoValue
  constructor(parameters: ReadonlyArray<"string">, call: (...values: ReadonlyArray<string>) => GoValue) {
    this.parameters = parameters
    this.call = call
  }
}

export class GoStruct {
  /** As errors name it, e.g. `*formatter.ContainerContext`. */
  readonly typeName: string
  /** In order of declaration. A getter is evaluated only when a template asks for it. */
  readonly fields: GoMap
  /**
   * How `json` writes it: `declared` as Go writes structs, `sorted` as docker's table rows write themselves: keys in
   * order and `<`, `>`, `&` escaped.
   */
  readonly json: "declared" | "sorted"
  constructor(typeName: string, fields: GoMap, json: "declared" | "sorted" = "declared") {
    this.typeName = typeName
    this.fields = fields
    this.json = json
  }
}

export const isArray = (value: GoValue): value is ReadonlyArray<GoValue> => Array.isArray(value)

export const isMap = (value: GoValue): value is GoMap =>
  typeof value === "object" && value !== null && !Array.isArray(value) &&
  !(value instanceof GoFloat || value instanceof GoStruct || value instanceof GoMethod)

export const isInteger = (value: GoValue): value is number | bigint =>
  typeof value === "bigint" || Number.isSafeInteger(value)

/** The float64 of a value, or undefined for values that are none. */
export const asFloat = (value: GoValue): number | undefined =>
  value instanceof GoFloat ? value.value : typeof value === "number" && !Number.isSafeInteger(value) ? value : undefined

export const sortedKeys = (map: GoMap): ReadonlyArray<string> => Object.keys(map).sort(compareBytes)

/** Kinds that comparisons tell apart: text/template, funcs.go, basicKind. */
export type Kind = "bool" | "int" | "float" | "string" | "array" | "map" | "struct" | "method" | "nil"

export const kindOf = (value: GoValue): Kind => {
  switch (typeof value) {
    case "boolean": return "bool"
    case "string": return "string"
    case "bigint": return "int"
    case "number": return Number.isSafeInteger(value) ? "int" : "float"
    case "undefined": return "nil"
  }
  if (value === null) return "nil"
  if (value instanceof GoFloat) return "float"
  if (value instanceof GoStruct) return "struct"
  if (value instanceof GoMethod) return "method"
  return Array.isArray(value) ? "array" : "map"
}

/** The name of the type in Go, as `%T` and errors give it. */
export const typeName = (value: GoValue): string => {
  switch (kindOf(value)) {
    case "float": return "float64"
    case "array": return "[]interface {}"
    case "map": return "map[string]interface {}"
    case "struct": return value instanceof GoStruct ? value.typeName : "struct"
    case "method": return "func"
    case "nil": return "<nil>"
    case "bool": return "bool"
    case "int": return "int"
    case "string": return "string"
  }
}

/** What `if` thinks of it: zero, "", empty and nil are false, a struct is always true. */
export const isTrue = (value: GoValue): boolean => {
  if (value instanceof GoFloat) return value.value !== 0
  if (isArray(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return Boolean(value) || Number.isNaN(value)
}

/** What `len` says, or undefined for values without a length. */
export const lengthOf = (value: GoValue): number | undefined =>
  typeof value === "string"
    ? byteLength(value)
    : isArray(value) ? value.length : isMap(value) ? Object.keys(value).length : undefined

/** `%v`; nil is `<nil>`. */
export const display = (value: GoValue): string => {
  if (value === undefined || value === null) return "<nil>"
  const float = asFloat(value)
  if (float !== undefined) return formatGeneral(float)
  if (isArray(value)) return `[${value.map(display).join(" ")}]`
  if (value instanceof GoStruct) return `{${visibleFields(value).map((key) => display(value.fields[key])).join(" ")}}`
  if (value instanceof GoMethod) return "func"
  if (isMap(value)) return `map[${sortedKeys(value).map((key) => `${key}:${display(value[key])}`).join(" ")}]`
  return String(value)
}

/** Fields that hold data, not methods. */
export const visibleFields = (struct: GoStruct): ReadonlyArray<string> =>
  Object.keys(struct.fields).filter((key) => !(struct.fields[key] instanceof GoMethod))
