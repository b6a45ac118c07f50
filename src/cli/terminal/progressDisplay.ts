/** Shows a transfer on one of the output streams: a board that is drawn anew on a terminal, plain lines otherwise. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Observe, Progress } from "../../programs/image/Progress.ts"
import { advanced, type Board, drawn, emptyBoard, plainLine } from "../format/progressBoard.ts"
import { type OutputName, type Size, Terminal } from "./Terminal.ts"

/** Milliseconds between two drawings of bars that only grow. */
const pause = 100

const usualSize: Size = { rows: 24, columns: 80 }

/** Terminals whose size nobody has set, such as serial lines, say that they have none. */
const sizeOr = (size: Size | undefined): Size =>
  size === undefined || size.rows === 0 || size.columns === 0 ? usualSize : size

/** Says nothing. */
export const silent: Observe = () => Effect.void

/**
 * The observer of a transfer. Words about layers share a board; others end it and stand alone. What is left of the board
 * is drawn when the scope closes. That nobody reads any more stops nothing: the transfer is worth its end.
 */
export const progressDisplay = (stream: OutputName): Effect.Effect<Observe, never, Terminal | Scope.Scope> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const write = (text: string) => text === "" ? Effect.void : Effect.ignore(terminal.write(stream, text))
    if (!terminal.isTerminal(stream)) {
      return (progress: Progress) => {
        const line = plainLine(progress)
        return line === undefined ? Effect.void : write(`${line}\n`)
      }
    }
    const one = Semaphore.makeUnsafe(1)
    let board: Board = emptyBoard
    let drawnAt = Number.NEGATIVE_INFINITY
    const draw = Effect.fnUntraced(function*(now: number, ended: boolean) {
      drawnAt = now
      const frame = drawn(board, now, sizeOr(yield* terminal.size), ended)
      board = ended ? emptyBoard : frame.board
      yield* write(frame.text)
    })
    const end = Effect.flatMap(Clock.currentTimeMillis, (now) => board.rows.length === 0 ? Effect.void : draw(now, true))
    yield* Effect.addFinalizer(() => one.withPermits(1)(end))
    return (progress: Progress) => one.withPermits(1)(Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (progress.id === undefined) {
        yield* end
        return yield* write(`${progress.status}\n`)
      }
      const before = board.rows.find(({ id }) => id === progress.id)?.status
      board = advanced(board, progress, now)
      if (before !== progress.status || now - drawnAt >= pause) yield* draw(now, false)
    }))
  })
