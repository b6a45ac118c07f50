/** test(1) and `[`: questions about files, texts and numbers, read as busybox reads them. */
import { facts, status } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { complain } from "./Applet.ts"

/** What is wrong with an expression, as it is said. */
class TestFault {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

const refuse = (message: string): never => {
  throw new TestFault(message)
}

/** getn() */
const numberOf = (text: string): number =>
  /^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : refuse(`${text}: bad number`)

const compared = (compare: (left: number, right: number) => boolean) =>
(left: string, right: string): boolean => {
  const first = numberOf(left)
  return compare(first, numberOf(right))
}

const binary: { readonly [operator: string]: (left: string, right: string) => boolean } = {
  "=": (left, right) => left === right,
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
  "-eq": compared((left, right) => left === right),
  "-ne": compared((left, right) => left !== right),
  "-lt": compared((left, right) => left < right),
  "-le": compared((left, right) => left <= right),
  "-gt": compared((left, right) => left > right),
  "-ge": compared((left, right) => left >= right)
}

const isBinary = (word: string | undefined): boolean =>
  word !== undefined && Object.hasOwn(binary, word)

const unaryPattern = /^-[nztedfsLhpSbcrwx]$/

const kinds: { readonly [operator: string]: string } = {
  "-d": "directory",
  "-f": "file",
  "-L": "symlink",
  "-h": "symlink",
  "-p": "fifo",
  "-S": "socket",
  "-b": "block",
  "-c": "character"
}

function* unary(operator: string, operand: string): Running<boolean> {
  switch (operator) {
    case "-n":
      return operand !== ""
    case "-z":
      return operand === ""
    case "-t": {
      const { stdio } = yield* facts()
      return stdio[Number(operand) as 0 | 1 | 2] === "Terminal"
    }
  }
  const found = yield* status(operand, operator !== "-L" && operator !== "-h")
  if (!found.ok) return false
  const { type, size, mode } = found.value
  if (kinds[operator] !== undefined) return type === kinds[operator]
  if (operator === "-s") return size > 0
  const bits = { "-r": 0o444, "-w": 0o222, "-x": 0o111 }[operator]
  return bits === undefined || (mode & bits) !== 0
}

/** Where the reading of the words is: at the last word that was taken (coreutils/test.c). */
interface Reading {
  readonly words: ReadonlyArray<string>
  at: number
}

const binaryAt = (reading: Reading): boolean => {
  const [left = "", operator = "", right] = reading.words.slice(reading.at, reading.at + 3)
  if (right === undefined) return refuse(`${operator}: argument expected`)
  reading.at += 2
  return binary[operator]!(left, right)
}

/** primary() */
function* primary(reading: Reading): Running<boolean> {
  const { at, words } = reading
  const [word, next, after] = words.slice(at, at + 3)
  if (word === undefined) return refuse("argument expected")
  if (word === "(") {
    reading.at++
    const inner = yield* alternatives(reading)
    if (words[++reading.at] !== ")") refuse("closing paren expected")
    return inner
  }
  if (isBinary(next) && after !== undefined) return binaryAt(reading)
  if (unaryPattern.test(word)) {
    if (next === undefined) refuse(`${word}: argument expected`)
    reading.at++
    return yield* unary(word, next!)
  }
  return isBinary(next) ? binaryAt(reading) : word !== ""
}

/** nexpr() */
function* negation(reading: Reading): Running<boolean> {
  if (reading.words[reading.at] !== "!") return yield* primary(reading)
  if (reading.words[reading.at + 1] === undefined) return true
  reading.at++
  return !(yield* negation(reading))
}

/** aexpr() and oexpr(): the right side is read before the left one counts. */
function* conjunction(reading: Reading): Running<boolean> {
  const left = yield* negation(reading)
  if (reading.words[reading.at + 1] !== "-a") return left
  reading.at += 2
  const right = yield* conjunction(reading)
  return left && right
}

function* alternatives(reading: Reading): Running<boolean> {
  const left = yield* conjunction(reading)
  if (reading.words[reading.at + 1] !== "-o") return left
  reading.at += 2
  const right = yield* alternatives(reading)
  return left || right
}

function* evaluate(words: ReadonlyArray<string>): Running<boolean> {
  if (words.length === 0) return false
  if (words.length === 1) return words[0] !== ""
  const reading: Reading = { words, at: 0 }
  const result = yield* alternatives(reading)
  const rest = words[reading.at + 1]
  return rest === undefined ? result : refuse(`${rest}: unknown operand`)
}

/** What an expression comes to, or what is wrong with it. */
export function* judge(name: string, args: ReadonlyArray<string>): Running<boolean | string> {
  if (name === "[" && args.at(-1) !== "]") return "missing ]"
  try {
    return yield* evaluate(name === "[" ? args.slice(0, -1) : args)
  } catch (fault) {
    if (!(fault instanceof TestFault)) throw fault
    return fault.message
  }
}

/** 0 for true, 1 for false, 2 for no expression. */
export function* test(name: string, args: ReadonlyArray<string>): Running<number> {
  const verdict = yield* judge(name, args)
  if (typeof verdict === "boolean") return verdict ? 0 : 1
  yield* complain(`${name}: ${verdict}`)
  return 2
}
