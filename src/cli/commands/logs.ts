/** `logs`: what a container has written, and with -f what it goes on to write. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { LogLine } from "../../domain/container/LogLine.ts"
import { formatLogTimestamp, parseTimestamp } from "../../domain/text/Timestamp.ts"
import { Engine } from "../../programs/Engine.ts"
import { boolean, text } from "../argv/Flag.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { type OutputName, Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

const flags = {
  details: boolean("Show extra details provided to logs"),
  follow: boolean("Follow log output", { short: "f" }),
  since: text(`Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)`),
  tail: text("Number of lines to show from the end of the logs", { short: "n", initial: "all", shownDefault: `"all"` }),
  timestamps: boolean("Show timestamps", { short: "t" }),
  until: text(`Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)`)
}

const tailOf = (written: string) =>
  written === "all" || written === ""
    ? Effect.succeed(-1)
    : /^-?[0-9]{1,15}$/.test(written)
    ? Effect.succeed(Math.max(-1, Number(written)))
    : Effect.fail(refusal(`invalid value for --tail: ${JSON.stringify(written)}: write a number of lines or all`))

/** A point in time, undefined for "". */
const timeOf = Effect.fnUntraced(function*(written: string) {
  if (written === "") return undefined
  const now = yield* Clock.currentTimeNanos
  const { zone } = yield* Surroundings
  const localZoneMinutes = zone(Number(now / 1_000_000n)).minutes
  return yield* Effect.fromResult(parseTimestamp(written, { now, localZoneMinutes }))
})

/** Puts marks before lines; a piece of a long line that goes on gets none. */
const marking = (marks: { readonly timestamps: boolean; readonly details: boolean }) => {
  const unfinished = { stdout: false, stderr: false }
  return (line: LogLine): string => {
    const goesOn = unfinished[line.stream]
    unfinished[line.stream] = !line.text.endsWith("\n")
    if (goesOn) return line.text
    // Details are attributes that log options ask for: none of those that there are has any
    return `${marks.timestamps ? `${formatLogTimestamp(line.time)} ` : ""}${marks.details ? " " : ""}${line.text}`
  }
}

/** Neighbours of one stream in one write. */
const runs = (lines: ReadonlyArray<LogLine>, mark: (line: LogLine) => string) => {
  const joined: Array<{ readonly stream: OutputName; text: string }> = []
  for (const line of lines) {
    const last = joined.at(-1)
    if (last?.stream === line.stream) last.text += mark(line)
    else joined.push({ stream: line.stream, text: mark(line) })
  }
  return joined
}

export const logs = command({
  forms: ["[OPTIONS] CONTAINER"],
  summary: "Fetch the logs of a container",
  flags,
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [reference = ""], values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const terminal = yield* Terminal
    const { record } = yield* engine.find("logs", reference)
    if (record.config.log.driver === "none") {
      return yield* refusal(
        "configured logging driver does not support reading: the container was made with --log-driver none"
      )
    }
    const lines = engine.logs(record.id, {
      tail: yield* tailOf(values.tail), since: yield* timeOf(values.since), until: yield* timeOf(values.until),
      follow: values.follow
    })
    const mark = marking(values)
    yield* Stream.runForEachArray(lines, (some) =>
      Effect.forEach(runs(some, mark), ({ stream, text: joined }) => terminal.write(stream, joined), { discard: true }))
    return 0
  })
})
