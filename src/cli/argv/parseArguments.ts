/** Takes a command's arguments apart as pflag does, with pflag's words for what it cannot read. Pure. */
import * as Result from "effect/Result"
import type { Flag, Flags, Values } from "./Flag.ts"

export interface Parsed<F extends Flags> {
  readonly values: Values<F>
  /** Names of the flags that were given, whatever their value. */
  readonly given: ReadonlySet<keyof F & string>
  /** What is left: the arguments proper. */
  readonly arguments: ReadonlyArray<string>
}

export interface Grammar {
  /** Whether flags may still come after the first argument: not so where that begins another command line. */
  readonly interspersed: boolean
}

/** How an error names a flag: `-m, --memory` or `--rm`. */
const flagTitle = (name: string, flag: Flag<unknown>): string =>
  flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`

class Parsing<F extends Flags> {
  readonly values: Record<string, unknown> = {}
  readonly given = new Set<string>()
  readonly #flags: F
  readonly #names = new Map<string, string>()
  readonly #shorts = new Map<string, string>()

  constructor(flags: F) {
    this.#flags = flags
    for (const [name, flag] of Object.entries(flags)) {
      this.values[name] = flag.initial
      for (const known of [name, ...flag.aliases]) this.#names.set(known, name)
      if (flag.short !== undefined) this.#shorts.set(flag.short, name)
    }
  }

  #set(name: string, text: string): string | undefined {
    const flag = this.#flags[name]!
    const value = flag.add(this.values[name], text)
    if (Result.isFailure(value)) {
      const title = flagTitle(name, flag)
      return `invalid argument ${JSON.stringify(text)} for "${title}" flag: ${value.failure}`
    }
    this.values[name] = value.success
    this.given.add(name)
    return undefined
  }

  /** `--name`, `--name=value` or `--name value`; gives how many of `rest` were used, or the failure. */
  long(argument: string, rest: ReadonlyArray<string>): number | string {
    const body = argument.slice(2)
    if (body.startsWith("-") || body.startsWith("=")) return `bad flag syntax: ${argument}`
    const equals = body.indexOf("=")
    const written = equals < 0 ? body : body.slice(0, equals)
    const name = this.#names.get(written)
    if (name === undefined) return `unknown flag: --${written}`
    if (equals >= 0) return this.#set(name, body.slice(equals + 1)) ?? 0
    if (this.#flags[name]!.type === "") return this.#set(name, "true") ?? 0
    return rest[0] === undefined ? `flag needs an argument: --${written}` : this.#set(name, rest[0]) ?? 1
  }

  /** `-it`, `-eA=1`, `-e=A=1`, `-e A=1`; gives how many of `rest` were used, or the failure. */
  short(argument: string, rest: ReadonlyArray<string>): number | string {
    let letters = argument.slice(1)
    while (letters !== "") {
      const letter = String.fromCodePoint(letters.codePointAt(0)!)
      const name = this.#shorts.get(letter)
      if (name === undefined) return `unknown shorthand flag: '${letter}' in -${letters}`
      const after = letters.slice(letter.length)
      if (after.startsWith("=") && after.length > 1) return this.#set(name, after.slice(1)) ?? 0
      if (this.#flags[name]!.type !== "") {
        if (after !== "") return this.#set(name, after) ?? 0
        if (rest[0] === undefined) return `flag needs an argument: '${letter}' in -${letters}`
        return this.#set(name, rest[0]) ?? 1
      }
      const failed = this.#set(name, "true")
      if (failed !== undefined) return failed
      letters = after
    }
    return 0
  }
}

/**
 * `--` ends the flags, and so does the first argument unless `interspersed`. Fails at the first thing that
 * cannot be read, with the sentence to print.
 */
export const parseArguments = <F extends Flags>(
  flags: F, argv: ReadonlyArray<string>, grammar: Grammar
): Result.Result<Parsed<F>, string> => {
  const parsing = new Parsing(flags)
  const others: Array<string> = []
  let index = 0
  while (index < argv.length) {
    const argument = argv[index]!
    index++
    if (argument === "--") {
      others.push(...argv.slice(index))
      break
    }
    if (!argument.startsWith("-") || argument === "-") {
      others.push(argument)
      if (grammar.interspersed) continue
      others.push(...argv.slice(index))
      break
    }
    const rest = argv.slice(index)
    const used = argument.startsWith("--") ? parsing.long(argument, rest) : parsing.short(argument, rest)
    if (typeof used === "string") return Result.fail(used)
    index += used
  }
  return Result.succeed({
    values: parsing.values as Values<F>, given: parsing.given as ReadonlySet<keyof F & string>, arguments: others
  })
}
