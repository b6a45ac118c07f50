/** The functions of templates: Go's own (text/template, funcs.go) and those docker adds (docker/cli, templates). */
import { encodeGoJson } from "../GoJson.ts"
import { isPrintable } from "../goQuote.ts"
import { byteAt, byteLength, sliceBytes } from "../Utf8.ts"
import { compareOrder, equals } from "./compare.ts"
import { type GoValue, isArray, isInteger, isMap, isTrue, lengthOf, typeName } from "./GoValue.ts"
import { sprint, sprintf, sprintln } from "./printf.ts"
import { FunctionFault } from "./TemplateFault.ts"

/** What a parameter takes; `any` is checked by the function. */
export type Parameter = "any" | "string" | "int" | "strings"

export interface TemplateFunction {
  readonly parameters: ReadonlyArray<Parameter>
  /** What further arguments are, if there may be any. */
  readonly rest?: Parameter
  readonly call: (values: ReadonlyArray<any>) => GoValue
}

const fault = (reason: string): never => {
  throw new FunctionFault(reason)
}

const indexNumber = (index: GoValue, limit: number): number => {
  if (index === null || index === undefined) return fault("cannot index slice/array with nil")
  if (!isInteger(index)) return fault(`cannot index slice/array with type ${typeName(index)}`)
  return index < 0 || index > limit ? fault(`index out of range: ${index}`) : Number(index)
}

const indexOnce = (item: GoValue, index: GoValue, depth: number): GoValue => {
  if (item === null || item === undefined) return fault(depth === 0 ? "index of untyped nil" : "index of nil pointer")
  if (typeof item === "string") return byteAt(item, indexNumber(index, byteLength(item) - 1))
  if (isArray(item)) return item[indexNumber(index, item.length - 1)]
  if (!isMap(item)) return fault(`can't index item of type ${typeName(item)}`)
  if (index === null || index === undefined) return fault("value is nil; should be of type string")
  if (typeof index !== "string") return fault(`value has type ${typeName(index)}; should be string`)
  return Object.hasOwn(item, index) ? item[index] : undefined
}

const indexAll = (item: GoValue, indexes: ReadonlyArray<GoValue>): GoValue =>
  indexes.reduce((found, index, depth) => indexOnce(found, index, depth), item)

const slice = ([item, ...indexes]: ReadonlyArray<GoValue>): GoValue => {
  if (item === null || item === undefined) return fault("slice of untyped nil")
  if (indexes.length > 3) return fault(`too many slice indexes: ${indexes.length}`)
  if (typeof item === "string" && indexes.length === 3) return fault("cannot 3-index slice a string")
  if (typeof item !== "string" && !isArray(item)) return fault(`can't slice item of type ${typeName(item)}`)
  const length = lengthOf(item) ?? 0
  const [start = 0, end = length, capacity = length] = indexes.map((index) => indexNumber(index, length))
  if (start > end) return fault(`invalid slice index: ${start} > ${end}`)
  if (end > capacity) return fault(`invalid slice index: ${end} > ${capacity}`)
  return typeof item === "string" ? sliceBytes(item, start, end) : item.slice(start, end)
}

const length = (item: GoValue): GoValue => {
  if (item === null || item === undefined) return fault("len of nil pointer")
  return lengthOf(item) ?? fault(`len of type ${typeName(item)}`)
}

const replaceCharacters = (text: string, pattern: RegExp, escape: (character: string) => string): string =>
  text.replace(pattern, escape)

/** The text that the escaping functions escape: nil is what an action would print. */
const printable = (values: ReadonlyArray<GoValue>): string => sprint(values.map((value) => value ?? "<no value>"))

/** HTMLEscapeString; NUL becomes U+FFFD. */
const escapeHtml = (text: string): string =>
  replaceCharacters(text, /["'&<>\0]/g, (character) => character === "\0" ? "\ufffd" : `&${
    ({ "\"": "#34", "'": "#39", "&": "amp", "<": "lt", ">": "gt" } as Record<string, string>)[character] ?? ""
  };`)

/** JSEscapeString */
const escapeScript = (text: string): string =>
  replaceCharacters(text, /[\\'"<>&=\0-\x1f]|[^\0-\x7f]/gu, (character) => {
    if (character === "\\" || character === "'" || character === "\"") return `\\${character}`
    if (character > "\x7f" && isPrintable(character)) return character
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
  })

/** url.QueryEscape */
const escapeQuery = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/%20/g, "+")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** Upper or lower case character by character: what would become two characters stays as it is. */
const mapCase = (text: string, change: (character: string) => string): string =>
  Array.from(text, (character) => {
    const changed = change(character)
    return Array.from(changed).length === 1 ? changed : character
  }).join("")

const toUpper = (character: string): string => character.toUpperCase()

/** strings.Title: letters after anything that is neither letter, digit nor underscore. */
const title = (text: string): string => {
  let previous = " "
  return mapCase(text, (character) => {
    const begins = /[\s\0-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]/u.test(previous)
    previous = character
    return begins ? character.toUpperCase() : character
  })
}

/** strings.Split; an empty separator splits between characters. */
const split = (text: string, separator: string): GoValue => separator === "" ? Array.from(text) : text.split(separator)

/** docker/cli, templates.go: only what is not empty is padded. */
const padText = (text: string, before: number, after: number): string => {
  if (text === "") return text
  if (before < 0 || after < 0) return fault("strings: negative Repeat count")
  if (before > 10_000 || after > 10_000) return fault("padding beyond 10000")
  return " ".repeat(before) + text + " ".repeat(after)
}

const truncate = (text: string, bytes: number): string => {
  if (byteLength(text) < bytes) return text
  return bytes < 0 ? fault(`slice bounds out of range [:${bytes}]`) : sliceBytes(text, 0, bytes)
}

const order = (test: (comparison: number) => boolean): TemplateFunction => ({
  parameters: ["any", "any"], call: ([left, right]) => test(compareOrder(left, right))
})

/** Of `and` and `or` only the signatures: the evaluator stops at the argument that decides. */
const functions: { readonly [name: string]: TemplateFunction } = {
  and: { parameters: ["any"], rest: "any", call: (values) => values.at(-1) },
  or: { parameters: ["any"], rest: "any", call: (values) => values.at(-1) },
  not: { parameters: ["any"], call: ([value]) => !isTrue(value) },
  eq: { parameters: ["any"], rest: "any", call: ([first, ...others]) => equals(first, others) },
  ne: { parameters: ["any", "any"], call: ([left, right]) => !equals(left, [right]) },
  lt: order((comparison) => comparison < 0),
  le: order((comparison) => comparison <= 0),
  gt: order((comparison) => !(comparison <= 0)),
  ge: order((comparison) => !(comparison < 0)),
  index: { parameters: ["any"], rest: "any", call: ([item, ...indexes]) => indexAll(item, indexes) },
  slice: { parameters: ["any"], rest: "any", call: slice },
  len: { parameters: ["any"], call: ([item]) => length(item) },
  print: { parameters: [], rest: "any", call: sprint },
  println: { parameters: [], rest: "any", call: sprintln },
  printf: { parameters: ["string"], rest: "any", call: ([format, ...values]) => sprintf(format, values) },
  html: { parameters: [], rest: "any", call: (values) => escapeHtml(printable(values)) },
  js: { parameters: [], rest: "any", call: (values) => escapeScript(printable(values)) },
  urlquery: { parameters: [], rest: "any", call: (values) => escapeQuery(printable(values)) },
  json: { parameters: ["any"], call: ([value]) => encodeGoJson(value) },
  split: { parameters: ["string", "string"], call: ([text, separator]) => split(text, separator) },
  join: { parameters: ["strings", "string"], call: ([parts, separator]) => parts.join(separator) },
  title: { parameters: ["string"], call: ([text]) => title(text) },
  lower: { parameters: ["string"], call: ([text]) => mapCase(text, (character) => character.toLowerCase()) },
  upper: { parameters: ["string"], call: ([text]) => mapCase(text, toUpper) },
  pad: { parameters: ["string", "int", "int"], call: ([text, before, after]) => padText(text, before, after) },
  truncate: { parameters: ["string", "int"], call: ([text, bytes]) => truncate(text, bytes) }
}

/** docker/cli, templates.go, HeaderFunctions: a heading stays as it is, but padding holds for it too. */
const headerFunctions: { readonly [name: string]: TemplateFunction } = {
  json: { parameters: ["string"], call: ([text]) => text },
  split: { parameters: ["string", "string"], call: ([text]) => text },
  join: { parameters: ["string", "string"], call: ([text]) => text },
  title: { parameters: ["string"], call: ([text]) => text },
  lower: { parameters: ["string"], call: ([text]) => text },
  upper: { parameters: ["string"], call: ([text]) => text },
  truncate: { parameters: ["string", "int"], call: ([text]) => text }
}

/** Undefined where there is no such function. */
export const findFunction = (name: string, forHeader = false): TemplateFunction | undefined =>
  forHeader && Object.hasOwn(headerFunctions, name)
    ? headerFunctions[name]
    : Object.hasOwn(functions, name) ? functions[name] : undefined
