/** Questions to the user: a line, a line that is not shown, yes or no. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { OutputClosed } from "./Terminal.ts"
import { Terminal } from "./Terminal.ts"

/** Bytes of an answer that are taken: more is no answer. */
const longest = 65_536

const LF = 10
const CR = 13

/** The first line of stdin without its end; what there is where stdin ends without one. */
export const readLine: Effect.Effect<string, never, Terminal> = Effect.gen(function*() {
  const terminal = yield* Terminal
  const bytes: Array<number> = []
  yield* terminal.input.pipe(
    Stream.takeUntil((piece) => {
      for (const byte of piece) {
        if (byte === LF || bytes.length >= longest) return true
        bytes.push(byte)
      }
      return false
    }),
    Stream.runDrain
  )
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\r$/, "")
})

const prompt = (text: string): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.flatMap(Terminal, (terminal) => terminal.write("stdout", text))

export const askLine = (question: string): Effect.Effect<string, OutputClosed, Terminal> =>
  Effect.andThen(prompt(question), readLine)

/** Whether the answer is `y`: no answer is none. */
export const confirm = (question: string): Effect.Effect<boolean, OutputClosed, Terminal> =>
  Effect.map(askLine(`${question} [y/N] `), (answer) => /^y$/i.test(answer.trim()))

interface Typed {
  readonly text: ReadonlyArray<number>
  readonly done: "no" | "yes" | "interrupted"
}

/** Keys of a line editor that shows nothing: erase (DEL, BS), kill (^U), end (^D, CR, LF), and ^C. */
const type = (before: Typed, byte: number): Typed => {
  if (before.done !== "no") return before
  switch (byte) {
    case CR: case LF: case 4: return { ...before, done: "yes" }
    case 3: return { ...before, done: "interrupted" }
    case 8: case 127: {
      // A whole character of UTF-8
      const start = before.text.findLastIndex((one) => (one & 0xc0) !== 0x80)
      return { ...before, text: before.text.slice(0, Math.max(0, start)) }
    }
    case 21: return { ...before, text: [] }
    default: return before.text.length >= longest ? before : { ...before, text: [...before.text, byte] }
  }
}

/** A line that the terminal does not show. ^C ends the command. */
export const askSecret = (question: string): Effect.Effect<string, OutputClosed, Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    yield* prompt(question)
    const typed = yield* Effect.scoped(Effect.gen(function*() {
      yield* terminal.raw
      const nothing: Typed = { text: [], done: "no" }
      return yield* terminal.input.pipe(
        Stream.scan((): Typed => nothing, (before, piece) => piece.reduce(type, before)),
        Stream.takeUntil(({ done }) => done !== "no"),
        Stream.runLast,
        Effect.map(Option.getOrElse(() => nothing))
      )
    }))
    yield* prompt("\n")
    if (typed.done === "interrupted") return yield* Effect.interrupt
    return new TextDecoder().decode(new Uint8Array(typed.text))
  })
