/** `stats`: what containers use, once or again and again. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { formatRows } from "../../domain/text/formatRows.ts"
import { Engine, type StatsSample } from "../../programs/Engine.ts"
import { boolean, text } from "../argv/Flag.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { statsListing, type StatsRow } from "../format/statsListing.ts"
import { print } from "../terminal/print.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"

const flags = {
  all: boolean("Show all containers (default shows just running)", { short: "a" }),
  format: text(formatHelp.table),
  "no-stream": boolean("Disable streaming stats and only pull the first result"),
  "no-trunc": boolean("Do not truncate output")
}

/** console_codes(4): cursor home; each line cleared to its end; the rest of the screen cleared. */
const redrawn = (text: string): string => `\x1b[H${text.replaceAll("\n", "\x1b[K\n")}\x1b[J`
const clearScreen = "\x1b[2J"

const rowsOf = (
  samples: ReadonlyArray<StatsSample>, references: ReadonlyArray<string>, all: boolean
): ReadonlyArray<StatsRow> =>
  samples
    .map((sample, index) => ({ ...sample, reference: references[index] ?? sample.record.id }))
    .filter(({ display }) => references.length > 0 || all || display !== undefined)

export const stats = command({
  forms: ["[OPTIONS] [CONTAINER...]"],
  summary: "Display a live stream of container(s) resource usage statistics",
  flags,
  arguments: { least: 0 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: references, values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const terminal = yield* Terminal
    const live = !values["no-stream"] && terminal.isTerminal("stdout")
    const listing = statsListing(!values["no-trunc"])
    const endless = engine.stats(references)
    const rounds = values["no-stream"] ? Stream.take(endless, 1) : endless
    if (live) yield* print(clearScreen)
    yield* Stream.runForEach(rounds, (samples) => Effect.gen(function*() {
      const rows = rowsOf(samples, references, values.all)
      const text = yield* Effect.fromResult(formatRows(listing, rows, { format: values.format }))
      yield* print(live ? redrawn(text) : text)
    }))
    return 0
  })
})
