/** `ps`: the containers there are. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { formatRows } from "../../domain/text/formatRows.ts"
import { Engine, type Summary } from "../../programs/Engine.ts"
import { boolean, integer, list, text, type Values } from "../argv/Flag.ts"
import { containerListing, type ContainerRow } from "../format/containerListing.ts"
import { filterContainers, parseFilter } from "../format/containerFilters.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"

const flags = {
  all: boolean("Show all containers (default shows just running)", { short: "a" }),
  filter: list("Filter output based on conditions provided", { short: "f", type: "filter", parse: parseFilter }),
  format: text(formatHelp.table),
  last: integer("Show n last created containers (includes all states)", { short: "n", shownDefault: "-1" }),
  latest: boolean("Show the latest created container (includes all states)", { short: "l" }),
  "no-trunc": boolean("Don't truncate output"),
  quiet: boolean("Only display container IDs", { short: "q" }),
  size: boolean("Display total file sizes", { short: "s" })
}

const isUp = ({ state }: Summary): boolean => state.process !== undefined

/** Newest first; --last and a filter for a state look at all, as docker's. */
const choose = (all: ReadonlyArray<Summary>, values: Values<typeof flags>) => {
  const last = values.latest ? 1 : values.last ?? -1
  const anyState = values.all || last > 0 || values.filter.some(({ name }) => name === "status")
  const sorted = [...all].sort((one, other) => one.record.createdAt < other.record.createdAt ? 1 : -1)
  return Effect.map(Effect.fromResult(filterContainers(sorted, values.filter)), (kept) => {
    const shown = anyState ? kept : kept.filter(isUp)
    return last > 0 ? shown.slice(0, last) : shown
  })
}

export const ps = command({
  forms: ["[OPTIONS]"],
  summary: "List containers",
  flags,
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "reads",
  run: ({ values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const { zone } = yield* Surroundings
    const now = yield* Clock.currentTimeNanos
    const chosen = yield* choose(yield* engine.list, values)
    // Sizes cost a walk through the files: only for those who look at them
    const sized = !values.quiet && (values.size || /\.Size\b/.test(values.format))
    const rows = yield* Effect.forEach(chosen, (one) =>
      Effect.map(sized ? engine.size(one.record.id) : Effect.undefined, (size): ContainerRow => ({ ...one, size })))
    const listing = containerListing({ now, zone, truncate: !values["no-trunc"] }, values.size)
    yield* print(yield* Effect.fromResult(formatRows(listing, rows, values)))
    return 0
  })
})
