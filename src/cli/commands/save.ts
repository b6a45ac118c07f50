/** `save`: images as a tar archive. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import { text } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { writeArchive } from "./writeArchive.ts"
import { checkPlatform, platformFlag } from "./wantedPlatform.ts"

export const save = command({
  forms: ["[OPTIONS] IMAGE [IMAGE...]"],
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  flags: {
    output: text("Write to a file, instead of STDOUT", { short: "o" }),
    ...platformFlag("Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")")
  },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: names, values: { output, platform } }) => Effect.gen(function*() {
    for (const name of names) yield* checkPlatform(name, platform)
    const images = yield* Images
    yield* writeArchive(images.save(names), output, {
      toTerminal: "cowardly refusing to save to a terminal. Use the -o flag or redirect", failed: "failed to save image"
    })
    return 0
  })
})
