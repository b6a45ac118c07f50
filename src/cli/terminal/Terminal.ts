/**
 * The streams between a command and the user who typed it: the three standard streams, what is known of the
 * terminal behind them, and the signals that arrive meanwhile.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

export type OutputName = "stdout" | "stderr"

/** Nobody reads any more (EPIPE), or the write failed: `errno` says which. */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{
  readonly stream: OutputName
  readonly errno: string
}> {}

/** Of a terminal, in characters. */
export interface Size {
  readonly rows: number
  readonly columns: number
}

export class Terminal extends Context.Service<Terminal, {
  /** Bytes of stdin until its end; nothing is read before it is run. */
  readonly input: Stream.Stream<Uint8Array>
  /** Done when the kernel has taken the data: a slow reader slows its writer. */
  readonly write: (stream: OutputName, data: string | Uint8Array) => Effect.Effect<void, OutputClosed>
  readonly isTerminal: (stream: "stdin" | OutputName) => boolean
  /** Of the terminal that stdout is; undefined when it is none. */
  readonly size: Effect.Effect<Size | undefined>
  /** The new size after each change. */
  readonly resizes: Stream.Stream<Size>
  /** No echo, no line editing, no keys that make signals, until the scope closes or the program ends, however. */
  readonly raw: Effect.Effect<void, never, Scope.Scope>
  /**
   * Numbers of the signals sent to this program. While this runs they come here and do not end it; all but those
   * that speak of the program itself: CHLD, PIPE, URG, WINCH, TTIN, TTOU and faults.
   */
  readonly signals: Stream.Stream<number>
}>()("fx/cli/terminal/Terminal") {}
