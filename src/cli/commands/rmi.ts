/** `rmi`: removes images that no container is of. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { boolean } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { forEachReference } from "./forEachReference.ts"

export const rmi = command({
  forms: ["[OPTIONS] IMAGE [IMAGE...]"],
  summary: "Remove one or more images",
  flags: {
    force: boolean("Force removal of the image", { short: "f" }),
    "no-prune": boolean("Do not delete untagged parents")
  },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references }) =>
    forEachReference(references, (reference) =>
      Effect.map(Engine.use((engine) => engine.removeImage(reference)), (image) =>
        `${image.reference === "" ? "" : `Untagged: ${image.reference}\n`}Deleted: ${image.id}`), { concurrent: false })
})
