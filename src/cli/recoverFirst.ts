/** What every engine does before anything else. What it could not put right is told, not fatal. */
import * as Effect from "effect/Effect"
import { Engine, type EngineError } from "../programs/Engine.ts"
import type { Recovered } from "../programs/container/recover.ts"
import type { LogLevel } from "./argv/globalFlags.ts"
import { complain, warn } from "./terminal/print.ts"
import type { OutputClosed, Terminal } from "./terminal/Terminal.ts"

export const quarantineWarning = ({ id, reason }: Recovered["quarantined"][number]): string =>
  `container ${id.slice(0, 12)} is left alone: ${reason}`

export const recoverFirst = (
  level: LogLevel
): Effect.Effect<void, EngineError | OutputClosed, Engine | Terminal> => Effect.gen(function*() {
  const { mended, quarantined } = yield* Engine.use((engine) => engine.recover)
  if (level === "debug") yield* Effect.forEach(mended, (sentence) => complain(`DEBUG: ${sentence}`), { discard: true })
  if (level !== "error") yield* warn(quarantined.map(quarantineWarning))
})
