/** `commit`: what a container has changed becomes a layer of a new image. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import { boolean, list, text } from "../argv/Flag.ts"
import { printLine } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { readName } from "./transfer.ts"

export const commit = command({
  forms: ["[OPTIONS] CONTAINER [REPOSITORY[:TAG]]"],
  summary: "Create a new image from a container's changes",
  flags: {
    author: text("Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")", { short: "a" }),
    change: list("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: text("Commit message", { short: "m" }),
    "no-pause": boolean("Let the container run meanwhile", { hidden: true }),
    pause: boolean("Pause container during commit", { short: "p", initial: true, shownDefault: "true" })
  },
  arguments: { least: 1, most: 2 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [container = "", reference = ""], values }) => Effect.gen(function*() {
    const { author, change: changes, message } = values
    if (reference !== "") yield* readName(reference)
    const pause = values.pause && !values["no-pause"]
    const image = yield* Images.use((images) => images.commit({ container, reference, author, message, changes, pause }))
    yield* printLine(image.id)
    return 0
  })
})
