/** `stop`: the stop signal, a time of grace, then SIGKILL. */
import * as Effect from "effect/Effect"
import { parseSignal } from "../../domain/text/Signal.ts"
import { Engine } from "../../programs/Engine.ts"
import { integer, value } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

/** Also restart's. */
export const stopFlags = {
  signal: value("Signal to send to the container", parseSignal, { short: "s", type: "string" }),
  timeout: integer("Seconds to wait before killing the container", { short: "t", aliases: ["time"] })
}

export const stopOptions = (values: { readonly signal: number | undefined; readonly timeout: number | undefined }) => ({
  ...(values.signal === undefined ? {} : { signal: values.signal }),
  ...(values.timeout === undefined ? {} : { timeout: values.timeout })
})

export const stop = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Stop one or more running containers",
  flags: stopFlags,
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, values }) =>
    forEachReference(references, (reference) =>
      Effect.as(Engine.use((engine) => engine.stop(reference, stopOptions(values))), reference), { concurrent: true })
})
