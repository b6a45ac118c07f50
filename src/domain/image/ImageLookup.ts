/** What a user's word for an image means: a name, a name at a digest, an id, or the beginning of an id. */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { refuse, type TextError } from "../text/TextError.ts"
import { type Digest, hexOf, readDigest } from "./Digest.ts"
import { equalReferences, parseReference, type Reference, repositoryOf, withDefaultTag, withoutIdleTag } from "./Reference.ts"

/** What a lookup needs to know of an image. */
export interface NamedImage {
  /** Digest of its config or, for a store that goes by manifests, of that. */
  readonly id: Digest
  /** Names with tags. */
  readonly tags: ReadonlyArray<Reference>
  /** Names with digests: where it was pulled from, and what it was called there. */
  readonly digests: ReadonlyArray<Reference>
}

export interface ImageLookup {
  readonly text: string
  /** The whole id. */
  readonly id?: Digest
  /** Hexadecimal digits that the id begins with. */
  readonly idPrefix?: string
  /** With a tag or a digest. */
  readonly reference?: Reference
}

/** Fewer digits would often be a name by chance. */
const shortestPrefix = 4

/** Every meaning that the text may have; the error is that of a name. */
export const parseImageLookup = (text: string): Result.Result<ImageLookup, TextError> => {
  const id = readDigest(/^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text)
  if (id !== undefined) return Result.succeed({ text, id })
  const idPrefix = /^(?:sha256:)?([0-9a-f]{4,63})$/.exec(text)?.[1]
  const digits = idPrefix === undefined || idPrefix.length < shortestPrefix ? {} : { idPrefix }
  // `sha256:abcd` is a name with a tag by the grammar, but nobody's
  if (text.startsWith("sha256:") && idPrefix !== undefined) return Result.succeed({ text, ...digits })
  return Result.map(parseReference(text), (reference) => ({
    text, ...digits, reference: withoutIdleTag(withDefaultTag(reference))
  }))
}

/** How strongly a lookup means an image: its whole id, its name, or the beginning of its id. */
export type Match = "id" | "name" | "prefix"

const hasName = (wanted: Reference, image: NamedImage): boolean => {
  if (wanted.digest === undefined) return image.tags.some((tag) => equalReferences(tag, wanted))
  const repository = repositoryOf(wanted)
  return image.digests.some((one) => one.digest === wanted.digest && repositoryOf(one) === repository) ||
    // Stores that go by manifests know a tagged image by its digest, too
    (wanted.digest === image.id && image.tags.some((tag) => repositoryOf(tag) === repository))
}

export const matches = (lookup: ImageLookup, image: NamedImage): Match | undefined => {
  if (lookup.id === image.id) return "id"
  if (lookup.reference !== undefined && hasName(lookup.reference, image)) return "name"
  return lookup.idPrefix !== undefined && image.id.startsWith("sha256:") && hexOf(image.id).startsWith(lookup.idPrefix)
    ? "prefix"
    : undefined
}

const strength: { readonly [match in Match]: number } = { id: 0, name: 1, prefix: 2 }

/** The images that are meant: those of the strongest kind of match; several only by a prefix or a digest. */
export const matchingImages = <Image extends NamedImage>(
  lookup: ImageLookup, images: ReadonlyArray<Image>
): ReadonlyArray<Image> => {
  const found = images.flatMap((image) => {
    const match = matches(lookup, image)
    return match === undefined ? [] : [{ image, rank: strength[match] }]
  })
  const best = Math.min(...found.map(({ rank }) => rank))
  return found.filter(({ rank }) => rank === best).map(({ image }) => image)
}

/** No image is meant. */
export class NoSuchImage extends Data.TaggedError("NoSuchImage")<{ readonly text: string; readonly cause: string }> {}

/** The one image that is meant. Wording of docker. */
export const findImage = <Image extends NamedImage>(
  text: string, images: ReadonlyArray<Image>
): Result.Result<Image, TextError | NoSuchImage> => Result.gen(function*() {
  const [image, ...others] = matchingImages(yield* parseImageLookup(text), images)
  if (image === undefined) return yield* Result.fail(new NoSuchImage({ text, cause: `No such image: ${text}` }))
  return others.every(({ id }) => id === image.id)
    ? image
    : yield* refuse("find image", text, `multiple IDs found with provided prefix: ${text}`, "write more digits of the id")
})
