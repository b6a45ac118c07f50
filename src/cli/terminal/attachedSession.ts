/**
 * Joins a session with the user's terminal: bytes both ways, window sizes, the keys that detach, and signals
 * passed on, as `run`, `start -a`, `attach` and `exec` have it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type DetachMatcher, detachMatcher, feed, withheld } from "../../domain/text/DetachKeys.ts"
import type { EngineError, Session } from "../../programs/Engine.ts"
import type { Ending } from "../../programs/container/session.ts"
import { type OutputClosed, Terminal } from "./Terminal.ts"

export interface Attachment {
  readonly stdin: boolean
  /** The other side is a terminal too. */
  readonly tty: boolean
  /** Only looked for in what is typed into a terminal. */
  readonly detachKeys: Uint8Array
  /** What a signal sent to us does; undefined: signals are ours. */
  readonly onSignal: ((signal: number) => Effect.Effect<void>) | undefined
  /**
   * A program that was there before redraws its screen only when the size changes: the terminal is made a row
   * higher for a moment, as docker's attach does.
   */
  readonly redraw: boolean
}

/** `input` without the detach sequence; once that was typed nothing follows, not even the end. */
const watched = (
  input: Stream.Stream<Uint8Array>, keys: Uint8Array, detached: Deferred.Deferred<void>
): Stream.Stream<Uint8Array> => Stream.suspend(() => {
  let matcher: DetachMatcher = detachMatcher(keys)
  const passed = Stream.flatMap(input, (bytes) => {
    const fed = feed(matcher, bytes)
    matcher = fed.matcher
    const forward = fed.forward.length === 0 ? Stream.empty : Stream.succeed(fed.forward)
    return fed.detached
      ? Stream.concat(forward, Stream.fromEffect(Effect.andThen(Deferred.succeed(detached, undefined), Effect.never)))
      : forward
  })
  const rest = Stream.suspend(() => {
    const bytes = withheld(matcher)
    return bytes.length === 0 ? Stream.empty : Stream.succeed(bytes)
  })
  return Stream.concat(passed, rest)
})

const sizesOf = (terminal: Terminal["Service"], redraw: boolean) =>
  Stream.unwrap(Effect.map(terminal.size, (size) => {
    if (size === undefined) return terminal.resizes
    const first = redraw ? Stream.make({ ...size, rows: size.rows + 1 }, size) : Stream.make(size)
    return Stream.concat(first, terminal.resizes)
  }))

/**
 * Runs the session to its end. With a terminal on both sides the user's is in raw mode meanwhile, and only then: what
 * is printed afterwards is for a terminal as it was.
 */
export const attachedSession = (
  session: Session, attachment: Attachment
): Effect.Effect<Ending, EngineError | OutputClosed, Terminal | Scope.Scope> => Effect.gen(function*() {
  const terminal = yield* Terminal
  const detached = yield* Deferred.make<void>()
  const typed = attachment.stdin && attachment.tty && terminal.isTerminal("stdin")
  const input = attachment.tty ? watched(terminal.input, attachment.detachKeys, detached) : terminal.input
  const { onSignal } = attachment
  if (onSignal !== undefined) {
    yield* Effect.forkScoped(Stream.runForEach(terminal.signals, onSignal), { startImmediately: true })
  }
  return yield* Effect.scoped(Effect.andThen(typed ? terminal.raw : Effect.void, session.run({
    input: attachment.stdin ? input : undefined,
    output: terminal.write,
    sizes: attachment.tty ? sizesOf(terminal, attachment.redraw) : Stream.empty,
    detached: Deferred.await(detached)
  })))
})

/** As docker's client refuses a terminal that is none. */
export const notATerminal = "the input device is not a TTY"
