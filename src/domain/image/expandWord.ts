/**
 * Words of Dockerfile instructions: split at white space, quotes taken off, variables put in, as the Dockerfile reference
 * says under "Environment replacement".
 */
import * as Result from "effect/Result"

const escape = "\\"

/** Where a quoted part that opens at `start` ends: the index after its closing quote, or the end of the text. */
const afterQuote = (text: string, start: number): number => {
  const quote = text[start]
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === escape && quote === "\"") index++
    else if (text[index] === quote) return index + 1
  }
  return text.length
}

/** Words with their quotes and escapes still in them; white space within quotes or after `\` does not split. */
export const splitWords = (text: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  let start: number | undefined
  for (let index = 0; index < text.length;) {
    const character = text[index]!
    if (/\s/.test(character)) {
      if (start !== undefined) words.push(text.slice(start, index))
      start = undefined
      index++
      continue
    }
    start ??= index
    if (character === "\"" || character === "'") index = afterQuote(text, index)
    else index += character === escape ? 2 : 1
  }
  if (start !== undefined) words.push(text.slice(start))
  return words
}

export type Lookup = (name: string) => string | undefined

/** Substitutions inside substitutions. */
const deepestSubstitution = 16

/** Reads one word from its beginning to its end; `failure` is what was wrong first. */
class WordReader {
  readonly text: string
  readonly lookup: Lookup
  readonly depth: number
  index = 0
  failure: string | undefined

  constructor(text: string, lookup: Lookup, depth: number) {
    this.text = text
    this.lookup = lookup
    this.depth = depth
  }

  /** Up to the character `stop`, which is consumed; to the end of the word without one. */
  read(stop?: string): string {
    let result = ""
    while (this.index < this.text.length && this.failure === undefined) {
      const character = this.text[this.index++]!
      if (character === stop) return result
      if (character === "'") result += this.singleQuoted()
      else if (character === "\"") result += this.doubleQuoted()
      else if (character === "$") result += this.substitution()
      else if (character === escape) result += this.text[this.index++] ?? ""
      else result += character
    }
    if (stop !== undefined) this.failure ??= `unexpected end of statement while looking for matching ${stop}`
    return result
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.index)
    if (end < 0) this.failure ??= "unexpected end of statement while looking for matching single-quote"
    const quoted = this.text.slice(this.index, end < 0 ? undefined : end)
    this.index = end < 0 ? this.text.length : end + 1
    return quoted
  }

  private doubleQuoted(): string {
    let result = ""
    while (this.index < this.text.length) {
      const character = this.text[this.index++]!
      if (character === "\"") return result
      if (character === "$") result += this.substitution()
      else if (character === escape) {
        const next = this.text[this.index++] ?? ""
        result += /["$\\]/.test(next) ? next : escape + next
      } else result += character
    }
    this.failure ??= "unexpected end of statement while looking for matching double-quote"
    return result
  }

  private name(): string {
    const found = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9])/.exec(this.text.slice(this.index))?.[0] ?? ""
    this.index += found.length
    return found
  }

  /** After the `$`. */
  private substitution(): string {
    if (this.text[this.index] !== "{") {
      const name = this.name()
      return name === "" ? "$" : this.lookup(name) ?? ""
    }
    this.index++
    const name = this.name()
    if (name === "") {
      this.failure ??= "syntax error: bad substitution"
      return ""
    }
    if (this.text[this.index] === "}") {
      this.index++
      return this.lookup(name) ?? ""
    }
    return this.modified(name)
  }

  /** `:-word}` and its like: with the colon, an empty value counts as none. */
  private modified(name: string): string {
    const modifier = /^:?[-+?]/.exec(this.text.slice(this.index, this.index + 2))?.[0]
    if (modifier === undefined || this.depth >= deepestSubstitution) {
      this.failure ??= modifier === undefined
        ? `unsupported modifier in substitution of ${name}`
        : "substitutions are nested too deeply"
      return ""
    }
    this.index += modifier.length
    const inner = new WordReader(this.text, this.lookup, this.depth + 1)
    inner.index = this.index
    const word = inner.read("}")
    this.index = inner.index
    this.failure ??= inner.failure
    const value = this.lookup(name)
    const present = value !== undefined && (value !== "" || !modifier.startsWith(":"))
    if (modifier.endsWith("+")) return present ? word : ""
    if (present) return value
    if (modifier.endsWith("?")) this.failure ??= `${name}: ${word === "" ? "not set" : word}`
    return modifier.endsWith("-") ? word : ""
  }
}

/** The value of a word: quotes gone, `$NAME`, `${NAME}`, `${NAME:-word}`, `:+` and `:?` replaced. The failure is a cause. */
export const expandWord = (word: string, lookup: Lookup): Result.Result<string, string> => {
  const reader = new WordReader(word, lookup, 0)
  const value = reader.read()
  return reader.failure === undefined ? Result.succeed(value) : Result.fail(reader.failure)
}
