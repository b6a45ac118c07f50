/** `pause`: freezes all processes of containers. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

export const pause = command({
  forms: ["CONTAINER [CONTAINER...]"],
  summary: "Pause all processes within one or more containers",
  flags: {},
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references }) =>
    forEachReference(references, (reference) =>
      Effect.as(Engine.use((engine) => engine.pause(reference)), reference), { concurrent: true })
})
