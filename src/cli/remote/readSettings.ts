/** The file of settings, which need not be there unless it was named. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { settingsFile } from "../../domain/container/Paths.ts"
import { type EngineSettings, readEngineSettings } from "../../domain/registry/readEngineSettings.ts"
import { type RegistryError, registryError } from "../../domain/registry/RegistryError.ts"

/** `named`: "" for the host's own. */
export const readSettings = (named: string): Effect.Effect<EngineSettings, RegistryError> => {
  const file = named === "" ? settingsFile : named
  const text = Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (fault) => fault as NodeJS.ErrnoException
  }).pipe(Effect.catch((fault) =>
    named === "" && fault.code === "ENOENT" ? Effect.succeed("") : Effect.fail(registryError(
      { operation: "read the settings in", object: file }, "invalid", fault.message, "name a file that can be read"
    ))))
  return Effect.flatMap(text, (written) => Effect.fromResult(readEngineSettings(written, file)))
}
