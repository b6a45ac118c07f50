/** `image prune`: removes images that nothing needs, once the user has seen which. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import { boolean, list } from "../argv/Flag.ts"
import { parseFilter } from "../format/containerFilters.ts"
import { confirm } from "../terminal/ask.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { imageFilters } from "./images.ts"
import { checkFilters, findPrunable, prunableText } from "./prune/Prunable.ts"
import { prunedText } from "./prune/pruned.ts"

export const imagePrune = command({
  forms: ["[OPTIONS]"],
  summary: "Remove unused images",
  flags: {
    all: boolean("Remove all unused images, not just dangling ones", { short: "a" }),
    filter: list("Provide filter values (e.g. \"until=<timestamp>\")", { type: "filter", parse: parseFilter }),
    force: boolean("Do not prompt for confirmation", { short: "f" })
  },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  run: ({ plan, values: { all, filter, force } }) => Effect.gen(function*() {
    yield* checkFilters(filter, ["dangling"])
    const { dangling, ...filters } = yield* imageFilters(filter)
    // Docker's older way to say --all
    const allImages = all || dangling === false
    if (all && dangling === true) return yield* refusal("conflicting options: cannot specify both --all and --filter dangling=true")
    if (!force && !plan) {
      const found = yield* findPrunable({ containers: false, allImages, filter: filter.filter(({ name }) => name !== "dangling") })
      const which = allImages ? "all images without at least one container associated to them" : "all dangling images"
      yield* print(`WARNING! This will remove ${which}.\n${prunableText(found)}`)
      if (!(yield* confirm("Are you sure you want to continue?"))) return 0
    }
    const { bytes, images } = yield* Images.use((one) => one.prune(allImages, filters))
    yield* print(prunedText([], images, bytes))
    return 0
  })
})
