/** `container prune`: removes containers that do not run, once the user has seen which. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { boolean, list } from "../argv/Flag.ts"
import { parseFilter } from "../format/containerFilters.ts"
import { confirm } from "../terminal/ask.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { imageFilters } from "./images.ts"
import { checkFilters, prunableText, writtenBy } from "./prune/Prunable.ts"
import { prunedText } from "./prune/pruned.ts"

export const containerPrune = command({
  forms: ["[OPTIONS]"],
  summary: "Remove all stopped containers",
  flags: {
    filter: list("Provide filter values (e.g. \"until=<timestamp>\")", { type: "filter", parse: parseFilter }),
    force: boolean("Do not prompt for confirmation", { short: "f" })
  },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  run: ({ plan, values: { filter, force } }) => Effect.gen(function*() {
    yield* checkFilters(filter)
    const engine = yield* Engine
    const found = yield* engine.prunable(yield* imageFilters(filter))
    if (!force && !plan) {
      const which = prunableText({ containers: found, images: [], bytes: writtenBy(found) })
      yield* print(`WARNING! This will remove all stopped containers.\n${which}`)
      if (!(yield* confirm("Are you sure you want to continue?"))) return 0
    }
    const removed = yield* engine.prune(found)
    yield* print(prunedText(removed.map(({ summary }) => summary.record.id), [], writtenBy(removed)))
    return 0
  })
})
