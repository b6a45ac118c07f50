/** Reads what a `run` command line refers to, and gives the line its meaning. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { goArchitecture } from "../../program.ts"
import { Surroundings } from "../../terminal/Surroundings.ts"
import { badOptions, type CommandFailure } from "../CommandFailure.ts"
import { type ContainerValues, filesToRead, type RunInput } from "./RunInput.ts"
import { type ContainerLine, toConfig } from "./toConfig.ts"

export const readInput = Effect.fnUntraced(function*(
  values: Pick<ContainerValues, "env-file" | "label-file" | "security-opt">
): Effect.fn.Return<RunInput, CommandFailure, Surroundings> {
  const surroundings = yield* Surroundings
  const files = new Map<string, Uint8Array>()
  for (const { kind, path } of filesToRead(values)) {
    const read = surroundings.readFile(path)
    files.set(path, yield* kind === "seccomp profile"
      ? Effect.mapError(read, (error) => badOptions(`opening seccomp profile (${path}) failed: ${error.message}`))
      : read)
  }
  return {
    environment: surroundings.environment,
    workingDirectory: surroundings.workingDirectory,
    files,
    host: { os: "linux", architecture: goArchitecture() }
  }
})

/** The configuration that a command line asks for; mistakes end the command with 125. */
export const configOf = Effect.fnUntraced(function*(
  line: ContainerLine, detached: boolean
): Effect.fn.Return<ContainerConfig, CommandFailure, Surroundings> {
  const input = yield* readInput(line.values)
  return yield* Effect.fromResult(toConfig(line, detached, input)).pipe(Effect.mapError(badOptions))
})
