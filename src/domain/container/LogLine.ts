/** Lines of a json-file log, as Docker's driver of that name writes them. */

export interface LogLine {
  readonly stream: "stdout" | "stderr"
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  /** With its newline, unless the line was longer than 16 KiB and goes on. */
  readonly text: string
}

/** RFC 3339 with up to nine digits of fraction, UTC; undefined when it is not that. */
export const parseTime = (text: string): bigint | undefined => {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/.exec(text)
  if (match === null) return undefined
  const seconds = Date.parse(`${match[1]}Z`)
  if (Number.isNaN(seconds)) return undefined
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"))
}

const parseLine = (text: string): LogLine | undefined => {
  try {
    const { log, stream, time } = JSON.parse(text) as { log?: unknown; stream?: unknown; time?: unknown }
    const at = typeof time === "string" ? parseTime(time) : undefined
    if (typeof log !== "string" || at === undefined) return undefined
    return { stream: stream === "stderr" ? "stderr" : "stdout", time: at, text: log }
  } catch {
    // A line cut short by a full disk or a crash says nothing
    return undefined
  }
}

/** Bytes of a log in any pieces → lines; damaged lines are passed over. */
export class LogDecoder {
  readonly #text = new TextDecoder()
  #rest = new Uint8Array(0)

  /** Bytes of a line that has no end yet. */
  get pending(): number {
    return this.#rest.length
  }

  push(data: Uint8Array): ReadonlyArray<LogLine> {
    const bytes = new Uint8Array(this.#rest.length + data.length)
    bytes.set(this.#rest)
    bytes.set(data, this.#rest.length)
    const end = bytes.lastIndexOf(0x0a) + 1
    this.#rest = bytes.slice(end)
    if (end === 0) return []
    return this.#text.decode(bytes.subarray(0, end - 1)).split("\n").flatMap((line) => parseLine(line) ?? [])
  }
}
