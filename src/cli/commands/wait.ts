/** `wait`: prints the exit status of containers once they have ended. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

export const wait = command({
  forms: ["CONTAINER [CONTAINER...]"],
  summary: "Block until one or more containers stop, then print their exit codes",
  flags: {},
  arguments: { least: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: references }) =>
    forEachReference(references, (reference) =>
      Effect.map(Engine.use((engine) => engine.wait(reference)), (exit) => String(exit.code)), { concurrent: true })
})
