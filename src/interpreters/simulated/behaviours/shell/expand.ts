/**
 * Expansions: parameters, command substitution, arithmetic, splitting into fields, and names of
 * files.
 */
import { list, perform, spawn, wait } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { evaluateArithmetic } from "./arithmetic.ts"
import { dispositions, environmentOf, forkedOption, Leave, report, type ShellState } from "./ShellState.ts"
import type { Word, WordPart } from "./Syntax.ts"
import { readWord } from "./words.ts"

const valueOf = (state: ShellState, name: string): string | undefined => {
  switch (name) {
    case "?":
      return String(state.status)
    case "$":
      return String(state.pid)
    case "!":
      return state.lastBackground === 0 ? "" : String(state.lastBackground)
    case "#":
      return String(state.positional.length)
    case "@":
    case "*":
      return state.positional.join(" ")
    case "0":
      return state.name
  }
  return /^\d+$/.test(name) ? state.positional[Number(name) - 1] : state.variables.get(name)
}

/**
 * A pattern as a regular expression: `*`, `?`, `[…]`; a bracket that is not closed stands for
 * itself.
 */
export const patternOf = (text: string): RegExp => {
  const source = text.replace(/\[[!^]?\]?[^\]]*\]|[\s\S]/g, (part) => {
    if (part === "*") return ".*"
    if (part === "?") return "."
    if (part.length > 1) return `[${part.slice(1, -1).replace(/^!/, "^").replace(/\\/g, "\\\\")}]`
    return part.replace(/[.+^${}()|\\[\]]/, "\\$&")
  })
  return new RegExp(`^${source}$`, "s")
}

const trimmed = (value: string, operator: string, pattern: string): string => {
  const matcher = patternOf(pattern)
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length)
  if (operator.length === 2) lengths.reverse()
  const suffix = operator.startsWith("%")
  for (const length of lengths) {
    const part = suffix ? value.slice(value.length - length) : value.slice(0, length)
    if (matcher.test(part)) {
      return suffix
        ? value.slice(0, value.length - length)
        : value.slice(length)
    }
  }
  return value
}

function* expandVariable(
  state: ShellState,
  part: Extract<WordPart, { readonly _tag: "Variable" }>
): Running<string> {
  const value = valueOf(state, part.name)
  if (part.operator === "length") return String((value ?? "").length)
  if (part.operator === "") return value ?? ""
  const word = yield* expandText(state, readWord({ text: part.word, at: 0 }))
  const missing = value === undefined || (part.operator.startsWith(":") && value === "")
  switch (part.operator.replace(":", "")) {
    case "-":
      return missing ? word : value
    case "=":
      if (missing) state.variables.set(part.name, word)
      return missing ? word : value
    case "+":
      return missing ? "" : word
    case "?":
      if (missing) {
        yield* report(state, `${part.name}: ${word || "parameter not set"}`, 2)
        throw new Leave("exit", 2)
      }
      return value
    default:
      return trimmed(value ?? "", part.operator, word)
  }
}

/** What another shell writes; its status becomes `$?`. */
function* substitute(state: ShellState, script: string): Running<string> {
  const made = yield* perform<number>({ _tag: "MakePipe" })
  if (!made.ok) return ""
  const pipe = made.value
  const child = yield* spawn(["sh", `-${forkedOption}c`, script, state.name, ...state.positional], [
    ...state.redirections,
    { descriptor: 1, pipe, end: "write" }
  ], environmentOf(state, true), dispositions(state))
  let out = ""
  if (child.ok) {
    for (;;) {
      const piece = yield* perform<Uint8Array>({ _tag: "ReadPipe", pipe })
      if (!piece.ok || piece.value.length === 0) break
      out += new TextDecoder().decode(piece.value)
    }
    const ended = yield* wait(child.value, (signal) => state.pending.push(signal))
    if (ended.ok) state.status = ended.value.code
  }
  yield* perform({ _tag: "ClosePipe", pipe })
  return out.replace(/\n+$/, "")
}

function* expandPart(state: ShellState, part: WordPart): Running<string> {
  switch (part._tag) {
    case "Text":
      return part.text
    case "Variable":
      return yield* expandVariable(state, part)
    case "Substitution":
      return yield* substitute(state, part.script)
    case "Arithmetic":
      return String(
        evaluateArithmetic(part.expression, (name) => Number(valueOf(state, name) ?? 0) || 0)
      )
  }
}

/** A word as one text: for assignments, redirections and patterns. */
export function* expandText(state: ShellState, word: Word): Running<string> {
  let text = ""
  for (const part of word) text += yield* expandPart(state, part)
  return text
}

interface Field {
  text: string
  /** It has an unquoted `*`, `?` or `[`. */
  pattern: boolean
}

const splitInto = (fields: Array<Field>, text: string, open: boolean): boolean => {
  const pieces = text.split(/[ \t\n]+/)
  let opened = open
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) opened = false
    if (piece === "") continue
    if (opened) fields.at(-1)!.text += piece
    else fields.push({ text: piece, pattern: false })
    opened = true
    if (/[*?[]/.test(piece)) fields.at(-1)!.pattern = true
  }
  return opened && !/[ \t\n]$/.test(text)
}

/** Names that match a pattern in its last component; the pattern itself when there is none. */
function* matching(pattern: string): Running<ReadonlyArray<string>> {
  const slash = pattern.lastIndexOf("/")
  const directory = slash < 0 ? "." : pattern.slice(0, slash) || "/"
  const last = pattern.slice(slash + 1)
  const names = yield* list(directory)
  if (!names.ok) return [pattern]
  const found = names.value.filter((name) =>
    patternOf(last).test(name) && (!name.startsWith(".") || last.startsWith("."))
  )
  return found.length === 0
    ? [pattern]
    : found.map((name) => slash < 0 ? name : `${pattern.slice(0, slash)}/${name}`)
}

/** A word as the fields it becomes. */
export function* expandFields(state: ShellState, word: Word): Running<ReadonlyArray<string>> {
  const fields: Array<Field> = []
  let open = false
  const append = (text: string, pattern: boolean) => {
    if (open) fields.at(-1)!.text += text
    else fields.push({ text, pattern: false })
    if (pattern) fields.at(-1)!.pattern = true
    open = true
  }
  for (const part of word) {
    if (part._tag === "Variable" && part.name === "@" && part.quoted) {
      for (const [index, one] of state.positional.entries()) {
        if (index > 0) open = false
        append(one, false)
      }
      continue
    }
    const text = yield* expandPart(state, part)
    if (part.quoted) append(text, false)
    else if (part._tag === "Text") append(text, /[*?[]/.test(text))
    else open = splitInto(fields, text, open)
  }
  const result: Array<string> = []
  for (const field of fields) {
    if (field.pattern) result.push(...(yield* matching(field.text)))
    else result.push(field.text)
  }
  return result
}
