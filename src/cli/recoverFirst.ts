/** What every engine does before anything else. What it could not put right is told, and stops no command. */
import * as Effect from "effect/Effect"
import type { ContainerError } from "../domain/container/ContainerError.ts"
import { Engine, type EngineError } from "../programs/Engine.ts"
import type { Recovered } from "../programs/container/recover.ts"
import type { LogLevel } from "./argv/globalFlags.ts"
import { describe } from "./commands/CommandFailure.ts"
import { complain, warn } from "./terminal/print.ts"
import type { OutputClosed, Terminal } from "./terminal/Terminal.ts"

export const quarantineWarning = ({ id, reason }: Recovered["quarantined"][number]): string =>
  `container ${id.slice(0, 12)} is left alone: ${reason}`

/** A command that needs what is missing fails by itself, with its own words below these. */
const failureWarning = (error: EngineError): string =>
  `what earlier runs have left could not be put in order: ${describe(error).message}`

const tell = (level: LogLevel, { mended, quarantined }: Recovered): Effect.Effect<void, OutputClosed, Terminal> =>
  Effect.gen(function*() {
    if (level === "debug") yield* Effect.forEach(mended, (sentence) => complain(`DEBUG: ${sentence}`), { discard: true })
    if (level !== "error") yield* warn(quarantined.map(quarantineWarning))
  })

/** Nobody who reads warnings is no reason to stop either. Fails where no engine may work with these directories. */
export const recoverFirst = (level: LogLevel): Effect.Effect<void, ContainerError, Engine | Terminal> =>
  Engine.use((engine) => engine.recover).pipe(
    Effect.matchEffect({
      onSuccess: (recovered) => Effect.ignore(tell(level, recovered)),
      onFailure: (error) => error._tag === "ContainerError"
        ? Effect.fail(error)
        : level === "error" ? Effect.void : Effect.ignore(warn([failureWarning(error)]))
    })
  )
