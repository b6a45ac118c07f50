/** `update`: other limits, or another restart policy, for containers that may be running. */
import * as Effect from "effect/Effect"
import { parseRestartPolicy } from "../../domain/text/flags/RestartPolicy.ts"
import { Engine } from "../../programs/Engine.ts"
import { text } from "../argv/Flag.ts"
import { warn } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { forEachReference } from "./forEachReference.ts"
import { resourceFlags, resourcesOf } from "./run/resourceFlags.ts"

/** Docker's help says some of them in other words here. */
const flags = {
  ...resourceFlags,
  "cpu-rt-period": { ...resourceFlags["cpu-rt-period"], usage: "Limit the CPU real-time period in microseconds" },
  "cpu-rt-runtime": { ...resourceFlags["cpu-rt-runtime"], usage: "Limit the CPU real-time runtime in microseconds" },
  "memory-swap": {
    ...resourceFlags["memory-swap"], usage: "Swap limit equal to memory plus swap: -1 to enable unlimited swap"
  },
  restart: text("Restart policy to apply when a container exits")
}

export const update = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Update configuration of one or more containers",
  flags,
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, given, values }) => Effect.gen(function*() {
    if (given.size === 0) return yield* refusal("you must provide one or more flags when using this command")
    const restart = values.restart === "" ? undefined : yield* Effect.fromResult(parseRestartPolicy(values.restart))
    const change = { resources: resourcesOf(values), ...(restart === undefined ? {} : { restart }) }
    const warnings: Array<string> = []
    const status = yield* forEachReference(references, (reference) =>
      Engine.use((engine) => engine.update(reference, change)).pipe(
        Effect.map((told) => {
          warnings.push(...told)
          return reference
        })
      ), { concurrent: false })
    yield* warn([...new Set(warnings)])
    return status
  })
})
