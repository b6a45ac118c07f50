/** test(1) and `[`: questions about files, texts and numbers. */
import { facts, status } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { complain } from "./Applet.ts"

function* unary(operator: string, operand: string): Running<boolean | undefined> {
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
  if (!/^-[edfsLhpSbcrwx]$/.test(operator)) return undefined
  const found = yield* status(operand, operator !== "-L" && operator !== "-h")
  if (!found.ok) return false
  const { type, size, mode } = found.value
  const kinds: { readonly [operator: string]: string } = {
    "-d": "directory", "-f": "file", "-L": "symlink", "-h": "symlink", "-p": "fifo", "-S": "socket",
    "-b": "block", "-c": "character"
  }
  if (kinds[operator] !== undefined) return type === kinds[operator]
  if (operator === "-s") return size > 0
  const bits = { "-r": 0o444, "-w": 0o222, "-x": 0o111 }[operator]
  return bits === undefined || (mode & bits) !== 0
}

const binary: { readonly [operator: string]: (left: string, right: string) => boolean } = {
  "=": (left, right) => left === right,
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "-eq": (left, right) => Number(left) === Number(right),
  "-ne": (left, right) => Number(left) !== Number(right),
  "-lt": (left, right) => Number(left) < Number(right),
  "-le": (left, right) => Number(left) <= Number(right),
  "-gt": (left, right) => Number(left) > Number(right),
  "-ge": (left, right) => Number(left) >= Number(right)
}

/** The truth of an expression, or `undefined` when it is none. */
function* evaluate(words: ReadonlyArray<string>): Running<boolean | undefined> {
  const or = words.lastIndexOf("-o")
  const and = words.lastIndexOf("-a")
  if (words.length > 3 && (or > 0 || and > 0)) {
    const at = or > 0 ? or : and
    const left = yield* evaluate(words.slice(0, at))
    const right = yield* evaluate(words.slice(at + 1))
    return left === undefined || right === undefined
      ? undefined
      : or > 0
      ? left || right
      : left && right
  }
  if (words[0] === "!" && words.length > 1) {
    const inner = yield* evaluate(words.slice(1))
    return inner === undefined ? undefined : !inner
  }
  if (words.length === 0) return false
  if (words.length === 1) return words[0] !== ""
  if (words.length === 2) return yield* unary(words[0]!, words[1]!)
  return words.length === 3 ? binary[words[1]!]?.(words[0]!, words[2]!) : undefined
}

/** 0 for true, 1 for false, 2 for no expression. */
export function* test(name: string, args: ReadonlyArray<string>, speaker = name): Running<number> {
  if (name === "[" && args.at(-1) !== "]") {
    yield* complain(`${speaker}: missing ]`)
    return 2
  }
  const result = yield* evaluate(name === "[" ? args.slice(0, -1) : args)
  if (result === undefined) {
    yield* complain(`${speaker}: ${args[0]}: unknown operand`)
    return 2
  }
  return result ? 0 : 1
}
