/** `top`: the processes of a container, listed as the options of ps say. */
import * as Effect from "effect/Effect"
import { alignTable } from "../../domain/text/Table.ts"
import { Engine } from "../../programs/Engine.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"

/** docker/cli, container/top.go. */
const table = { minimumWidth: 20, padding: 3 }

export const top = command({
  forms: ["CONTAINER [ps OPTIONS]"],
  summary: "Display the running processes of a container",
  flags: {},
  arguments: { least: 1 },
  interspersed: false,
  engine: "reads",
  run: ({ arguments: [reference = "", ...options] }) => Effect.gen(function*() {
    const { zone } = yield* Surroundings
    const wish = { options, minutesAhead: (instant: number) => zone(instant).minutes }
    const { processes, titles } = yield* Engine.use((engine) => engine.top(reference, wish))
    yield* print(alignTable([titles, ...processes].map((cells) => `${cells.join("\t")}\n`).join(""), table))
    return 0
  })
})
