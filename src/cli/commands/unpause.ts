/** `unpause`: lets frozen containers go on. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

export const unpause = command({
  forms: ["CONTAINER [CONTAINER...]"],
  summary: "Unpause all processes within one or more containers",
  flags: {},
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references }) =>
    forEachReference(references, (reference) =>
      Effect.as(Engine.use((engine) => engine.unpause(reference)), reference), { concurrent: true })
})
