/** `restart`: stop and start again, one container after the other. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"
import { stopFlags, stopOptions } from "./stop.ts"

export const restart = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Restart one or more containers",
  flags: stopFlags,
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, values }) =>
    forEachReference(references, (reference) =>
      Effect.as(Engine.use((engine) => engine.restart(reference, stopOptions(values))), reference), {
      concurrent: false
    })
})
