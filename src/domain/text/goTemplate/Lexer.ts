/** Cuts a template into tokens (text/template/parse, lex.go). An error is a token too: it counts when it is reached. */
import { describeCharacter, quoteGo } from "../goQuote.ts"

export type TokenKind =
  | "error" | "end of file" | "text" | "{{" | "}}" | "space" | "(" | ")" | "|" | "=" | ":=" | "character"
  | "field" | "variable" | "identifier" | "keyword" | "dot" | "nil" | "boolean" | "number" | "string" | "raw string"
  | "character constant"

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly index: number
}

const keywords = new Set([
  "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"
])

const space = /[ \t\r\n]/
const spaces = /[ \t\r\n]+/y
const word = /[\p{L}\p{Nd}_]+/uy
const wordCharacter = /[\p{L}\p{Nd}_]/u

/** Sign, prefix, digits, point, exponent: more than Go has, the parser sorts it out. */
const numberShape = new RegExp(
  "[+-]?" +
    "(?:0[xX][0-9a-fA-F_]*(?:\\.[0-9a-fA-F_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\\.[0-9_]*)?)" +
    "(?:[eE][+-]?[0-9_]*)?(?:[pP][+-]?[0-9_]*)?i?",
  "y"
)

/** How a token is named in "unexpected …". */
export const describeToken = (token: Token): string => {
  switch (token.kind) {
    case "end of file": return "EOF"
    case "error": return token.text
    case "keyword": case "dot": case "nil": return `<${token.text}>`
    default: {
      const characters = Array.from(token.text)
      return characters.length > 10 ? `${quoteGo(characters.slice(0, 10).join(""))}...` : quoteGo(token.text)
    }
  }
}

export class Lexer {
  readonly input: string
  private position = 0
  private insideAction = false
  private openParentheses = 0
  private finished: Token | undefined

  constructor(input: string) {
    this.input = input
  }

  /** The next token; the last one, an error or the end of file, is given again and again. */
  next(): Token {
    if (this.finished !== undefined) return this.finished
    const token = this.insideAction ? this.lexAction() : this.lexText()
    if (token.kind === "error" || token.kind === "end of file") this.finished = token
    return token
  }

  private token(kind: TokenKind, start: number, end: number): Token {
    this.position = end
    return { kind, text: this.input.slice(start, end), index: start }
  }

  private error(text: string): Token {
    return { kind: "error", text, index: this.position }
  }

  private characterAt(index: number): string {
    const code = this.input.codePointAt(index)
    return code === undefined ? "" : String.fromCodePoint(code)
  }

  private matchAt(pattern: RegExp, index: number): number {
    pattern.lastIndex = index
    return pattern.exec(this.input)?.[0].length ?? 0
  }

  /** Text up to the next action; comments vanish, trim markers eat the white space around. */
  private lexText(): Token {
    const { input } = this
    const start = this.position
    const open = input.indexOf("{{", start)
    if (open < 0) {
      return start === input.length ? this.token("end of file", start, start) : this.token("text", start, input.length)
    }
    const trims = input[open + 2] === "-" && space.test(input[open + 3] ?? "")
    let end = open
    if (trims) while (end > start && space.test(input[end - 1] ?? "")) end--
    if (end > start) {
      this.position = open
      return { kind: "text", text: input.slice(start, end), index: start }
    }
    const inside = open + (trims ? 4 : 2)
    if (input.startsWith("/*", inside)) return this.skipComment(inside)
    this.insideAction = true
    this.openParentheses = 0
    this.position = inside
    return { kind: "{{", text: "{{", index: open }
  }

  private skipComment(inside: number): Token {
    const end = this.input.indexOf("*/", inside)
    if (end < 0) return this.error("unclosed comment")
    const close = this.closeLength(end + 2)
    if (close === 0) return this.error("comment ends before closing delimiter")
    this.leaveAction(end + 2 + close, close > 2)
    return this.lexText()
  }

  /** Length of `}}` or ` -}}` at `index`, 0 where there is neither. */
  private closeLength(index: number): number {
    if (this.input.startsWith("}}", index)) return 2
    return space.test(this.input[index] ?? "") && this.input.startsWith("-}}", index + 1) ? 4 : 0
  }

  private leaveAction(end: number, trims: boolean): void {
    this.insideAction = false
    this.position = trims ? end + this.matchAt(spaces, end) : end
  }

  private lexAction(): Token {
    const { input } = this
    const start = this.position
    const close = this.closeLength(start)
    if (close > 0) {
      if (this.openParentheses > 0) return this.error("unclosed left paren")
      this.leaveAction(start + close, close > 2)
      return { kind: "}}", text: "}}", index: start }
    }
    const character = this.characterAt(start)
    if (character === "") return this.error("unclosed action")
    if (space.test(character)) return this.lexSpace(start)
    switch (character) {
      case "=": case "|": return this.token(character, start, start + 1)
      case ":":
        return input[start + 1] === "=" ? this.token(":=", start, start + 2) : this.error("expected :=")
      case "\"": case "'": return this.lexQuoted(character, start)
      case "`": {
        const end = input.indexOf("`", start + 1)
        return end < 0 ? this.error("unterminated raw quoted string") : this.token("raw string", start, end + 1)
      }
      case "$": return this.lexName("variable", start)
      case ".":
        // A point at the very end is the beginning of a number to Go
        if (!/[0-9]/.test(input[start + 1] ?? "0")) return this.lexName("field", start)
        break
      case "(":
        this.openParentheses++
        return this.token("(", start, start + 1)
      case ")":
        this.openParentheses--
        return this.openParentheses < 0 ? this.error("unexpected right paren") : this.token(")", start, start + 1)
    }
    if (/[.+\-0-9]/.test(character)) return this.lexNumber(start)
    if (wordCharacter.test(character)) return this.lexWord(start)
    return character > " " && character < "\x7f"
      ? this.token("character", start, start + 1)
      : this.error(`unrecognized character in action: ${describeCharacter(character)}`)
  }

  /** Leaves the last space to a closing ` -}}`. */
  private lexSpace(start: number): Token {
    const end = start + this.matchAt(spaces, start)
    return this.token("space", start, this.input.startsWith("-}}", end) ? end - 1 : end)
  }

  private lexQuoted(quote: "\"" | "'", start: number): Token {
    const pattern = quote === "\"" ? /"(?:[^"\\\n]|\\[^\n])*"/y : /'(?:[^'\\\n]|\\[^\n])*'/y
    const length = this.matchAt(pattern, start)
    if (length > 0) return this.token(quote === "\"" ? "string" : "character constant", start, start + length)
    return this.error(quote === "\"" ? "unterminated quoted string" : "unterminated character constant")
  }

  /** Whether a name may end before `index`: `$x+2` is no name. */
  private endsName(index: number): boolean {
    const character = this.input[index] ?? ""
    return character === "" || /[ \t\r\n.,|:()]/.test(character) || this.input.startsWith("}}", index)
  }

  private badCharacter(index: number): Token {
    return this.error(`bad character ${describeCharacter(this.characterAt(index))}`)
  }

  /** `.Name` or `$name`; a lone dot is the cursor. */
  private lexName(kind: "field" | "variable", start: number): Token {
    const end = start + 1 + this.matchAt(word, start + 1)
    if (!this.endsName(end)) return this.badCharacter(end)
    return this.token(kind === "field" && end === start + 1 ? "dot" : kind, start, end)
  }

  private lexWord(start: number): Token {
    const end = start + this.matchAt(word, start)
    if (!this.endsName(end)) return this.badCharacter(end)
    const text = this.input.slice(start, end)
    const kind = keywords.has(text)
      ? "keyword"
      : text === "true" || text === "false" ? "boolean" : text === "nil" ? "nil" : "identifier"
    return this.token(kind, start, end)
  }

  private lexNumber(start: number): Token {
    let end = start + this.matchAt(numberShape, start)
    const following = this.characterAt(end)
    // 1+2i would be a complex number, which nobody needs
    const complex = following === "+" || following === "-"
    if (complex) end += this.matchAt(numberShape, end)
    const next = this.characterAt(end)
    if (complex || wordCharacter.test(next)) {
      const shown = this.input.slice(start, wordCharacter.test(next) ? end + next.length : end)
      return this.error(`bad number syntax: ${quoteGo(shown)}`)
    }
    return this.token("number", start, end)
  }
}
