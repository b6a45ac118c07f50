/** Compression in a simulation: of whole contents at once, which are small. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { Compression, CompressionFailure, type CompressionFormat } from "../../programs/image/Compression.ts"

const done = { gzip: gzipSync, zstd: zstdCompressSync }
const undone = { gzip: gunzipSync, zstd: zstdDecompressSync }

const decompressed = (format: CompressionFormat, bytes: Uint8Array): Effect.Effect<Uint8Array, CompressionFailure> =>
  Effect.try({
    try: (): Uint8Array => undone[format](bytes),
    catch: (fault) => new CompressionFailure({ cause: `the ${format} data are damaged or cut off (${(fault as Error).message})` })
  })

const whole = <E, R>(data: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(Stream.runCollect(data), joinBytes)

export const simulatedCompression: Layer.Layer<Compression> = Layer.succeed(Compression, {
  decompress: (format, data) => Stream.fromEffect(Effect.flatMap(whole(data), (bytes) => decompressed(format, bytes))),
  compress: (format, data) => Stream.fromEffect(Effect.map(whole(data), (bytes): Uint8Array => done[format](bytes)))
})
