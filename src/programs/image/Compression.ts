/** Undoing and doing compression of streams, with the fastest means that an interpreter has. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Stream from "effect/Stream"

export class CompressionFailure extends Data.TaggedError("CompressionFailure")<{
  /** What is wrong with the compressed data. */
  readonly cause: string
}> {}

export type CompressionFormat = "gzip" | "zstd"

export class Compression extends Context.Service<Compression, {
  /** What comes out is only made as fast as it is taken. */
  readonly decompress: <E, R>(
    format: CompressionFormat, data: Stream.Stream<Uint8Array, E, R>
  ) => Stream.Stream<Uint8Array, E | CompressionFailure, R>
  /** Equal bytes give equal bytes: no times or names are in it. */
  readonly compress: <E, R>(
    format: CompressionFormat, data: Stream.Stream<Uint8Array, E, R>
  ) => Stream.Stream<Uint8Array, E, R>
}>()("fx/programs/image/Compression") {}
