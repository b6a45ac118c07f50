/** print, println and printf over template values: Go's fmt package as far as JSON values need it. */
import { formatExponent, formatFixed, formatGeneral } from "../FloatText.ts"
import { isPrintable, quoteGo, quoteGoCharacter } from "../goQuote.ts"
import {
  asFloat, display, GoFloat, GoStruct, type GoValue, isArray, isInteger, isMap, sortedKeys, typeName, visibleFields
} from "./GoValue.ts"
import { FunctionFault } from "./TemplateFault.ts"

/** fmt/print.go, tooLarge: widths and precisions beyond are taken for mistakes. Ours is smaller. */
const largestWidth = 10_000

interface Directive {
  readonly verb: string
  readonly plus: boolean
  readonly minus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

const isText = (value: GoValue): boolean => typeof value === "string"

/** `print`: spaces only between operands of which neither is a string. */
export const sprint = (values: ReadonlyArray<GoValue>): string =>
  values.map((value, index) =>
    index > 0 && !isText(value) && !isText(values[index - 1]) ? ` ${display(value)}` : display(value)
  ).join("")

/** `println`: spaces between all operands, a line feed after. */
export const sprintln = (values: ReadonlyArray<GoValue>): string => `${values.map(display).join(" ")}\n`

const characterCount = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

const pad = (text: string, directive: Directive): string => {
  const missing = (directive.width ?? 0) - characterCount(text)
  if (missing <= 0) return text
  if (directive.minus) return text + " ".repeat(missing)
  return (directive.zero ? "0" : " ").repeat(missing) + text
}

/** Zeros go between the sign and the digits. */
const padNumber = (sign: string, digits: string, directive: Directive): string => {
  if (!directive.zero || directive.minus) return pad(sign + digits, { ...directive, zero: false })
  return sign + digits.padStart((directive.width ?? 0) - sign.length, "0")
}

const signOf = (negative: boolean, directive: Directive): string =>
  negative ? "-" : directive.plus ? "+" : directive.space ? " " : ""

/** A verb that does not fit: the value stays readable, and keeps the width it was to have. */
const unknownVerb = (value: GoValue, directive: Directive): string =>
  value === undefined || value === null
    ? `%!${directive.verb}(<nil>)`
    : `%!${directive.verb}(${typeName(value)}=${formatValue(value, { ...directive, verb: "v" }, 0)})`

const bases: { readonly [verb: string]: readonly [radix: number, prefix: string] } = {
  v: [10, ""], d: [10, ""], b: [2, "0b"], o: [8, "0"], O: [8, "0o"], x: [16, "0x"], X: [16, "0X"]
}

const formatCharacter = (value: number | bigint, directive: Directive): string => {
  const code = Number(value)
  const valid = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
  const character = valid ? String.fromCodePoint(code) : "\ufffd"
  if (directive.verb === "c") return pad(character, directive)
  if (directive.verb === "q") return pad(quoteGoCharacter(character, directive.plus), directive)
  const hex = BigInt.asUintN(64, BigInt(value)).toString(16).toUpperCase()
  const digits = hex.padStart(Math.max(4, directive.precision ?? 4), "0")
  const shown = directive.sharp && isPrintable(character) ? ` '${character}'` : ""
  return pad(`U+${digits}${shown}`, { ...directive, zero: false })
}

const formatInteger = (value: number | bigint, directive: Directive): string => {
  const { precision, sharp, verb } = directive
  if (verb === "c" || verb === "q" || verb === "U") return formatCharacter(value, directive)
  const base = bases[verb]
  if (base === undefined) return unknownVerb(value, directive)
  const [radix, prefix] = base
  const magnitude = (value < 0 ? -value : value).toString(radix)
  const digits = (verb === "X" ? magnitude.toUpperCase() : magnitude).padStart(precision ?? 0, "0")
  const shown = precision === 0 && value == 0 ? "" : digits
  const prefixed = verb === "O" || sharp ? prefix : ""
  const sign = signOf(value < 0, directive)
  return precision === undefined
    ? padNumber(sign + prefixed, shown, directive)
    : pad(sign + prefixed + shown, { ...directive, zero: false })
}

const floatDigits = (value: number, { precision, verb }: Directive): string | undefined => {
  switch (verb) {
    case "e": case "E": return formatExponent(value, precision ?? 6)
    case "f": case "F": return formatFixed(value, precision ?? 6)
    case "v": case "g": case "G": return formatGeneral(value, precision)
    default: return undefined
  }
}

const formatFloat = (value: number, directive: Directive): string => {
  const text = floatDigits(value, directive)
  if (text === undefined) return unknownVerb(new GoFloat(value), directive)
  const negative = text.startsWith("-")
  const digits = text.replace(/^[+-]/, "")
  const shown = /[EG]/.test(directive.verb) ? digits.toUpperCase() : digits
  const finite = Number.isFinite(value)
  const sign = signOf(negative, text === "+Inf" ? { ...directive, plus: true } : directive)
  return padNumber(sign, shown, finite ? directive : { ...directive, zero: false })
}

const hexOf = (text: string, { precision, sharp, space, verb }: Directive): string => {
  const encoded = new TextEncoder().encode(text).subarray(0, precision)
  const bytes = Array.from(encoded, (byte) => byte.toString(16).padStart(2, "0"))
  const prefix = sharp ? "0x" : ""
  const hex = space ? bytes.map((byte) => prefix + byte).join(" ") : (bytes.length === 0 ? "" : prefix) + bytes.join("")
  return verb === "X" ? hex.toUpperCase() : hex
}

const formatText = (value: string, directive: Directive): string => {
  const { precision, sharp, verb } = directive
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join("")
  switch (verb) {
    case "v": return pad(sharp ? quoteGo(cut) : cut, directive)
    case "s": return pad(cut, directive)
    case "q": {
      const plain = (character: string) => character === "\t" || (character !== "`" && isPrintable(character))
      const raw = sharp && Array.from(cut).every(plain)
      return pad(raw ? `\`${cut}\`` : quoteGo(cut, directive.plus), directive)
    }
    case "x": case "X": return pad(hexOf(value, directive), directive)
    default: return unknownVerb(value, directive)
  }
}

/** Verbs apply to the elements of arrays and maps and to the fields of structs. */
const formatValue = (value: GoValue, directive: Directive, level: number): string => {
  const { sharp, verb } = directive
  if (verb === "T") return pad(typeName(value), { ...directive, zero: false })
  if (value === undefined || value === null) {
    if (level > 0 && sharp && verb === "v") return "interface {}(nil)"
    return verb === "v" || level > 0 ? pad("<nil>", directive) : unknownVerb(value, directive)
  }
  if (typeof value === "boolean") {
    return verb === "t" || verb === "v" ? pad(String(value), directive) : unknownVerb(value, directive)
  }
  if (typeof value === "string") return formatText(value, directive)
  if (isInteger(value)) return formatInteger(value, directive)
  const float = asFloat(value)
  if (float !== undefined) return formatFloat(float, directive)
  const element = (inner: GoValue): string => formatValue(inner, directive, level + 1)
  const goSyntax = sharp && verb === "v"
  const name = goSyntax ? typeName(value) : ""
  if (isArray(value)) {
    const elements = value.map(element)
    return goSyntax ? `${name}{${elements.join(", ")}}` : `[${elements.join(" ")}]`
  }
  if (value instanceof GoStruct) {
    const named = goSyntax || (directive.plus && verb === "v")
    const fields = visibleFields(value).map((key) => (named ? `${key}:` : "") + element(value.fields[key]))
    return `${name}{${fields.join(goSyntax ? ", " : " ")}}`
  }
  if (!isMap(value)) return unknownVerb(value, directive)
  const pairs = sortedKeys(value).map((key) => `${element(key)}:${element(value[key])}`)
  return goSyntax ? `${name}{${pairs.join(", ")}}` : `map[${pairs.join(" ")}]`
}

const directivePattern =
  /%([-+# 0]*)(\[[^\]]*\])?(\*|[0-9]+)?(?:(\.)(\[[^\]]*\])?(\*|[0-9]+)?)?(\[[^\]]*\])?([\s\S])?/uy

/** Hands out arguments in order, or by the number in `%[n]`. */
class Arguments {
  readonly values: ReadonlyArray<GoValue>
  next = 0
  reordered = false
  badIndex = false
  constructor(values: ReadonlyArray<GoValue>) {
    this.values = values
  }
  select(bracketed: string | undefined): void {
    if (bracketed === undefined) return
    this.reordered = true
    const index = Number(bracketed.slice(1, -1)) - 1
    if (index >= 0 && index < this.values.length) this.next = index
    else this.badIndex = true
  }
  takeNumber(): number | undefined {
    const value = this.values[this.next++]
    return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= largestWidth ? value : undefined
  }
}

const formatDirective = (found: RegExpExecArray, given: Arguments): string => {
  const [, flags = "", widthIndex, widthText, point, precisionIndex, precisionText, valueIndex, verb] = found
  let notes = ""
  let minus = flags.includes("-")
  given.badIndex = false
  given.select(widthIndex)
  let width = widthText === undefined || widthText === "*" ? undefined : Number(widthText)
  if (widthText === "*") {
    width = given.takeNumber()
    if (width === undefined) notes += "%!(BADWIDTH)"
    else if (width < 0) {
      minus = true
      width = -width
    }
  }
  given.select(precisionIndex)
  let precision = point === undefined ? undefined : precisionText === "*" ? undefined : Number(precisionText ?? "0")
  if (precisionText === "*") {
    precision = given.takeNumber()
    if (precision === undefined || precision < 0) {
      precision = undefined
      notes += "%!(BADPREC)"
    }
  }
  given.select(valueIndex)
  if (verb === undefined) return `${notes}%!(NOVERB)`
  if (verb === "%") return `${notes}%`
  if ((width ?? 0) > largestWidth || (precision ?? 0) > largestWidth) {
    throw new FunctionFault(`width or precision beyond ${largestWidth}`)
  }
  if (given.badIndex) return `${notes}%!${verb}(BADINDEX)`
  if (given.next >= given.values.length) return `${notes}%!${verb}(MISSING)`
  return notes + formatValue(given.values[given.next++], {
    verb, minus, plus: flags.includes("+"), sharp: flags.includes("#"), space: flags.includes(" "),
    zero: flags.includes("0") && !minus, width, precision
  }, 0)
}

/** `printf`. What does not fit is written into the text as Go does: `%!d(string=x)`. */
export const sprintf = (format: string, values: ReadonlyArray<GoValue>): string => {
  const given = new Arguments(values)
  let text = ""
  let index = 0
  while (index < format.length) {
    const percent = format.indexOf("%", index)
    if (percent < 0) break
    text += format.slice(index, percent)
    directivePattern.lastIndex = percent
    const found = directivePattern.exec(format)
    if (found === null) break
    text += formatDirective(found, given)
    index = percent + found[0].length
  }
  text += format.slice(index)
  if (given.reordered || given.next >= values.length) return text
  const extra = values.slice(given.next)
    .map((value) => value === undefined || value === null ? "<nil>" : `${typeName(value)}=${display(value)}`)
  return `${text}%!(EXTRA ${extra.join(", ")})`
}
