/** `system prune`: removes containers that do not run and images that nothing needs, once the user has seen which. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { Images } from "../../programs/Images.ts"
import { boolean, list, type Values } from "../argv/Flag.ts"
import { type Filter, parseFilter } from "../format/containerFilters.ts"
import { confirm } from "../terminal/ask.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { imageFilters } from "./images.ts"
import { checkFilters, findPrunable, prunableText, writtenBy } from "./prune/Prunable.ts"
import { prunedText } from "./prune/pruned.ts"

const flags = {
  all: boolean("Remove all unused images not just dangling ones", { short: "a" }),
  filter: list("Provide filter values (e.g. \"label=<key>=<value>\")", { type: "filter", parse: parseFilter }),
  force: boolean("Do not prompt for confirmation", { short: "f" }),
  volumes: boolean("Prune anonymous volumes")
}

const warning = ({ all, filter }: Values<typeof flags>): string => {
  const images = all ? "all images without at least one container associated to them" : "all dangling images"
  const only = filter.length === 0
    ? ""
    : `\n  Items to be pruned will be filtered with:\n${filter.map(({ name, value }: Filter) => `  - ${name}=${value}\n`).join("")}`
  return `WARNING! This will remove:\n  - all stopped containers\n  - ${images}\n${only}\n`
}

export const systemPrune = command({
  forms: ["[OPTIONS]"],
  summary: "Remove unused data",
  flags,
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  run: ({ plan, values }) => Effect.gen(function*() {
    yield* checkFilters(values.filter)
    if (values.volumes && values.filter.some(({ name }) => name === "until")) {
      return yield* refusal("the \"until\" filter is not supported with \"--volumes\": leave one of them out")
    }
    const filters = yield* imageFilters(values.filter)
    const found = yield* findPrunable({ containers: true, allImages: values.all, filter: values.filter })
    if (!values.force && !plan) {
      yield* print(`${warning(values)}${prunableText(found)}\n`)
      if (!(yield* confirm("Are you sure you want to continue?"))) return 0
    }
    const containers = yield* Engine.use((engine) => engine.prune(found.containers))
    const { bytes, images } = yield* Images.use((one) => one.prune(values.all, filters))
    yield* print(prunedText(containers.map(({ summary }) => summary.record.id), images, bytes + writtenBy(containers)))
    return 0
  })
})
