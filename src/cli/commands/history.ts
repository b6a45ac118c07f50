/** `history`: the steps by which an image was made. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { formatRows } from "../../domain/text/formatRows.ts"
import { Images } from "../../programs/Images.ts"
import { boolean, text } from "../argv/Flag.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { historyListing } from "../format/historyListing.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { checkPlatform, platformFlag } from "./wantedPlatform.ts"

const flags = {
  format: text(formatHelp.table),
  human: boolean("Print sizes and dates in human readable format", { short: "H", initial: true, shownDefault: "true" }),
  "no-trunc": boolean("Don't truncate output"),
  ...platformFlag("Show history for the given platform. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"),
  quiet: boolean("Only show image IDs", { short: "q" })
}

export const history = command({
  forms: ["[OPTIONS] IMAGE"],
  summary: "Show the history of an image",
  flags,
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [image = ""], values }) => Effect.gen(function*() {
    yield* checkPlatform(image, values.platform)
    const { zone } = yield* Surroundings
    const now = yield* Clock.currentTimeNanos
    const rows = yield* Images.use((images) => images.history(image))
    const listing = historyListing({ now, zone, truncate: !values["no-trunc"] }, values.human)
    yield* print(yield* Effect.fromResult(formatRows(listing, rows, values)))
    return 0
  })
})
