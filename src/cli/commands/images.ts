/** `images`: the images there are. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { formatRows } from "../../domain/text/formatRows.ts"
import { Engine } from "../../programs/Engine.ts"
import { boolean, list, text } from "../argv/Flag.ts"
import { parseFilter } from "../format/containerFilters.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { imageListing, splitReference } from "../format/imageListing.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

const flags = {
  all: boolean("Show all images (default hides intermediate images)", { short: "a" }),
  digests: boolean("Show digests"),
  filter: list("Filter output based on conditions provided", { short: "f", type: "filter", parse: parseFilter }),
  format: text(formatHelp.table),
  "no-trunc": boolean("Don't truncate output"),
  quiet: boolean("Only show image IDs", { short: "q" })
}

/** `*` in a pattern stands for anything but a slash, as in Go's path.Match. */
const patternOf = (written: string): RegExp =>
  new RegExp(`^${written.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}$`)

const isMeant = (reference: string, pattern: string): boolean =>
  patternOf(pattern).test(reference) || patternOf(pattern).test(splitReference(reference)[0])

export const images = command({
  forms: ["[OPTIONS] [REPOSITORY[:TAG]]"],
  summary: "List images",
  flags,
  arguments: { least: 0, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [wanted], values }) => Effect.gen(function*() {
    const strange = values.filter.find(({ name }) => name !== "reference")
    if (strange !== undefined) return yield* refusal(`invalid filter '${strange.name}': use reference=PATTERN`)
    const { zone } = yield* Surroundings
    const now = yield* Clock.currentTimeNanos
    const patterns = values.filter.map(({ value }) => value)
    const shown = (yield* Engine.use((engine) => engine.images))
      .filter(({ reference }) => wanted === undefined || isMeant(reference, wanted))
      .filter(({ reference }) => patterns.length === 0 || patterns.some((pattern) => isMeant(reference, pattern)))
      .toSorted((one, other) => one.createdAt < other.createdAt ? 1 : -1)
    const listing = imageListing({ now, zone, truncate: !values["no-trunc"] }, values.digests)
    yield* print(yield* Effect.fromResult(formatRows(listing, shown, values)))
    return 0
  })
})
