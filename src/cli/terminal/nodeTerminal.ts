/** The terminal and standard streams of this process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { write } from "node:fs"
import type { NodeSignals } from "./NodeSignals.ts"
import { OutputClosed, type OutputName, type Size, Terminal } from "./Terminal.ts"

const descriptors = { stdin: 0, stdout: 1, stderr: 2 } as const

/** The next bytes of stdin, undefined at its end. One that cannot be read (a directory, a lost terminal) has ended. */
const readInput: Effect.Effect<Uint8Array | undefined> = Effect.callback((resume) => {
  const { stdin } = process
  const finish = (data: Uint8Array | undefined) => {
    forget()
    resume(Effect.succeed(data))
  }
  const attempt = () => {
    const data = stdin.read() as Uint8Array | null
    if (data !== null) finish(data)
    else if (stdin.readableEnded || stdin.destroyed) finish(undefined)
  }
  const end = () => finish(undefined)
  const forget = () => {
    stdin.off("readable", attempt)
    stdin.off("end", end)
    stdin.off("error", end)
  }
  stdin.on("readable", attempt)
  stdin.on("end", end)
  stdin.on("error", end)
  attempt()
  return Effect.sync(forget)
})

const input: Stream.Stream<Uint8Array> = Stream.unfold(undefined, () =>
  Effect.map(readInput, (data) => data === undefined ? undefined : [data, undefined] as const))

/**
 * Written by a pool thread, so that a reader who is slow holds up nothing but the writer, and without Node's
 * streams, which take long to load. A descriptor that somebody made non-blocking is left to those.
 */
const writeAll = (
  name: OutputName, bytes: Uint8Array, done: (fault: NodeJS.ErrnoException | null | undefined) => void
): void => {
  write(descriptors[name], bytes, (fault, written) => {
    if (fault?.code === "EAGAIN") process[name].write(bytes, done)
    else if (fault !== null || written === bytes.length) done(fault)
    else writeAll(name, bytes.subarray(written), done)
  })
}

const writeOutput = (name: OutputName, data: string | Uint8Array): Effect.Effect<void, OutputClosed> => {
  const bytes = typeof data === "string" ? Buffer.from(data) : data
  if (bytes.length === 0) return Effect.void
  return Effect.callback((resume) => {
    writeAll(name, bytes, (fault) =>
      resume(fault === null || fault === undefined
        ? Effect.void
        : Effect.fail(new OutputClosed({ stream: name, errno: fault.code ?? "EIO" }))))
  })
}

const sizeNow = (): Size | undefined =>
  process.stdout.isTTY ? { rows: process.stdout.rows, columns: process.stdout.columns } : undefined

const resizes: Stream.Stream<Size> = Stream.callback((queue) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const listener = () => {
        const size = sizeNow()
        if (size !== undefined) Queue.offerUnsafe(queue, size)
      }
      process.stdout.on("resize", listener)
      return listener
    }),
    (listener) => Effect.sync(() => process.stdout.off("resize", listener))
  ))

/**
 * Node's raw mode leaves output processing on, by which a line feed also goes to the first column; `plainOutput`
 * turns that off (1: done). Node puts the terminal back when the process ends of itself.
 */
const raw = (plainOutput: (descriptor: number) => unknown) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const restore = () => process.stdin.setRawMode(false)
      process.stdin.setRawMode(true)
      plainOutput(descriptors.stdin)
      process.on("exit", restore)
      return restore
    }),
    (restore) => Effect.sync(() => {
      process.off("exit", restore)
      restore()
    })
  )

export const nodeTerminal = (
  options: { readonly signals: NodeSignals; readonly plainOutput: (descriptor: number) => unknown }
): Layer.Layer<Terminal> =>
  Layer.succeed(Terminal, {
    input,
    write: writeOutput,
    isTerminal: (stream) => process.getBuiltinModule("node:tty").isatty(descriptors[stream]),
    size: Effect.sync(sizeNow),
    resizes,
    raw: Effect.asVoid(raw(options.plainOutput)),
    signals: options.signals.taken
  })
