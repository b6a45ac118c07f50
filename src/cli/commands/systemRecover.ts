/** `system recover`: what every engine does when it starts, with its findings told. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { quarantineWarning } from "../recoverFirst.ts"
import { printLine, warn } from "../terminal/print.ts"
import { command } from "./Command.ts"

export const systemRecover = command({
  forms: [""],
  summary: "Put right what earlier engines left half done",
  flags: {},
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  asFound: true,
  run: ({ plan }) => Effect.gen(function*() {
    const { mended, quarantined } = yield* Engine.use((engine) => engine.recover)
    if (plan) return 0
    yield* Effect.forEach(mended, printLine, { discard: true })
    yield* warn(quarantined.map(quarantineWarning))
    if (mended.length === 0 && quarantined.length === 0) yield* printLine("nothing to recover")
    return quarantined.length > 0 ? 1 : 0
  })
})
