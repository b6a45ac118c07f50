/**
 * Transfers as they go, drawn: a row for each layer with docker's bar, how fast it goes, and a line of all together. In a
 * pipe what happens is told in plain lines. Pure: whoever draws keeps the board and knows the time.
 */
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Progress } from "../../programs/image/Progress.ts"
import type { Size } from "../terminal/Terminal.ts"

interface Row {
  readonly id: string
  readonly status: string
  /** Whether bytes are moving: a bar is drawn. */
  readonly moving: boolean
  /** Bytes, as far as they were told. */
  readonly current: number
  readonly total: number
  /** The first word about bytes: milliseconds, and how many there were by then. */
  readonly since: number
  readonly from: number
}

export interface Board {
  readonly rows: ReadonlyArray<Row>
  /** Lines of the screen above the cursor that are the board's. */
  readonly drawn: number
}

export const emptyBoard: Board = { rows: [], drawn: 0 }

const rowAfter = (before: Row | undefined, { current, id = "", status, total }: Progress, now: number): Row => {
  const known = before ?? { id, current: 0, total: 0, since: now, from: 0 }
  if (current === undefined) {
    // What has come to an end has come whole
    return { ...known, id, status, moving: false, current: before?.moving === true ? known.total : known.current }
  }
  // Other bytes than before, which may come at another pace
  const first = before === undefined || before.total === 0 || before.status !== status
  return {
    ...known, id, status, moving: true, current, total: total ?? known.total,
    ...(first ? { since: now, from: current } : {})
  }
}

/** With a word about a layer. */
export const advanced = (board: Board, progress: Progress, now: number): Board => {
  const at = board.rows.findIndex(({ id }) => id === progress.id)
  return at < 0
    ? { ...board, rows: [...board.rows, rowAfter(undefined, progress, now)] }
    : { ...board, rows: board.rows.with(at, rowAfter(board.rows[at], progress, now)) }
}

const size = (bytes: number): string => formatDecimalSize(bytes, 4)

/** Bytes a second, or "" while nobody can tell. */
const rate = (bytes: number, milliseconds: number): string =>
  bytes <= 0 || milliseconds <= 0 ? "" : `${formatDecimalSize(bytes / milliseconds * 1000, 3)}/s`

/** moby, pkg/jsonmessage: the bar is half as wide as a hundred. */
const widestBar = 50
const narrowestBar = 10

const bar = (part: number, width: number): string => {
  const done = Math.min(width, Math.floor(part * width))
  return `[${"=".repeat(done)}>${" ".repeat(width - done)}] `
}

/** One row in at most `columns` characters where the texts allow it. */
export const rowText = (row: Row, now: number, columns: number): string => {
  const head = `${row.id}: ${row.status} `
  if (!row.moving) return head.trimEnd()
  const amount = row.total === 0 ? size(row.current) : `${size(row.current).padStart(8)}/${size(row.total)}`
  const speed = rate(row.current - row.from, now - row.since)
  const tail = speed === "" ? amount : `${amount}  ${speed}`
  // Brackets, the arrow and a space
  const room = Math.min(widestBar, columns - head.length - tail.length - 4)
  return row.total === 0 || room < narrowestBar ? head + tail.trimStart() : head + bar(row.current / row.total, room) + tail
}

/** All that moves and has moved; undefined where nothing has. */
const sumText = (rows: ReadonlyArray<Row>, now: number, ended: boolean): string | undefined => {
  const moved = rows.filter(({ total }) => total > 0)
  if (moved.length === 0) return undefined
  const sum = (of: (row: Row) => number) => moved.reduce((bytes, row) => bytes + of(row), 0)
  const speed = rate(sum(({ current, from }) => current - from), now - Math.min(...moved.map(({ since }) => since)))
  const come = size(sum(({ current }) => current))
  const amount = ended ? come : `${come} of ${size(sum(({ total }) => total))}`
  return `Total: ${amount}${speed === "" ? "" : `, ${speed}`}`
}

/** What the screen has room for: what is over goes first, from the top. */
const visible = (rows: ReadonlyArray<Row>, room: number): ReadonlyArray<Row> => {
  let surplus = rows.length - room
  const unfinished = rows.filter(({ moving }) => moving || surplus-- <= 0)
  return unfinished.slice(0, Math.max(1, room))
}

/** console_codes(4): up by lines; the whole line cleared. */
const up = (lines: number): string => lines === 0 ? "" : `\x1b[${lines}A`
const clearLine = "\r\x1b[2K"
const clearBelow = "\x1b[J"

/** What redraws the board where it stands, the cursor on the line below it. `ended`: for the last time. */
export const drawn = (
  board: Board, now: number, screen: Size, ended: boolean
): { readonly text: string; readonly board: Board } => {
  const sum = sumText(board.rows, now, ended)
  // A line for the sum, and the one that the cursor is on
  const rows = visible(board.rows, screen.rows - 2)
  const lines = [...rows.map((row) => rowText(row, now, screen.columns)), ...(sum === undefined ? [] : [sum])]
    .map((line) => line.slice(0, screen.columns))
  const text = up(board.drawn) + lines.map((line) => `${clearLine}${line}\n`).join("") + (lines.length < board.drawn ? clearBelow : "")
  return { text, board: { ...board, drawn: lines.length } }
}

/** The line for a pipe; undefined for what is only worth a bar. */
export const plainLine = ({ current, id, status }: Progress): string | undefined =>
  current === undefined ? (id === undefined ? status : `${id}: ${status}`) : undefined
