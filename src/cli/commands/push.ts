/** `push`: sends images to a registry. */
import * as Effect from "effect/Effect"
import { familiarReference, formatReference, repositoryOf } from "../../domain/image/Reference.ts"
import { Images } from "../../programs/Images.ts"
import { boolean } from "../argv/Flag.ts"
import { printLine } from "../terminal/print.ts"
import { progressDisplay, silent } from "../terminal/progressDisplay.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { nameToMove } from "./transfer.ts"
import { checkPlatform, platformFlag } from "./wantedPlatform.ts"

export const push = command({
  forms: ["[OPTIONS] NAME[:TAG]"],
  summary: "Upload an image to a registry",
  flags: {
    "all-tags": boolean("Push all tags of an image to the repository", { short: "a" }),
    "disable-content-trust": boolean("Skip image signing", { initial: true, shownDefault: "true", hidden: true }),
    ...platformFlag(`Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`),
    quiet: boolean("Suppress verbose output", { short: "q" })
  },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [name = ""], values: { "all-tags": allTags, platform, quiet } }) => Effect.gen(function*() {
    const images = yield* Images
    const reference = yield* nameToMove(name, { allTags, quiet })
    if (reference.digest !== undefined) {
      return yield* refusal("cannot push a digest reference: name the image by a tag")
    }
    if (!allTags) yield* checkPlatform(familiarReference(reference), platform)
    yield* Effect.scoped(Effect.gen(function*() {
      const observe = quiet ? silent : yield* progressDisplay("stdout")
      yield* observe({ status: `The push refers to repository [${repositoryOf(reference)}]` })
      yield* allTags ? images.pushAll(reference, observe) : images.push(reference, observe)
    }))
    if (quiet) yield* printLine(formatReference(reference))
    return 0
  })
})
