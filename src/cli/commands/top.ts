/** `top`: the processes of a container. */
import * as Effect from "effect/Effect"
import { alignTable } from "../../domain/text/Table.ts"
import { Engine } from "../../programs/Engine.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

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
    if (options.some((option) => option !== "-ef")) {
      return yield* refusal(
        `ps options such as ${options.join(" ")} are not supported: the columns are those of ps -ef`
      )
    }
    const { processes, titles } = yield* Engine.use((engine) => engine.top(reference))
    yield* print(alignTable([titles, ...processes].map((cells) => `${cells.join("\t")}\n`).join(""), table))
    return 0
  })
})
