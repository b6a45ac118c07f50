/** What a prune would take, found before anybody is asked: containers that do not run, and images that nothing needs then. */
import * as Effect from "effect/Effect"
import { familiarReference } from "../../../domain/image/Reference.ts"
import { formatDecimalSize } from "../../../domain/text/ByteSize.ts"
import type { TextError } from "../../../domain/text/TextError.ts"
import type { PrunableContainer } from "../../../programs/container/prune.ts"
import { Engine, type EngineError } from "../../../programs/Engine.ts"
import type { StoredImage } from "../../../programs/image/imageRecords.ts"
import { Images } from "../../../programs/Images.ts"
import type { Filter } from "../../format/containerFilters.ts"
import { shortId } from "../../format/containerListing.ts"
import { reclaimable } from "../../format/reclaimable.ts"
import type { Surroundings } from "../../terminal/Surroundings.ts"
import { type CommandFailure, refusal } from "../CommandFailure.ts"
import { filtered, imageFilters } from "../images.ts"

export interface Prunable {
  readonly containers: ReadonlyArray<PrunableContainer>
  readonly images: ReadonlyArray<StoredImage>
  /** That come back in all. */
  readonly bytes: number
}

export interface Wish {
  readonly containers: boolean
  /** Also images that have names. */
  readonly allImages: boolean
  readonly filter: ReadonlyArray<Filter>
}

const pruneFilters: ReadonlySet<string> = new Set(["until", "label", "label!"])

/** Those of all commands that prune: others would mean something else here. */
export const checkFilters = (
  filter: ReadonlyArray<Filter>, more: ReadonlyArray<string> = []
): Effect.Effect<void, CommandFailure> => {
  const strange = filter.find(({ name }) => !pruneFilters.has(name) && !more.includes(name))
  return strange === undefined
    ? Effect.void
    : Effect.fail(refusal(`invalid filter '${strange.name}': use one of ${[...pruneFilters, ...more].join(", ")}`))
}

/** Bytes that containers have written in all. */
export const writtenBy = (containers: Prunable["containers"]): number => containers.reduce((sum, { bytes }) => sum + bytes, 0)

export const findPrunable = (
  wish: Wish
): Effect.Effect<Prunable, EngineError | TextError, Engine | Images | Surroundings> => Effect.gen(function*() {
  const engine = yield* Engine
  const images = yield* Images
  const filters = yield* imageFilters(wish.filter)
  const containers = wish.containers ? yield* engine.prunable(filters) : []
  const going = new Set(containers.map(({ summary }) => summary.record.id))
  const used = new Set((yield* engine.list).filter(({ record }) => !going.has(record.id)).map(({ record }) => record.imageId))
  const stored = yield* images.list
  const meant = (yield* Effect.fromResult(filtered(filters, stored))).filter(({ builtin, id, tags }) =>
    builtin === undefined && !used.has(id) && (wish.allImages || tags.length === 0))
  const ids = new Set<string>(meant.map(({ id }) => id))
  const inspected = yield* Effect.forEach(stored, ({ id }) => images.inspect(id))
  const { waste } = yield* images.diskUsage
  return {
    containers, images: meant,
    bytes: writtenBy(containers) + reclaimable(inspected, (id) => ids.has(id)) + waste
  }
})

const imageTitle = ({ digests, id, tags }: StoredImage): string => {
  const names = (tags.length > 0 ? tags : digests).map(familiarReference)
  return names.length === 0 ? shortId(id) : `${names.join(", ")} (${shortId(id)})`
}

/** What is shown before the question. */
export const prunableText = ({ bytes, containers, images }: Prunable): string => [
  ...(containers.length === 0 ? [] : ["Containers:", ...containers.map(({ bytes, summary: { record } }) =>
    `  ${record.name} (${shortId(record.id)}, ${formatDecimalSize(bytes)})`)]),
  ...(images.length === 0 ? [] : ["Images:", ...images.map((image) =>
    `  ${imageTitle(image)}, ${formatDecimalSize(image.record.size)}`)]),
  `Space that comes back: ${formatDecimalSize(bytes)}`
].map((line) => `${line}\n`).join("")

