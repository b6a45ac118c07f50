/** The rows of `history`: how an image came to be, newest first, with what each step added. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../text/TextError.ts"
import type { Digest } from "./Digest.ts"
import { diffIdsOf, type HistoryEntry, type ImageConfig } from "./ImageConfig.ts"
import { familiarReference, type Reference } from "./Reference.ts"

export interface HistoryRow {
  /** The image's id on the newest row; `<missing>` on the others, which have no image of their own. */
  readonly id: string
  /** RFC 3339, or "" where the image does not say. */
  readonly created: string
  readonly createdBy: string
  /** Bytes that the step's layer takes unpacked; 0 for a step that changed no file. */
  readonly size: number
  readonly comment: string
  readonly tags: ReadonlyArray<string>
}

const missing = "<missing>"

const rowOf = (entry: HistoryEntry, size: number): HistoryRow => ({
  id: missing,
  created: entry.created ?? "",
  createdBy: entry.created_by ?? "",
  size,
  comment: entry.comment ?? "",
  tags: []
})

/**
 * `layerSizes`: bytes of each layer unpacked, bottom first, one per diffID. Layers that the history does not tell of get
 * rows without a text, so that the sizes add up to the image's.
 */
export const imageHistory = (image: {
  readonly id: Digest
  readonly config: ImageConfig
  readonly layerSizes: ReadonlyArray<number>
  readonly tags: ReadonlyArray<Reference>
}): Result.Result<ReadonlyArray<HistoryRow>, TextError> => {
  const { config, id, layerSizes, tags } = image
  const layers = diffIdsOf(config).length
  if (layerSizes.length !== layers) {
    return refuse(
      "tell the history of", id, `it has ${layers} layers, but ${layerSizes.length} are stored`, "pull the image again"
    )
  }
  let next = 0
  const told = (config.history ?? []).map((entry) =>
    rowOf(entry, entry.empty_layer === true ? 0 : layerSizes[next++] ?? 0))
  if (next > layers) {
    return refuse(
      "tell the history of", id, `its history tells of ${next} layers, but it has ${layers}`, "have the image built again"
    )
  }
  const rows = [...told, ...layerSizes.slice(next).map((size) => rowOf({}, size))].reverse()
  return Result.succeed(rows.map((row, index) => index > 0 ? row : { ...row, id, tags: tags.map(familiarReference) }))
}
