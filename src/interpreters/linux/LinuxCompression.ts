/** Compression of streams by Node's zlib, whose work is done on other threads. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Transform } from "node:stream"
import { Compression, CompressionFailure } from "../../programs/image/Compression.ts"
import { compressor, decompressor, Pump } from "./Pump.ts"

/** Pieces that wait between the two sides. */
const waiting = 2

/** `data` through one of zlib's streams; what that says of broken data is told by `broken`. */
const through = <E, R, B>(
  make: () => Transform, data: Stream.Stream<Uint8Array, E, R>, broken: (error: Error) => B
): Stream.Stream<Uint8Array, E | B, R> =>
  Stream.callback<Uint8Array, E | B, R>((queue) => Effect.gen(function*() {
    const pump = yield* Effect.acquireRelease(Effect.sync(() => new Pump(make())), (one) => Effect.sync(() => one.close()))
    const push = (piece: Uint8Array, last: boolean) =>
      pump.push(piece, last, (made) => Queue.offer(queue, made)).pipe(Effect.mapError(broken))
    yield* Stream.runForEach(data, (piece) => push(piece, false)).pipe(
      Effect.andThen(push(new Uint8Array(0), true)),
      Effect.matchCauseEffect({ onFailure: (cause) => Queue.failCause(queue, cause), onSuccess: () => Queue.end(queue) })
    )
  }), { bufferSize: waiting, strategy: "suspend" })

export const layer: Layer.Layer<Compression> = Layer.succeed(Compression, {
  decompress: (format, data) =>
    through(() => decompressor(format), data, (error) =>
      new CompressionFailure({ cause: `the ${format} data are damaged or cut off (${error.message})` })),
  compress: (format, data) => through(() => compressor(format), data, (error): never => { throw error })
})
