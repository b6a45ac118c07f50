/**
 * Reads a container's log: the rotated files oldest first, then the current one, and with `follow` what is
 * added until the container ends. Lines come as they were written, with stream and time.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { LogDecoder, type LogLine } from "../../domain/container/LogLine.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { Kernel, perform } from "../Kernel.ts"
import { stateOf } from "./observation.ts"

export interface LogOptions {
  /** Lines from the end; −1 for all. */
  readonly tail: number
  /** Nanoseconds since the epoch, inclusive. */
  readonly since: bigint | undefined
  readonly until: bigint | undefined
  readonly follow: boolean
}

const chunk = 65_536

const gone = (error: KernelError): boolean => error.errno === "ENOENT" || error.errno === "ESTALE"

/** One file from `offset` to its present end; gives how far it came and which inode it was. */
const readFile = (path: string, inode: number, offset: number) =>
  Effect.gen(function*() {
    const decoder = new LogDecoder()
    const lines: Array<LogLine> = []
    let at = offset
    let known = inode
    for (;;) {
      const read = yield* perform("FileReadRange", { path, inode: known, offset: at, limit: chunk })
      known = read.inode
      if (read.data.length === 0) break
      at += read.data.length
      lines.push(...decoder.push(read.data))
    }
    // A line that is being written is left for the next read
    return { lines, inode: known, offset: at - decoder.pending }
  })

const oldFiles = (path: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: Math.max(0, count - 1) }, (_, index) => `${path}.${count - 1 - index}`)

const wanted = (options: LogOptions) => (line: LogLine): boolean =>
  (options.since === undefined || line.time >= options.since) &&
  (options.until === undefined || line.time <= options.until)

interface Position {
  readonly inode: number
  readonly offset: number
}

const nowhere: Position = { inode: 0, offset: 0 }

/** All there is now, and where the reading of the current file stopped. */
const readNow = Effect.fnUntraced(function*(
  record: ContainerRecord, options: LogOptions
): Effect.fn.Return<{ readonly lines: ReadonlyArray<LogLine>; readonly position: Position }, KernelError, Kernel | Host> {
  const path = Paths.logFile((yield* Host).paths, record.id)
  const lines: Array<LogLine> = []
  for (const old of oldFiles(path, record.config.log.maxFiles)) {
    const read = yield* readFile(old, 0, 0).pipe(Effect.catchIf(gone, () => Effect.succeed(undefined)))
    if (read !== undefined) lines.push(...read.lines)
  }
  const current = yield* readFile(path, 0, 0).pipe(Effect.catchIf(gone, () => Effect.succeed(undefined)))
  if (current !== undefined) lines.push(...current.lines)
  const kept = lines.filter(wanted(options))
  return {
    lines: options.tail < 0 ? kept : options.tail === 0 ? [] : kept.slice(-options.tail),
    position: current ?? nowhere
  }
})

/** What follows `from`: lines, until the container has ended and nothing more comes. */
const follow = (record: ContainerRecord, options: LogOptions, from: Position) =>
  Stream.unfold({ position: from, last: false }, (state: { readonly position: Position; readonly last: boolean }) =>
    Effect.gen(function*() {
      if (state.last) return undefined
      const path = Paths.logFile((yield* Host).paths, record.id)
      const running = (yield* stateOf(record)).process !== undefined
      const read = yield* readFile(path, state.position.inode, state.position.offset).pipe(
        // Rotated: what was left in the old file is in `path.1` now
        Effect.catchIf((error) => error.errno === "ESTALE", () => readRotated(path, state.position)),
        Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed({ lines: [], ...state.position }))
      )
      if (running && read.lines.length === 0) {
        yield* Effect.raceFirst(
          perform("FileAwait", { path, inode: read.inode, size: read.offset }),
          // The file stays as it is when the container ends
          Effect.sleep("200 millis")
        )
      }
      return [read.lines.filter(wanted(options)), { position: { inode: read.inode, offset: read.offset }, last: !running }] as const
    })).pipe(Stream.flatMap((lines) => Stream.fromIterable(lines)))

const readRotated = (path: string, position: Position) =>
  Effect.gen(function*() {
    const rest = yield* readFile(`${path}.1`, position.inode, position.offset).pipe(
      Effect.catchIf(gone, () => Effect.succeed({ lines: [], inode: 0, offset: 0 }))
    )
    return { lines: rest.lines, inode: 0, offset: 0 }
  })

export const logs = (
  record: ContainerRecord, options: LogOptions
): Stream.Stream<LogLine, KernelError, Kernel | Host> =>
  Stream.unwrap(Effect.map(readNow(record, options), ({ lines, position }) => {
    const now = Stream.fromIterable(lines)
    return options.follow ? Stream.concat(now, follow(record, options, position)) : now
  }))
