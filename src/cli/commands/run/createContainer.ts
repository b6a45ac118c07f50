/** The first half of `run` and all of `create`: the id file, the container, the warnings. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { Engine, type EngineError } from "../../../programs/Engine.ts"
import type { Images } from "../../../programs/Images.ts"
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

/** Of the image, not of what else a container refers to. */
const lacksImage = (error: EngineError, { image, rootfs }: ContainerConfig): boolean =>
  rootfs === undefined && error._tag === "ContainerError" && error.kind === "missing" && error.object === image

/** Creates; an image that is wanted anew or is not there is pulled before. What that takes is loaded when it is needed. */
const createPulling = Effect.fnUntraced(function*(
  config: ContainerConfig, values: Pick<ContainerValues, "name" | "pull" | "quiet">
): Effect.fn.Return<Effect.Success<ReturnType<Engine["Service"]["create"]>>, CommandError, Engine | Images | Terminal> {
  const engine = yield* Engine
  const { pull: when, quiet } = values
  const create = engine.create(config, values.name.replace(/^\//, ""))
  const pulled = (missing: boolean) => Effect.gen(function*() {
    const { pullableName, pullFor } = yield* Effect.promise(() => import("./pullMissing.ts"))
    const reference = pullableName(config.image)
    if (reference === undefined) return false
    yield* pullFor(config, reference, { quiet, missing })
    return true
  })
  if (when === "always" && config.rootfs === undefined) yield* pulled(false)
  if (when !== "missing") return yield* create
  return yield* Effect.catchIf(create, (error) => lacksImage(error, config), (error) =>
    Effect.flatMap(pulled(true), (come): Effect.Effect<Effect.Success<typeof create>, EngineError> => come ? create : Effect.fail(error)))
})

/** Gives the id. A `--cidfile` that exists already is refused; one that gets no id is removed again. */
export const createContainer = Effect.fnUntraced(function*(
  config: ContainerConfig, values: Pick<ContainerValues, "cidfile" | "name" | "pull" | "quiet">
): Effect.fn.Return<string, CommandError, Engine | Images | Terminal | Surroundings> {
  const surroundings = yield* Surroundings
  const { cidfile } = values
  if (cidfile !== "") yield* claimIdFile(cidfile)
  const created = yield* createPulling(config, values).pipe(
    Effect.onError(() => cidfile === "" ? Effect.void : surroundings.removeFile(cidfile))
  )
  if (cidfile !== "") yield* surroundings.writeFile(cidfile, created.id, { exclusive: false })
  yield* warn(created.warnings)
  return created.id
})
