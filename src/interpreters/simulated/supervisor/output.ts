/**
 * From the container to its log and its clients. Nothing is read while a client has not taken what
 * was said.
 */
import { encodeFrame } from "../../../domain/kernel/frames.ts"
import { attachFlags, FrameType } from "../../../domain/kernel/Supervisor.ts"
import type { Draft } from "../Draft.ts"
import { attributesOf } from "../files/access.ts"
import { rename } from "../files/entryCalls.ts"
import { writeFile } from "../files/fileCalls.ts"
import { alterPipe, alterTerminal } from "../processes/descriptors.ts"
import { clientsPending, publish } from "./clients.ts"
import {
  emptyLine, formatEntry, formatTime, lastEntry, type LogEntry, splitLines
} from "./jsonLog.ts"
import { alterTask, leniently, taskOf } from "./SupervisorState.ts"

type Stream = "stdout" | "stderr"

/** What is read from the container at once. */
const chunkSize = 16_384

/** Mode of docker's own log files. */
const logMode = 0o640

/** Opens the log: it is made when missing, and gone on with otherwise. */
export const openLog = (draft: Draft, pid: number): void => {
  const { log } = taskOf(draft, pid).spec
  if (log === undefined) return
  draft.syscall = "openat"
  const place = writeFile(draft, log.path, "", { mode: logMode, append: true })
  alterTask(draft, pid, { logSize: attributesOf(draft, place).size })
}

/**
 * As docker: with one file it is emptied, else each moves up by one and the last is overwritten.
 */
const rotate = (draft: Draft, pid: number, path: string, maxFiles: number): void => {
  if (maxFiles < 2) leniently(() => void writeFile(draft, path, "", { mode: logMode }))
  else {
    for (let number = maxFiles - 1; number > 1; number--) {
      leniently(() => rename(draft, `${path}.${number - 1}`, `${path}.${number}`))
    }
    leniently(() => rename(draft, path, `${path}.1`))
    leniently(() => void writeFile(draft, path, "", { mode: logMode }))
  }
  alterTask(draft, pid, { logSize: 0 })
}

/** Appends entries, rotating before one that finds the file full. A full disk loses them. */
const writeEntries = (
  draft: Draft,
  pid: number,
  stream: Stream,
  entries: ReadonlyArray<LogEntry>
): void => {
  const { log } = taskOf(draft, pid).spec
  if (log === undefined || taskOf(draft, pid).logSize < 0) return
  let text = ""
  let size = taskOf(draft, pid).logSize
  const flush = () => {
    if (text === "") return
    leniently(() => {
      writeFile(draft, log.path, text, { mode: logMode, append: true })
      alterTask(draft, pid, { logSize: size })
    })
    text = ""
  }
  for (const entry of entries) {
    if (log.maxSize !== 0 && size >= log.maxSize) {
      flush()
      rotate(draft, pid, log.path, log.maxFiles)
      size = 0
    }
    const line = formatEntry(entry, stream)
    text += line
    size += Buffer.byteLength(line)
  }
  flush()
}

const say = (draft: Draft, pid: number, stream: Stream, data: Uint8Array): void => {
  const { lines } = taskOf(draft, pid)
  const [entries, line] = splitLines(lines[stream], data, formatTime(draft.now))
  alterTask(draft, pid, { lines: { ...lines, [stream]: line } })
  writeEntries(draft, pid, stream, entries)
  publish(draft, pid, encodeFrame(FrameType[stream], data), attachFlags[stream])
}

/** Up to one chunk out of a list of pieces, and the pieces that are left. */
const cut = (
  pieces: ReadonlyArray<Uint8Array>
): readonly [Uint8Array, ReadonlyArray<Uint8Array>] => {
  const [first = new Uint8Array(0), ...rest] = pieces
  if (first.length >= chunkSize) {
    const left = first.subarray(chunkSize)
    return [first.subarray(0, chunkSize), left.length === 0 ? rest : [left, ...rest]]
  }
  let size = first.length
  let count = 1
  while (count < pieces.length && size + pieces[count]!.length <= chunkSize) {
    size += pieces[count++]!.length
  }
  return [
    count === 1 ? first : new Uint8Array(Buffer.concat(pieces.slice(0, count))),
    pieces.slice(count)
  ]
}

const readPipe = (draft: Draft, id: number): Uint8Array | undefined => {
  const pipe = draft.pipes.get(id)
  if (pipe === undefined || pipe.chunks.length === 0) return undefined
  const [data, chunks] = cut(pipe.chunks)
  alterPipe(draft, id, { chunks, size: pipe.size - data.length })
  return data
}

const readTerminal = (draft: Draft, id: number): Uint8Array | undefined => {
  const terminal = draft.terminals.get(id)
  if (terminal === undefined || terminal.output.length === 0) return undefined
  const [data, output] = cut(terminal.output)
  alterTerminal(draft, id, { output })
  return data
}

/** Reads what there is, logs and publishes it; false when a client is in the way. */
export const readOutputs = (draft: Draft, pid: number): boolean => {
  for (;;) {
    if (clientsPending(draft, pid)) return false
    const { stdout, stderr, terminal } = taskOf(draft, pid)
    const typed = readTerminal(draft, terminal)
    const out = typed ?? readPipe(draft, stdout)
    if (out !== undefined) say(draft, pid, "stdout", out)
    if (clientsPending(draft, pid)) return false
    const error = readPipe(draft, stderr)
    if (error !== undefined) say(draft, pid, "stderr", error)
    if (out === undefined && error === undefined) return true
  }
}

/** The last entries; the log is closed then. */
export const closeLog = (draft: Draft, pid: number): void => {
  const { lines } = taskOf(draft, pid)
  const time = formatTime(draft.now)
  for (const stream of ["stdout", "stderr"] as const) {
    writeEntries(draft, pid, stream, lastEntry(lines[stream], time))
  }
  alterTask(draft, pid, { lines: { stdout: emptyLine, stderr: emptyLine }, logSize: -1 })
}
