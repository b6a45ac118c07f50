/** `rmi`: takes names from images, and removes those that have none left. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import type { Removal } from "../../programs/image/removeImage.ts"
import { boolean, list } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import type { CommandError } from "./CommandFailure.ts"
import { forEachReference } from "./forEachReference.ts"
import { checkPlatform } from "./wantedPlatform.ts"

const removalText = (removal: Removal): string =>
  removal._tag === "Untagged" ? `Untagged: ${removal.name}` : `Deleted: ${removal.digest}`

export const rmi = command({
  forms: ["[OPTIONS] IMAGE [IMAGE...]"],
  summary: "Remove one or more images",
  flags: {
    force: boolean("Force removal of the image", { short: "f" }),
    "no-prune": boolean("Do not delete untagged parents"),
    platform: list(
      "Remove only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")", { type: "strings" }
    )
  },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, values: { force, "no-prune": noPrune, platform } }) =>
    forEachReference<CommandError>(references, (reference) =>
      Effect.forEach(platform, (one) => checkPlatform(reference, one), { discard: true }).pipe(
        Effect.andThen(Images.use((images) => images.remove(reference, { force, noPrune }))),
        Effect.map((removals) => removals.map(removalText).join("\n"))
      ), {
      concurrent: false,
      forgives: (error) => force && error._tag === "ContainerError" && error.kind === "missing"
    })
})
