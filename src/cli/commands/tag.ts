/** `tag`: another name for an image. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import { command } from "./Command.ts"

export const tag = command({
  forms: ["SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]"],
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  flags: {},
  arguments: { least: 2, most: 2 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [source = "", target = ""] }) => Effect.as(Images.use((images) => images.tag(source, target)), 0)
})
