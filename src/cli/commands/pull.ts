/** `pull`: brings images from a registry. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { formatReference } from "../../domain/image/Reference.ts"
import { Images } from "../../programs/Images.ts"
import { boolean } from "../argv/Flag.ts"
import { printLine } from "../terminal/print.ts"
import { progressDisplay, silent } from "../terminal/progressDisplay.ts"
import { command } from "./Command.ts"
import { nameToMove, pullOne } from "./transfer.ts"
import { platformFlag, wantedPlatform } from "./wantedPlatform.ts"

export const pull = command({
  forms: ["[OPTIONS] NAME[:TAG|@DIGEST]"],
  summary: "Download an image from a registry",
  flags: {
    "all-tags": boolean("Download all tagged images in the repository", { short: "a" }),
    "disable-content-trust": boolean("Skip image verification", { initial: true, shownDefault: "true", hidden: true }),
    ...platformFlag("Set platform if server is multi-platform capable"),
    quiet: boolean("Suppress verbose output", { short: "q" })
  },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [name = ""], values: { "all-tags": allTags, platform: written, quiet } }) => Effect.gen(function*() {
    const reference = yield* nameToMove(name, { allTags, quiet })
    const platform = yield* wantedPlatform(written)
    yield* Effect.scoped(Effect.gen(function*() {
      const observe = quiet ? silent : yield* progressDisplay("stdout")
      if (!allTags) return yield* pullOne(reference, platform, observe)
      const images = yield* Images
      yield* Stream.runForEach(images.remoteTags(reference), (tag) => pullOne({ ...reference, tag }, platform, observe))
    }))
    yield* printLine(formatReference(reference))
    return 0
  })
})
