/** What the commands that attach have in common: detach keys, signals passed on, and the exit status of an ending. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { defaultDetachKeys, parseDetachKeys } from "../../domain/text/DetachKeys.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import { Engine, type EngineError, type Session } from "../../programs/Engine.ts"
import { text } from "../argv/Flag.ts"
import { type Attachment, attachedSession, notATerminal } from "../terminal/attachedSession.ts"
import { complain } from "../terminal/print.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import { type CommandFailure, refusal } from "./CommandFailure.ts"

export const detachKeysFlag = {
  "detach-keys": text("Override the key sequence for detaching a container")
}

/**
 * The end of `attach` and `exec` by the detach keys, in docker's words: its client takes them for an error
 * (docker/cli, container/hijack.go), that `run` and `start` alone catch: they end with 0 and say nothing.
 */
export const leftByKeys: Effect.Effect<number, OutputClosed, Terminal> = Effect.as(complain("read escape sequence"), 1)

/** Keys as bytes; "" means docker's default. */
export const detachKeysOf = (written: string): Result.Result<Uint8Array, TextError> =>
  parseDetachKeys(written === "" ? defaultDetachKeys : written)

/** With -it docker wants a real terminal, rather than leave the user without an echo. */
export const checkTerminal = (wanted: boolean): Effect.Effect<void, CommandFailure, Terminal> =>
  Effect.flatMap(Terminal, (terminal) =>
    wanted && !terminal.isTerminal("stdin") ? Effect.fail(refusal(notATerminal)) : Effect.void)

/**
 * Passes signals on to a container from now on, before it has started too: those that come early reach it once the
 * effect that this gives is run, when it runs.
 */
export const proxySignals = (
  id: string
): Effect.Effect<Effect.Effect<void>, never, Engine | Terminal | Scope.Scope> => Effect.gen(function*() {
  const engine = yield* Engine
  const terminal = yield* Terminal
  const running = yield* Deferred.make<void>()
  const pass = (signal: number) =>
    Effect.andThen(Deferred.await(running), Effect.ignore(engine.kill(id, signal)))
  yield* Effect.forkScoped(Stream.runForEach(terminal.signals, pass), { startImmediately: true })
  return Effect.asVoid(Deferred.succeed(running, undefined))
})

export interface Joined extends Omit<Attachment, "onSignal"> {
  /** Name or id of the container that signals go to; undefined: they are ours. */
  readonly signalsTo: string | undefined
  /** How the exit status is learned when the session was cut off. */
  readonly status: Effect.Effect<number, EngineError>
}

/** Signals go to whatever runs: one that comes too early or too late is lost, as with docker. */
export const joinSession = (
  session: Session, joined: Joined
): Effect.Effect<
  { readonly status: number; readonly detached: boolean }, EngineError | OutputClosed, Engine | Terminal | Scope.Scope
> => Effect.gen(function*() {
  const engine = yield* Engine
  const { signalsTo } = joined
  const ending = yield* attachedSession(session, {
    ...joined,
    onSignal: signalsTo === undefined ? undefined : (signal) => Effect.ignore(engine.kill(signalsTo, signal))
  })
  switch (ending._tag) {
    case "Exited": return { status: ending.exit.code, detached: false }
    case "Detached": return { status: 0, detached: true }
    case "Lost": return { status: yield* joined.status, detached: false }
  }
})
