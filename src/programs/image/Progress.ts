/** What a transfer of images tells on its way, in Docker's words: the command line draws it, the API writes it as JSON. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Digest, hexOf } from "../../domain/image/Digest.ts"

export interface Progress {
  /** The layer, by the first digits of its digest; absent: of all. */
  readonly id?: string
  readonly status: string
  /** Bytes, of `total` where that is known. */
  readonly current?: number
  readonly total?: number
}

export type Observe = (progress: Progress) => Effect.Effect<void>

/** What a layer is called to users. */
export const shownId = (digest: Digest): string => hexOf(digest).slice(0, 12)

/** Bytes between two words about a layer's progress. */
const step = 512 << 10

export interface Course {
  readonly id: string
  readonly status: string
  /** Bytes that had passed before. */
  readonly from: number
  readonly total: number
}

/** Tells of the bytes on their way, now and then. */
export const observed = <E, R>(
  data: Stream.Stream<Uint8Array, E, R>, { from, id, status, total }: Course, observe: Observe
): Stream.Stream<Uint8Array, E, R> => {
  let current = from
  let told = from
  return Stream.tap(data, (piece) => {
    current += piece.length
    if (current - told < step && current < total) return Effect.void
    told = current
    return observe({ id, status, current, total })
  })
}
