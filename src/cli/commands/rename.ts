/** `rename`: another name for a container. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"

export const rename = command({
  forms: ["CONTAINER NEW_NAME"],
  summary: "Rename a container",
  flags: {},
  arguments: { least: 2, most: 2 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [reference = "", name = ""] }) =>
    Effect.as(Engine.use((engine) => engine.rename(reference, name)), 0)
})
