/** What a script is made of below its commands: blanks, keywords, redirections. */
import { type Redirect, SyntaxFault } from "./Syntax.ts"
import { type Cursor, isMeta, plainText, readWord } from "./words.ts"

export const closing: ReadonlySet<string> = new Set([
  "then", "do", "done", "fi", "elif", "else", "esac", "}", ";;"
])

export const unexpected = (cursor: Cursor, wanted?: string): never => {
  skipBlanks(cursor)
  const atEnd = cursor.at >= cursor.text.length
  const found = atEnd
    ? "end of file"
    : /^(?:\n|;;|\S+)/.exec(cursor.text.slice(cursor.at))?.[0] ?? "?"
  const shown = atEnd ? found : `"${found === "\n" ? "newline" : found}"`
  const hint = wanted === undefined ? "" : ` (expecting "${wanted}")`
  throw new SyntaxFault(`syntax error: unexpected ${shown}${hint}`, atEnd)
}

export const skipBlanks = (cursor: Cursor): void => {
  for (;;) {
    const rest = cursor.text.slice(cursor.at)
    const blank = /^(?:[ \t]+|\\\n|#[^\n]*)/.exec(rest)
    if (blank === null) return
    // `#` begins a comment only where a word could begin
    if (blank[0].startsWith("#") && cursor.at > 0 && !isMeta(cursor.text[cursor.at - 1])) return
    cursor.at += blank[0].length
  }
}

export const skipLines = (cursor: Cursor): void => {
  for (;;) {
    skipBlanks(cursor)
    if (cursor.text[cursor.at] !== "\n") return
    cursor.at++
  }
}

export const starts = (cursor: Cursor, token: string): boolean =>
  cursor.text.startsWith(token, cursor.at)

/** The plain word at the cursor, without taking it. */
export const peekWord = (cursor: Cursor): string | undefined => {
  skipBlanks(cursor)
  if (starts(cursor, ";;")) return ";;"
  if (isMeta(cursor.text[cursor.at])) return undefined
  return plainText(readWord({ text: cursor.text, at: cursor.at }))
}

export const takeWord = (cursor: Cursor, wanted: string): void => {
  skipLines(cursor)
  if (peekWord(cursor) !== wanted) unexpected(cursor, wanted)
  cursor.at += wanted.length
}

export const tryRedirect = (cursor: Cursor): Redirect | undefined => {
  const match = /^([0-2]?)(>>|>&|<&|>|<)/.exec(cursor.text.slice(cursor.at))
  if (match === null) return undefined
  cursor.at += match[0].length
  const operator = match[2]!
  const descriptor = match[1] === ""
    ? operator.startsWith("<") ? 0 : 1
    : Number(match[1]) as 0 | 1 | 2
  skipBlanks(cursor)
  if (isMeta(cursor.text[cursor.at])) unexpected(cursor)
  const target = readWord(cursor)
  return {
    descriptor,
    operator: operator.endsWith("&") ? "&" : operator as "<" | ">" | ">>",
    target
  }
}

export const redirectsAfter = (cursor: Cursor): ReadonlyArray<Redirect> => {
  const redirects: Array<Redirect> = []
  for (;;) {
    skipBlanks(cursor)
    const one = tryRedirect(cursor)
    if (one === undefined) return redirects
    redirects.push(one)
  }
}
