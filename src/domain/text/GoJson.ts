/** JSON as Go's encoding/json writes it: the keys of maps sorted, its own choice of escapes. */
import {
  asFloat, type GoMap, GoMethod, GoStruct, type GoValue, isArray, isMap, sortedKeys, visibleFields
} from "./goTemplate/GoValue.ts"

export interface JsonStyle {
  /** Writes `<`, `>` and `&` as \u003c, \u003e and \u0026: json.Marshal does, docker's `json` function does not. */
  readonly escapeHtml?: boolean
  /** Put before each level, each item on its own line: json.MarshalIndent with an empty prefix. */
  readonly indent?: string
}

/** Levels of nesting, against cycles. */
const deepest = 1000

const shortEscapes: { readonly [character: string]: string } = {
  "\"": "\\\"", "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"
}

const escape = (character: string): string =>
  shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

const plainPattern = /["\\\0-\x1f\u2028\u2029]/g
const htmlPattern = /["\\\0-\x1f<>&\u2028\u2029]/g

/** A JSON string with its quotes. Half of a surrogate pair becomes U+FFFD. */
export const encodeJsonString = (text: string, escapeHtml = false): string => {
  const escaped = text.toWellFormed().replace(escapeHtml ? htmlPattern : plainPattern, escape)
  return `"${escaped}"`
}

interface Frame {
  readonly escapeHtml: boolean
  readonly indent: string
  /** How many containers are open. */
  readonly level: number
}

const lineBreak = (frame: Frame, level: number): string =>
  frame.indent === "" ? "" : `\n${frame.indent.repeat(level)}`

const encodeItems = (open: string, items: ReadonlyArray<string>, close: string, frame: Frame): string => {
  if (items.length === 0) return open + close
  const lines = items.map((item) => lineBreak(frame, frame.level + 1) + item)
  return open + lines.join(",") + lineBreak(frame, frame.level) + close
}

const encodeObject = (keys: ReadonlyArray<string>, map: GoMap, frame: Frame): string => {
  const colon = frame.indent === "" ? ":" : ": "
  const inner = { ...frame, level: frame.level + 1 }
  const items = keys
    .filter((key) => map[key] !== undefined)
    .map((key) => encodeJsonString(key, frame.escapeHtml) + colon + encode(map[key], inner))
  return encodeItems("{", items, "}", frame)
}

const encode = (value: GoValue, frame: Frame): string => {
  if (frame.level > deepest) throw new RangeError("JSON nested too deeply")
  if (value === undefined || value === null || value instanceof GoMethod) return "null"
  if (typeof value === "string") return encodeJsonString(value, frame.escapeHtml)
  const float = asFloat(value)
  if (float !== undefined) return Number.isFinite(float) ? String(float) : "null"
  if (isArray(value)) {
    const inner = { ...frame, level: frame.level + 1 }
    return encodeItems("[", value.map((item) => encode(item, inner)), "]", frame)
  }
  if (value instanceof GoStruct) {
    return value.json === "declared"
      ? encodeObject(visibleFields(value), value.fields, frame)
      : encodeObject([...visibleFields(value)].sort(), value.fields, { ...frame, escapeHtml: true })
  }
  return isMap(value) ? encodeObject(sortedKeys(value), value, frame) : String(value)
}

/** Fields that are `undefined` are left out, as with omitempty; numbers that JSON lacks are null. */
export const encodeGoJson = (value: GoValue, style: JsonStyle = {}): string =>
  encode(value, { escapeHtml: style.escapeHtml ?? false, indent: style.indent ?? "", level: 0 })
