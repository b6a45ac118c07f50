/** What pull, push and `run --pull` have in common: names as docker reads them, and the words around a transfer. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { defaultTag, familiarReference, parseReference, type Reference } from "../../domain/image/Reference.ts"
import type { ImagePlatform } from "../../domain/image/Platform.ts"
import { Images, type TransferError } from "../../programs/Images.ts"
import type { Observe } from "../../programs/image/Progress.ts"
import { printLine } from "../terminal/print.ts"
import type { OutputClosed, Terminal } from "../terminal/Terminal.ts"
import { refusal, type CommandFailure } from "./CommandFailure.ts"

/** A name of an image; the refusal begins with docker's words. */
export const readName = (text: string): Effect.Effect<Reference, CommandFailure> => {
  const parsed = parseReference(text)
  if (Result.isSuccess(parsed)) return Effect.succeed(parsed.success)
  const { cause, cure } = parsed.failure
  return Effect.fail(refusal(`${cause}: ${JSON.stringify(text)}: ${cure}`))
}

/**
 * The name with the tag that it has or that is meant: with --all-tags none may be given. Says which one is meant where the
 * user left it open.
 */
export const nameToMove = (
  text: string, options: { readonly allTags: boolean; readonly quiet: boolean }
): Effect.Effect<Reference, CommandFailure | OutputClosed, Terminal> => Effect.gen(function*() {
  const reference = yield* readName(text)
  const bare = reference.tag === undefined && reference.digest === undefined
  if (options.allTags) return bare ? reference : yield* refusal("tag can't be used with --all-tags/-a")
  const { tag: _, ...byDigest } = reference
  // A digest says all: the tag beside it is of no matter, as with docker
  if (!bare) return reference.digest === undefined ? reference : byDigest
  if (!options.quiet) yield* printLine(`Using default tag: ${defaultTag}`)
  return { ...reference, tag: defaultTag }
})

/** Pulls, and says what came of it. */
export const pullOne = (
  reference: Reference, platform: ImagePlatform | undefined, observe: Observe
): Effect.Effect<void, TransferError, Images> => Effect.gen(function*() {
  const { upToDate } = yield* Images.use((images) => images.pull({ reference, platform, observe }))
  const name = familiarReference(reference)
  yield* observe({ status: `Status: ${upToDate ? "Image is up to date" : "Downloaded newer image"} for ${name}` })
})
