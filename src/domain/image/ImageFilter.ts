/** `images --filter` and `image prune --filter` (moby, daemon/images/images.go): which images are meant. */
import * as Result from "effect/Result"
import { readBoolean } from "../text/flags/readBoolean.ts"
import { refuse, textError, type TextError } from "../text/TextError.ts"
import { parseTimestamp } from "../text/Timestamp.ts"
import { findImage, type NamedImage } from "./ImageLookup.ts"
import { compileGlob } from "./matchGlob.ts"
import { familiarName, familiarReference, type Reference } from "./Reference.ts"

/** What filters need to know of an image. */
export interface FilteredImage extends NamedImage {
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint
  readonly labels: { readonly [name: string]: string }
}

interface LabelFilter {
  readonly name: string
  /** Undefined: any. */
  readonly value: string | undefined
}

/** All kinds must hold; of several values of a kind every label, and any one of the rest. */
export interface ImageFilters {
  readonly dangling?: boolean
  readonly labels: ReadonlyArray<LabelFilter>
  /** `label!=`: must not hold. */
  readonly excludedLabels: ReadonlyArray<LabelFilter>
  /** Created before each of these. */
  readonly before: ReadonlyArray<string>
  readonly since: ReadonlyArray<string>
  /** Patterns, one of which must match a name. */
  readonly references: ReadonlyArray<(text: string) => boolean>
  /** Created before this time: nanoseconds since the epoch. */
  readonly until?: bigint
}

const operation = "parse filter"
const known = "dangling, label, label!, before, since, reference, until"

export const noFilters: ImageFilters = { labels: [], excludedLabels: [], before: [], since: [], references: [] }

const parseLabel = (text: string): LabelFilter => {
  const equals = text.indexOf("=")
  return equals < 0 ? { name: text, value: undefined } : { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

/** Longer patterns match no name. */
const longestPattern = 1024

const addFilter = (
  filters: ImageFilters, text: string, key: string, value: string,
  clock: { readonly now: bigint; readonly localZoneMinutes?: number }
): Result.Result<ImageFilters, TextError> => {
  switch (key) {
    case "label": return Result.succeed({ ...filters, labels: [...filters.labels, parseLabel(value)] })
    case "label!": return Result.succeed({ ...filters, excludedLabels: [...filters.excludedLabels, parseLabel(value)] })
    case "before": return Result.succeed({ ...filters, before: [...filters.before, value] })
    case "since": return Result.succeed({ ...filters, since: [...filters.since, value] })
    case "until":
      return Result.map(parseTimestamp(value, clock), (until) => ({ ...filters, until }))
    case "dangling": {
      const dangling = readBoolean(value)
      if (dangling === undefined || (filters.dangling !== undefined && filters.dangling !== dangling)) {
        return refuse(operation, text, `invalid filter 'dangling=${value}'`, "write dangling=true or dangling=false, once")
      }
      return Result.succeed({ ...filters, dangling })
    }
    case "reference": {
      const pattern = value.length > longestPattern ? undefined : compileGlob(value)
      return pattern === undefined
        ? refuse(operation, text, "syntax error in pattern", "write a name with *, ? and [a-z], such as reference='busy*:1*'")
        : Result.succeed({ ...filters, references: [...filters.references, pattern] })
    }
    default: return refuse(operation, text, `invalid filter '${key}'`, `use one of ${known}`)
  }
}

/** `KEY=VALUE` each; `label!=NAME` excludes. */
export const parseImageFilters = (
  texts: ReadonlyArray<string>, clock: { readonly now: bigint; readonly localZoneMinutes?: number }
): Result.Result<ImageFilters, TextError> => Result.gen(function*() {
  let filters = noFilters
  for (const text of texts) {
    const equals = text.indexOf("=")
    if (equals < 0) return yield* refuse(operation, text, "bad format of filter (expected name=value)", `use one of ${known}`)
    const key = text.slice(0, equals).trim().toLowerCase()
    filters = yield* addFilter(filters, text, key, text.slice(equals + 1).trim(), clock)
  }
  return filters
})

const hasLabel = (image: FilteredImage, { name, value }: LabelFilter): boolean =>
  Object.hasOwn(image.labels, name) && (value === undefined || image.labels[name] === value)

/** A pattern may be of the name alone, or with the tag (distribution/reference, FamiliarMatch). */
const matchesPattern = (filters: ImageFilters, reference: Reference): boolean =>
  filters.references.some((pattern) => pattern(familiarReference(reference)) || pattern(familiarName(reference)))

const matchesFacts = (filters: ImageFilters, image: FilteredImage): boolean =>
  (filters.dangling === undefined || filters.dangling === (image.tags.length === 0)) &&
  filters.labels.every((label) => hasLabel(image, label)) &&
  !filters.excludedLabels.some((label) => hasLabel(image, label)) &&
  (filters.until === undefined || image.createdAt < filters.until)

/** The image with the names that a reference filter leaves of it; undefined if it leaves none. */
const withMatchingNames = <Image extends FilteredImage>(filters: ImageFilters, image: Image): Image | undefined => {
  if (filters.references.length === 0) return image
  const tags = image.tags.filter((tag) => matchesPattern(filters, tag))
  const digests = image.digests.filter((one) => matchesPattern(filters, one))
  return tags.length + digests.length === 0 ? undefined : { ...image, tags, digests }
}

/** The images that are left, in order; a filter on names also drops the other names of an image. */
export const filterImages = <Image extends FilteredImage>(
  filters: ImageFilters, images: ReadonlyArray<Image>
): Result.Result<ReadonlyArray<Image>, TextError> => Result.gen(function*() {
  const find = (text: string) => Result.mapError(findImage(text, images), (error) =>
    error._tag === "TextError" ? error : textError("find image", text, error.cause, "list images, or pull it"))
  const befores: Array<bigint> = []
  for (const text of filters.before) befores.push((yield* find(text)).createdAt)
  const sinces: Array<bigint> = []
  for (const text of filters.since) sinces.push((yield* find(text)).createdAt)
  return images.flatMap((image) => {
    const inTime = befores.every((time) => image.createdAt < time) && sinces.every((time) => image.createdAt > time)
    const named = inTime && matchesFacts(filters, image) ? withMatchingNames(filters, image) : undefined
    return named === undefined ? [] : [named]
  })
})
