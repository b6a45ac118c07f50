/** `diff`: what a container has changed of its image's files. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

export const diff = command({
  forms: ["CONTAINER"],
  summary: "Inspect changes to files or directories on a container's filesystem",
  flags: {},
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [container = ""] }) => Effect.gen(function*() {
    if (container === "") return yield* refusal("Container name cannot be empty")
    const rows = yield* Images.use((images) => images.diff(container))
    yield* print(rows.map(({ kind, path }) => `${kind} ${path}\n`).join(""))
    return 0
  })
})
