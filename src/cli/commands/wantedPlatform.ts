/** `--platform` of the commands about images. */
import * as Effect from "effect/Effect"
import { formatPlatform, type ImagePlatform, normalizePlatform, platformOf, platformRank } from "../../domain/image/Platform.ts"
import { parsePlatform } from "../../domain/text/flags/Platform.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import { type ImageError, Images } from "../../programs/Images.ts"
import { text } from "../argv/Flag.ts"
import { goArchitecture } from "../program.ts"
import { type CommandFailure, refusal } from "./CommandFailure.ts"

export const platformFlag = (usage: string) => ({ platform: text(usage) })

/** Undefined for "": whatever the host runs best. */
export const wantedPlatform = (written: string): Effect.Effect<ImagePlatform | undefined, TextError> =>
  written === ""
    ? Effect.undefined
    : Effect.map(
      Effect.fromResult(parsePlatform(written, { os: "linux", architecture: goArchitecture() })), normalizePlatform
    )

/** Refuses an image that is for another platform than the one asked for: there is one of each name here. */
export const checkPlatform = (
  reference: string, written: string
): Effect.Effect<void, ImageError | TextError | CommandFailure, Images> => Effect.gen(function*() {
  const wanted = yield* wantedPlatform(written)
  if (wanted === undefined) return
  const { image } = yield* Images.use((images) => images.inspect(reference))
  const own = platformOf(image.record.platform)
  if (own !== undefined && platformRank(wanted, own) !== undefined) return
  return yield* refusal(
    `image with reference ${reference} was found but does not provide the specified platform (${formatPlatform(wanted)}): ` +
      "pull it for this platform"
  )
})
