/** `system reap`: what a supervisor runs when its auto-removed container has ended and nobody waits for it. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"

export const systemReap = command({
  forms: ["ID"],
  summary: "Remove an auto-removed container after its end",
  flags: {},
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "changes",
  asFound: true,
  run: ({ arguments: [id = ""] }) => Effect.as(Engine.use((engine) => engine.reap(id)), 0)
})
