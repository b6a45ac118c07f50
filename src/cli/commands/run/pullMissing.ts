/** `run --pull`: brings the image that a container is to be made of; what happens is told on stderr. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { parseImageLookup } from "../../../domain/image/ImageLookup.ts"
import { familiarReference, type Reference } from "../../../domain/image/Reference.ts"
import type { Images } from "../../../programs/Images.ts"
import { complain } from "../../terminal/print.ts"
import { progressDisplay, silent } from "../../terminal/progressDisplay.ts"
import type { Terminal } from "../../terminal/Terminal.ts"
import type { CommandError } from "../CommandFailure.ts"
import { pullOne } from "../transfer.ts"
import { wantedPlatform } from "../wantedPlatform.ts"

/** What a registry could be asked for; undefined for an id, and for what is no name. */
export const pullableName = (image: string): Reference | undefined => {
  const lookup = parseImageLookup(image)
  return Result.isSuccess(lookup) ? lookup.success.reference : undefined
}

export const pullFor = (
  config: Pick<ContainerConfig, "platform">, reference: Reference, options: { readonly quiet: boolean; readonly missing: boolean }
): Effect.Effect<void, CommandError, Images | Terminal> => Effect.scoped(Effect.gen(function*() {
  const { missing, quiet } = options
  if (missing && !quiet) yield* complain(`Unable to find image '${familiarReference(reference)}' locally`)
  const platform = yield* wantedPlatform(config.platform)
  yield* pullOne(reference, platform, quiet ? silent : yield* progressDisplay("stderr"))
}))
