/** `kill`: a signal to the first process of containers. */
import * as Effect from "effect/Effect"
import { parseSignal } from "../../domain/text/Signal.ts"
import { Engine } from "../../programs/Engine.ts"
import { value } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

const SIGKILL = 9

export const kill = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Kill one or more running containers",
  flags: { signal: value("Signal to send to the container", parseSignal, { short: "s", type: "string" }) },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, values }) =>
    forEachReference(references, (reference) =>
      Effect.as(Engine.use((engine) => engine.kill(reference, values.signal ?? SIGKILL)), reference), {
      concurrent: true
    })
})
