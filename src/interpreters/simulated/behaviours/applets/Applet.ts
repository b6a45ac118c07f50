/**
 * Programs of a small Unix, as busybox has them: what they print, on which descriptor, and how they
 * end.
 */
import type { Launch } from "../Behaviour.ts"
import { messageOf, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"

/** Arguments without the name; the result is the exit code. */
export type Applet = (args: ReadonlyArray<string>, launch: Launch) => Running<number>

export interface Applets {
  readonly [name: string]: Applet
}

/** One letter each, collected from arguments in front of the first that is none. */
export interface Options {
  readonly flags: ReadonlySet<string>
  /** Values of letters that take one. */
  readonly values: ReadonlyMap<string, string>
  readonly operands: ReadonlyArray<string>
}

/** getopt(3): `valued` are the letters that take a value; options may stand between operands. */
export const parseOptions = (args: ReadonlyArray<string>, valued = ""): Options => {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const operands: Array<string> = []
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!
    if (argument === "--") {
      operands.push(...args.slice(at + 1))
      break
    }
    if (!argument.startsWith("-") || argument === "-") {
      operands.push(argument)
      continue
    }
    for (let index = 1; index < argument.length; index++) {
      const letter = argument[index]!
      if (!valued.includes(letter)) {
        flags.add(letter)
        continue
      }
      values.set(letter, argument.slice(index + 1) || (args[++at] ?? ""))
      break
    }
  }
  return { flags, values, operands }
}

/** The last name of a path. */
export const baseName = (path: string): string => path.replace(/\/+$/, "").split("/").at(-1) || "/"

/** A message on the standard error, and 1. */
export function* complain(message: string): Running<1> {
  yield* write(`${message}\n`, 2)
  return 1
}

/** `name: text 'path': reason`, and 1. */
export const complainOf = (name: string, text: string, path: string, errno: string): Running<1> =>
  complain(`${name}: ${text} '${path}': ${messageOf(errno)}`)
