/** The first half of `run` and all of `create`: the id file, the container, the warnings. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { Engine } from "../../../programs/Engine.ts"
import { Surroundings } from "../../terminal/Surroundings.ts"
import type { Terminal } from "../../terminal/Terminal.ts"
import { warn } from "../../terminal/print.ts"
import { badOptions, type CommandError } from "../CommandFailure.ts"
import type { ContainerValues } from "./RunInput.ts"

const claimIdFile = Effect.fnUntraced(function*(path: string) {
  const surroundings = yield* Surroundings
  if (yield* surroundings.exists(path)) {
    return yield* badOptions(`container ID file found, make sure the other container isn't running or delete ${path}`)
  }
  yield* surroundings.writeFile(path, "", { exclusive: true })
})

/** Gives the id. A `--cidfile` that exists already is refused; one that gets no id is removed again. */
export const createContainer = Effect.fnUntraced(function*(
  config: ContainerConfig, values: Pick<ContainerValues, "cidfile" | "name">
): Effect.fn.Return<string, CommandError, Engine | Terminal | Surroundings> {
  const engine = yield* Engine
  const surroundings = yield* Surroundings
  const { cidfile, name } = values
  if (cidfile !== "") yield* claimIdFile(cidfile)
  const created = yield* engine.create(config, name.replace(/^\//, "")).pipe(
    Effect.onError(() => cidfile === "" ? Effect.void : surroundings.removeFile(cidfile))
  )
  if (cidfile !== "") yield* surroundings.writeFile(cidfile, created.id, { exclusive: false })
  yield* warn(created.warnings)
  return created.id
})
