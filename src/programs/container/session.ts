/**
 * A client's session on a supervisor's channel: output out, input in, until the exit is told, the channel
 * ends, or the user detaches. The terminal or socket on the client's side comes in as streams and a sink.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { decodeFrames, resizeFrame, stdinEndFrame, stdinFrame } from "../../domain/kernel/frames.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { ExitStatus, Frame } from "../../domain/kernel/Supervisor.ts"
import { Kernel, perform } from "../Kernel.ts"

export interface Client<E, R> {
  /** `undefined`: no input is wanted. Its end closes the container's stdin. */
  readonly input: Stream.Stream<Uint8Array, E, R> | undefined
  readonly output: (stream: "stdout" | "stderr", data: Uint8Array) => Effect.Effect<void, E, R>
  readonly sizes: Stream.Stream<{ readonly rows: number; readonly columns: number }, E, R>
  /** Completes when the user asks to leave the container running. */
  readonly detached: Effect.Effect<void, E, R>
}

export type Ending =
  | { readonly _tag: "Exited"; readonly exit: ExitStatus }
  | { readonly _tag: "Detached" }
  /** The supervisor has gone without a word. */
  | { readonly _tag: "Lost" }

/** Writing to a supervisor that has just ended is no failure: the reader learns of the end. */
const write = (channel: number, frames: Uint8Array): Effect.Effect<void, KernelError, Kernel> =>
  perform("ChannelWrite", { channel, frames }).pipe(
    Effect.catchIf((error) => error.errno === "EPIPE" || error.errno === "ECONNRESET", () => Effect.void)
  )

const handle = <E, R>(client: Client<E, R>, frames: ReadonlyArray<Frame>) =>
  Effect.gen(function*() {
    for (const frame of frames) {
      if (frame._tag === "Output") yield* client.output(frame.stream, frame.data)
      if (frame._tag === "Exited") return frame.exit
    }
    return undefined
  })

const readToEnd = <E, R>(channel: number, client: Client<E, R>, early: ReadonlyArray<Frame>) =>
  Effect.gen(function*() {
    let frames = early
    for (;;) {
      const exit = yield* handle(client, frames)
      if (exit !== undefined) return { _tag: "Exited", exit } as const
      const bytes = yield* perform("ChannelRead", { channel })
      if (bytes.length === 0) return { _tag: "Lost" } as const
      frames = decodeFrames(bytes)
    }
  })

/** `early`: frames that were read before the session began. The channel stays the caller's. */
export const session = <E, R>(
  channel: number, client: Client<E, R>, early: ReadonlyArray<Frame>
): Effect.Effect<Ending, E | KernelError, R | Kernel> =>
  Effect.gen(function*() {
    const fibers = [
      ...(client.input === undefined ? [] : [
        client.input.pipe(
          Stream.runForEach((data) => write(channel, stdinFrame(data))),
          Effect.andThen(write(channel, stdinEndFrame))
        )
      ]),
      Stream.runForEach(client.sizes, ({ columns, rows }) => write(channel, resizeFrame(rows, columns)))
    ]
    const forked = yield* Effect.forEach(fibers, (one) => Effect.forkChild(one))
    const left = Effect.as(client.detached, { _tag: "Detached" } as const)
    const ending: Ending = yield* Effect.raceFirst(readToEnd(channel, client, early), left)
    yield* Fiber.interruptAll(forked)
    return ending
  })
