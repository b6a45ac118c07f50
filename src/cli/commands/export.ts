/** `export`: the files of a container as a tar archive. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { text } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { writeArchive } from "./writeArchive.ts"

export const exportContainer = command({
  forms: ["[OPTIONS] CONTAINER"],
  summary: "Export a container's filesystem as a tar archive",
  flags: { output: text("Write to a file, instead of STDOUT", { short: "o" }) },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [container = ""], values: { output } }) => Effect.gen(function*() {
    const engine = yield* Engine
    yield* writeArchive(engine.copyOut(container, "/", { name: "", follow: false }), output, {
      toTerminal: "cowardly refusing to export to a terminal. Use the -o flag or redirect", failed: "failed to export container"
    })
    return 0
  })
})
