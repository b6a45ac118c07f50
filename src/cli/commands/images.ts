/** `images`: the images there are. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { filterImages, type ImageFilters, parseImageFilters } from "../../domain/image/ImageFilter.ts"
import { familiarReference } from "../../domain/image/Reference.ts"
import { formatRows } from "../../domain/text/formatRows.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import { createdAt } from "../../programs/image/createdAt.ts"
import type { StoredImage } from "../../programs/image/imageRecords.ts"
import { type ImageError, Images } from "../../programs/Images.ts"
import { boolean, list, text, type Values } from "../argv/Flag.ts"
import { parseFilter } from "../format/containerFilters.ts"
import { shortId } from "../format/containerListing.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { imageListing, imageRows } from "../format/imageListing.ts"
import { layerTree } from "../format/layerTree.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

const flags = {
  all: boolean("Show all images (default hides intermediate images)", { short: "a" }),
  digests: boolean("Show digests"),
  filter: list("Filter output based on conditions provided", { short: "f", type: "filter", parse: parseFilter }),
  format: text(formatHelp.table),
  "no-trunc": boolean("Don't truncate output"),
  quiet: boolean("Only show image IDs", { short: "q" }),
  tree: boolean("Show the layers as a tree, and which images share them")
}

/** --filter as images understand it. */
export const imageFilters = (
  filters: ReadonlyArray<{ readonly name: string; readonly value: string }>
): Effect.Effect<ImageFilters, TextError, Surroundings> => Effect.gen(function*() {
  const { zone } = yield* Surroundings
  const now = yield* Clock.currentTimeNanos
  const localZoneMinutes = zone(Number(now / 1_000_000n)).minutes
  return yield* Effect.fromResult(parseImageFilters(filters.map(({ name, value }) => `${name}=${value}`), { now, localZoneMinutes }))
})

/** Those that the filters leave. */
export const filtered = (
  filters: ImageFilters, images: ReadonlyArray<StoredImage>
): Result.Result<ReadonlyArray<StoredImage>, TextError> =>
  filterImages(filters, images.map((image) => ({
    ...image, createdAt: createdAt(image.record), labels: image.record.config.labels ?? {}
  })))

/** By the second, as docker has them; of equal ones the order is the store's. */
const newestFirst = (images: ReadonlyArray<StoredImage>): ReadonlyArray<StoredImage> => {
  const seconds = ({ record }: StoredImage) => Number(createdAt(record) / 1_000_000_000n)
  return images.toSorted((one, other) => seconds(other) - seconds(one))
}

/** What people call an image. */
const titleOf = ({ id, tags }: StoredImage): string =>
  tags.length === 0 ? `<none> (${shortId(id)})` : tags.map(familiarReference).join(", ")

const showTree = (
  shown: ReadonlyArray<StoredImage>, truncate: boolean
): Effect.Effect<string, ImageError, Images> => Effect.gen(function*() {
  const images = yield* Images
  const layered = yield* Effect.forEach(shown, (image) =>
    Effect.map(images.inspect(image.id), ({ layerSizes }) => ({
      title: titleOf(image),
      layers: image.record.layers.map(({ chainId, diffId }, index) => ({ chainId, diffId, size: layerSizes[index] ?? 0 }))
    })))
  return layerTree(layered, truncate)
})

const contradiction = (values: Values<typeof flags>): string | undefined =>
  (["quiet", "digests", "format"] as const).find((flag) => values[flag] !== false && values[flag] !== "")

export const images = command({
  forms: ["[OPTIONS] [REPOSITORY[:TAG]]"],
  summary: "List images",
  flags,
  arguments: { least: 0, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [wanted], values }) => Effect.gen(function*() {
    const contradicts = values.tree ? contradiction(values) : undefined
    if (contradicts !== undefined) return yield* refusal(`--${contradicts} is not supported together with --tree: leave one out`)
    const { zone } = yield* Surroundings
    const now = yield* Clock.currentTimeNanos
    const reference = wanted === undefined ? [] : [{ name: "reference", value: wanted }]
    const filters = yield* imageFilters([...values.filter, ...reference])
    const all = yield* Images.use((one) => one.list)
    const shown = newestFirst(yield* Effect.fromResult(filtered(filters, all)))
    const truncate = !values["no-trunc"]
    if (values.tree) {
      yield* print(yield* showTree(shown, truncate))
      return 0
    }
    const digests = values.digests || values.format.includes(".Digest")
    const rows = imageRows(shown, { digests, ownDigests: values.digests })
    yield* print(yield* Effect.fromResult(formatRows(imageListing({ now, zone, truncate }, values.digests), rows, values)))
    return 0
  })
})
