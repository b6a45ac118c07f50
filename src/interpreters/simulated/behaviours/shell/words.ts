/** Words of a script: quotes, escapes and the beginnings of expansions. */
import { SyntaxFault, type Word, type WordPart } from "./Syntax.ts"

/** Where in the text one is. */
export interface Cursor {
  readonly text: string
  at: number
}

export const isMeta = (character: string | undefined): boolean =>
  character === undefined || " \t\n;&|<>()".includes(character)

const unfinished = (what: string): never => {
  throw new SyntaxFault(`syntax error: unterminated ${what}`, true)
}

/** The text up to the closing bracket that belongs to an opening one just before the cursor. */
const untilClosing = (cursor: Cursor, opening: string, closing: string): string => {
  const start = cursor.at
  let depth = 1
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const character = cursor.text[cursor.at]!
    if (character === "\\") cursor.at++
    else if (character === "'") {
      const end = cursor.text.indexOf("'", cursor.at + 1)
      cursor.at = end < 0 ? unfinished("quoted string") : end
    } else if (character === opening) depth++
    else if (character === closing && --depth === 0) return cursor.text.slice(start, cursor.at++)
  }
  return unfinished("expansion")
}

const parameter = (content: string, quoted: boolean): WordPart => {
  const length = /^#([A-Za-z_]\w*|[0-9@*?])$/.exec(content)
  if (length !== null) {
    return { _tag: "Variable", name: length[1]!, operator: "length", word: "", quoted }
  }
  const match = /^([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(?:(:?[-=+?]|%%?|##?)(.*))?$/s.exec(content)
  if (match === null) throw new SyntaxFault("syntax error: bad substitution", false)
  return {
    _tag: "Variable",
    name: match[1]!,
    operator: match[2] ?? "",
    word: match[3] ?? "",
    quoted
  }
}

/** What follows a `$`; the cursor stands behind it. */
const dollar = (cursor: Cursor, quoted: boolean): WordPart => {
  const { text } = cursor
  if (text.startsWith("((", cursor.at)) {
    cursor.at += 2
    const expression = untilClosing(cursor, "(", ")")
    if (text[cursor.at] === ")") cursor.at++
    return { _tag: "Arithmetic", expression, quoted }
  }
  if (text[cursor.at] === "(") {
    cursor.at++
    return { _tag: "Substitution", script: untilClosing(cursor, "(", ")"), quoted }
  }
  if (text[cursor.at] === "{") {
    cursor.at++
    return parameter(untilClosing(cursor, "{", "}"), quoted)
  }
  const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(text.slice(cursor.at))?.[0]
  if (name === undefined) return { _tag: "Text", text: "$", quoted }
  cursor.at += name.length
  return { _tag: "Variable", name, operator: "", word: "", quoted }
}

const backquoted = (cursor: Cursor, quoted: boolean): WordPart => {
  const end = cursor.text.indexOf("`", cursor.at)
  if (end < 0) unfinished("backquotes")
  const script = cursor.text.slice(cursor.at, end)
  cursor.at = end + 1
  return { _tag: "Substitution", script, quoted }
}

const doubleQuoted = (cursor: Cursor, parts: Array<WordPart>): void => {
  let text = ""
  const flush = () => {
    if (text !== "") parts.push({ _tag: "Text", text, quoted: true })
    text = ""
  }
  for (;;) {
    const character = cursor.text[cursor.at++]
    if (character === undefined) unfinished("quoted string")
    if (character === "\"") break
    if (character === "\\" && "$`\"\\\n".includes(cursor.text[cursor.at] ?? "x")) {
      const next = cursor.text[cursor.at++]!
      if (next !== "\n") text += next
    } else if (character === "$" || character === "`") {
      flush()
      parts.push(character === "$" ? dollar(cursor, true) : backquoted(cursor, true))
    } else text += character
  }
  flush()
  // "" is a word, though an empty one
  parts.push({ _tag: "Text", text: "", quoted: true })
}

/** The word at the cursor, which must not stand on a metacharacter. */
export const readWord = (cursor: Cursor): Word => {
  const parts: Array<WordPart> = []
  let text = ""
  const flush = () => {
    if (text !== "") parts.push({ _tag: "Text", text, quoted: false })
    text = ""
  }
  while (!isMeta(cursor.text[cursor.at])) {
    const character = cursor.text[cursor.at++]!
    if (character === "'") {
      flush()
      const end = cursor.text.indexOf("'", cursor.at)
      if (end < 0) unfinished("quoted string")
      parts.push({ _tag: "Text", text: cursor.text.slice(cursor.at, end), quoted: true })
      cursor.at = end + 1
    } else if (character === "\"") {
      flush()
      doubleQuoted(cursor, parts)
    } else if (character === "\\") {
      const next = cursor.text[cursor.at++]
      if (next === undefined) unfinished("line")
      if (next !== "\n") {
        flush()
        parts.push({ _tag: "Text", text: next!, quoted: true })
      }
    } else if (character === "$" || character === "`") {
      flush()
      parts.push(character === "$" ? dollar(cursor, false) : backquoted(cursor, false))
    } else text += character
  }
  flush()
  return parts
}

/** A word without quotes and expansions, as its text: what can be a reserved word. */
export const plainText = (word: Word): string | undefined => {
  if (word.length !== 1) return undefined
  const [part] = word
  return part?._tag === "Text" && !part.quoted ? part.text : undefined
}
