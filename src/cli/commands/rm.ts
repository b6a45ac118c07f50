/** `rm`: removes containers and all that is their own. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { boolean } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { forEachReference } from "./forEachReference.ts"

export const rm = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Remove one or more containers",
  flags: {
    force: boolean("Force the removal of a running container (uses SIGKILL)", { short: "f" }),
    link: boolean("Remove the specified link", { short: "l", hidden: true }),
    volumes: boolean("Remove anonymous volumes associated with the container", { short: "v" })
  },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, values: { force, link } }) =>
    link
      ? Effect.fail(refusal("links between containers are not supported: leave --link out"))
      : forEachReference(references, (reference) =>
        Effect.as(Engine.use((engine) => engine.remove(reference, { force })), reference), {
        concurrent: true,
        // As docker's: with --force it is enough that the container is not there afterwards
        forgives: (error) => force && error._tag === "ContainerError" && error.kind === "missing"
      })
})
