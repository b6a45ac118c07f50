/** Lines to the user. */
import * as Effect from "effect/Effect"
import { type OutputClosed, Terminal } from "./Terminal.ts"

/** A line on stdout. */
export const printLine = (text: string): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.flatMap(Terminal, (terminal) => terminal.write("stdout", `${text}\n`))

/** Text on stdout as it is. */
export const print = (text: string | Uint8Array): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.flatMap(Terminal, (terminal) => terminal.write("stdout", text))

/** A line on stderr. */
export const complain = (text: string): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.flatMap(Terminal, (terminal) => terminal.write("stderr", `${text}\n`))

export const warn = (warnings: ReadonlyArray<string>): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.forEach(warnings, (warning) => complain(`WARNING: ${warning}`), { discard: true })
