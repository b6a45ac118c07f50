/**
 * Flags as data: a table of them is all that the parser and the help texts need.
 *
 * The grammar is our own rather than effect/cli's. Docker's command line is pflag's (flags end at the image,
 * `-eA=1`, `-it`, `--rm=false`), with its words for every mistake, and start-up time is part of every `run`:
 * a table and two small pure functions give both, where effect/cli would need a normaliser in front, another
 * voice for its errors, and some 30 ms.
 */
import * as Result from "effect/Result"
import { readBoolean } from "../../domain/text/flags/readBoolean.ts"
import { parseBigInteger, parseInteger } from "../../domain/text/Integer.ts"
import { parseDuration } from "../../domain/text/GoDuration.ts"
import type { TextError } from "../../domain/text/TextError.ts"

/** One flag. Each time it is given, `add` puts the text into the value so far; a failure says what is wrong with it. */
export interface Flag<out A> {
  readonly usage: string
  /** One character. */
  readonly short: string | undefined
  /** Names that mean the same and are not shown in the help. */
  readonly aliases: ReadonlyArray<string>
  /** As the help names the value; "" for a boolean, which needs none. */
  readonly type: string
  /** What the help says is the default, in the form it says it; "" for nothing. */
  readonly shownDefault: string
  readonly hidden: boolean
  readonly initial: A
  readonly add: (value: any, text: string) => Result.Result<A, string>
}

export type Flags = { readonly [name: string]: Flag<unknown> }

export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? A : never }

export interface Look {
  readonly short?: string
  readonly aliases?: ReadonlyArray<string>
  readonly type?: string
  readonly shownDefault?: string
  readonly hidden?: boolean
}

const look = (usage: string, given: Look, type: string) => ({
  usage, short: given.short, aliases: given.aliases ?? [], type: given.type ?? type,
  shownDefault: given.shownDefault ?? "", hidden: given.hidden ?? false
})

const cause = <A>(parsed: Result.Result<A, TextError>): Result.Result<A, string> =>
  Result.mapError(parsed, (error) => error.cause)

export const boolean = (usage: string, given: Look & { readonly initial?: boolean } = {}): Flag<boolean> => ({
  ...look(usage, given, ""),
  initial: given.initial ?? false,
  add: (_, text) => {
    const value = readBoolean(text)
    return value === undefined
      ? Result.fail(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
      : Result.succeed(value)
  }
})

/** Any text; `initial` where the flag is not given. */
export const text = (usage: string, given: Look & { readonly initial?: string } = {}): Flag<string> => ({
  ...look(usage, given, "string"), initial: given.initial ?? "", add: (_, value) => Result.succeed(value)
})

/** What `parse` makes of the text; undefined where the flag is not given. */
export const value = <A>(
  usage: string, parse: (text: string) => Result.Result<A, TextError>, given: Look & { readonly type: string }
): Flag<A | undefined> => ({
  ...look(usage, given, given.type), initial: undefined, add: (_, written) => cause(parse(written))
})

/** A whole number of 64 bits (in JavaScript's exact range), also in Go's 0x and 0b forms. */
export const integer = (usage: string, given: Look = {}): Flag<number | undefined> =>
  value(usage, (written) => parseInteger(written, { operation: "number" }), { type: "int", ...given })

/** Nanoseconds. */
export const duration = (usage: string, given: Look = {}): Flag<bigint | undefined> =>
  value(usage, parseDuration, { type: "duration", shownDefault: "0s", ...given })

/** pflag's uint16. */
export const uint16 = (usage: string, given: Look = {}): Flag<number | undefined> =>
  value(
    usage,
    (written) => Result.map(parseBigInteger(written, { operation: "number", signed: false, maximum: 65535n }), Number),
    { type: "uint16", ...given }
  )

/** May be given again and again; `parse` looks at each. */
export const list = <A = string>(
  usage: string, given: Look & { readonly parse?: (text: string) => Result.Result<A, TextError> } = {}
): Flag<ReadonlyArray<A>> => ({
  ...look(usage, given, "list"),
  initial: [],
  add: (values: ReadonlyArray<A>, written) =>
    given.parse === undefined
      ? Result.succeed([...values, written as A])
      : Result.map(cause(given.parse(written)), (one) => [...values, one])
})
