/** Reads a script: lists, pipelines, simple and compound commands. */
import type { Command, Redirect, Word } from "./Syntax.ts"
import {
  closing, peekWord, redirectsAfter, skipBlanks, skipLines, starts, takeWord, tryRedirect,
  unexpected
} from "./tokens.ts"
import { type Cursor, isMeta, plainText, readWord } from "./words.ts"

const parseSimple = (cursor: Cursor): Command => {
  const start = cursor.at
  const assignments: Array<readonly [string, Word]> = []
  const words: Array<Word> = []
  const redirects: Array<Redirect> = []
  for (;;) {
    skipBlanks(cursor)
    const redirect = tryRedirect(cursor)
    if (redirect !== undefined) {
      redirects.push(redirect)
      continue
    }
    if (isMeta(cursor.text[cursor.at])) break
    const word = readWord(cursor)
    const first = word[0]
    const assigned = words.length === 0 && first?._tag === "Text" && !first.quoted
      ? /^([A-Za-z_]\w*)=(.*)$/s.exec(first.text)
      : null
    if (assigned === null) words.push(word)
    else {
      const value: Word = assigned[2] === ""
        ? word.slice(1)
        : [{ _tag: "Text", text: assigned[2]!, quoted: false }, ...word.slice(1)]
      assignments.push([assigned[1]!, value])
    }
    if (words.length === 1 && starts(cursor, "()") && redirects.length === 0) {
      const name = plainText(word)
      if (name !== undefined) return parseFunction(cursor, start, name)
    }
  }
  if (words.length + assignments.length + redirects.length === 0) unexpected(cursor)
  return {
    _tag: "Simple",
    assignments,
    words,
    redirects,
    source: cursor.text.slice(start, cursor.at)
  }
}

const parseFunction = (cursor: Cursor, start: number, name: string): Command => {
  cursor.at += 2
  skipLines(cursor)
  const body = parseCommand(cursor)
  return { _tag: "Function", name, body, source: cursor.text.slice(start, cursor.at) }
}

const parseIf = (cursor: Cursor, start: number): Command => {
  const branches: Array<readonly [Command, Command]> = []
  let otherwise: Command | undefined
  let keyword = "if"
  while (keyword === "if" || keyword === "elif") {
    takeWord(cursor, keyword)
    const condition = parseList(cursor)
    takeWord(cursor, "then")
    branches.push([condition, parseList(cursor)])
    skipLines(cursor)
    keyword = peekWord(cursor) ?? unexpected(cursor, "fi")
  }
  if (keyword === "else") {
    takeWord(cursor, "else")
    otherwise = parseList(cursor)
  }
  takeWord(cursor, "fi")
  return { _tag: "If", branches, otherwise, source: cursor.text.slice(start, cursor.at) }
}

const parseBody = (cursor: Cursor): Command => {
  takeWord(cursor, "do")
  const body = parseList(cursor)
  takeWord(cursor, "done")
  return body
}

const parseFor = (cursor: Cursor, start: number): Command => {
  takeWord(cursor, "for")
  const name = peekWord(cursor) ?? unexpected(cursor)
  cursor.at += name.length
  skipLines(cursor)
  let words: Array<Word> | undefined
  if (peekWord(cursor) === "in") {
    takeWord(cursor, "in")
    words = []
    for (skipBlanks(cursor); !isMeta(cursor.text[cursor.at]); skipBlanks(cursor)) {
      words.push(readWord(cursor))
    }
  }
  skipBlanks(cursor)
  if (cursor.text[cursor.at] === ";") cursor.at++
  const body = parseBody(cursor)
  return { _tag: "For", name, words, body, source: cursor.text.slice(start, cursor.at) }
}

const parseCase = (cursor: Cursor, start: number): Command => {
  takeWord(cursor, "case")
  skipBlanks(cursor)
  const subject = readWord(cursor)
  takeWord(cursor, "in")
  const cases: Array<readonly [ReadonlyArray<Word>, Command]> = []
  for (skipLines(cursor); peekWord(cursor) !== "esac"; skipLines(cursor)) {
    if (starts(cursor, "(")) cursor.at++
    const patterns: Array<Word> = []
    for (;;) {
      skipBlanks(cursor)
      if (isMeta(cursor.text[cursor.at])) unexpected(cursor)
      patterns.push(readWord(cursor))
      skipBlanks(cursor)
      if (!starts(cursor, "|")) break
      cursor.at++
    }
    if (!starts(cursor, ")")) unexpected(cursor, ")")
    cursor.at++
    cases.push([patterns, parseList(cursor)])
    skipLines(cursor)
    if (starts(cursor, ";;")) cursor.at += 2
    else if (peekWord(cursor) !== "esac") unexpected(cursor, "esac")
  }
  takeWord(cursor, "esac")
  return { _tag: "Case", subject, cases, source: cursor.text.slice(start, cursor.at) }
}

/** A compound command with what is redirected for all of it. */
const redirected = (cursor: Cursor, start: number, body: Command): Command => {
  const redirects = redirectsAfter(cursor)
  if (redirects.length === 0) return body
  return {
    _tag: "Group",
    body,
    redirects,
    subshell: false,
    source: cursor.text.slice(start, cursor.at)
  }
}

const parseWhile = (cursor: Cursor, start: number, until: boolean): Command => {
  takeWord(cursor, until ? "until" : "while")
  const condition = parseList(cursor)
  const body = parseBody(cursor)
  return { _tag: "While", condition, body, until, source: cursor.text.slice(start, cursor.at) }
}

const parseCommand = (cursor: Cursor): Command => {
  skipBlanks(cursor)
  const start = cursor.at
  if (starts(cursor, "(")) {
    cursor.at++
    const body = parseList(cursor)
    skipLines(cursor)
    if (!starts(cursor, ")")) unexpected(cursor, ")")
    cursor.at++
    const redirects = redirectsAfter(cursor)
    return {
      _tag: "Group",
      body,
      redirects,
      subshell: true,
      source: cursor.text.slice(start, cursor.at)
    }
  }
  switch (peekWord(cursor)) {
    case "if":
      return redirected(cursor, start, parseIf(cursor, start))
    case "for":
      return redirected(cursor, start, parseFor(cursor, start))
    case "case":
      return redirected(cursor, start, parseCase(cursor, start))
    case "while":
    case "until":
      return redirected(cursor, start, parseWhile(cursor, start, peekWord(cursor) === "until"))
    case "{": {
      takeWord(cursor, "{")
      const body = parseList(cursor)
      takeWord(cursor, "}")
      const redirects = redirectsAfter(cursor)
      return {
        _tag: "Group",
        body,
        redirects,
        subshell: false,
        source: cursor.text.slice(start, cursor.at)
      }
    }
    default:
      return parseSimple(cursor)
  }
}

const parsePipeline = (cursor: Cursor): Command => {
  skipBlanks(cursor)
  const start = cursor.at
  const negated = peekWord(cursor) === "!"
  if (negated) cursor.at++
  const commands = [parseCommand(cursor)]
  for (skipBlanks(cursor); starts(cursor, "|") && !starts(cursor, "||"); skipBlanks(cursor)) {
    cursor.at++
    skipLines(cursor)
    commands.push(parseCommand(cursor))
  }
  if (commands.length === 1 && !negated) return commands[0]!
  return { _tag: "Pipeline", commands, negated, source: cursor.text.slice(start, cursor.at) }
}

const parseAndOr = (cursor: Cursor): Command => {
  skipBlanks(cursor)
  const start = cursor.at
  let left = parsePipeline(cursor)
  for (skipBlanks(cursor); starts(cursor, "&&") || starts(cursor, "||"); skipBlanks(cursor)) {
    const and = starts(cursor, "&&")
    cursor.at += 2
    skipLines(cursor)
    const right = parsePipeline(cursor)
    left = { _tag: "AndOr", left, right, and, source: cursor.text.slice(start, cursor.at) }
  }
  return left
}

/** Commands up to a word or bracket that closes the construct around them. */
const parseList = (cursor: Cursor): Command => {
  const commands: Array<Command> = []
  skipLines(cursor)
  const start = cursor.at
  while (
    cursor.at < cursor.text.length && !starts(cursor, ")") && !closing.has(peekWord(cursor) ?? "")
  ) {
    const command = parseAndOr(cursor)
    skipBlanks(cursor)
    if (starts(cursor, "&")) {
      cursor.at++
      commands.push({ _tag: "Background", command, source: command.source })
    } else {
      commands.push(command)
      if (starts(cursor, ";") && !starts(cursor, ";;")) cursor.at++
      else if (
        cursor.at < cursor.text.length && !starts(cursor, "\n") && !starts(cursor, ")") &&
        !starts(cursor, ";;")
      ) {
        unexpected(cursor)
      }
    }
    skipLines(cursor)
  }
  if (commands.length === 1) return commands[0]!
  return { _tag: "Sequence", commands, source: cursor.text.slice(start, cursor.at) }
}

const parsed = new Map<string, Command>()

/** The tree of a script; throws a SyntaxFault. */
export const parseScript = (text: string): Command => {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const cursor: Cursor = { text, at: 0 }
  const script = parseList(cursor)
  if (cursor.at < text.length) unexpected(cursor)
  if (parsed.size > 1000) parsed.clear()
  parsed.set(text, script)
  return script
}
