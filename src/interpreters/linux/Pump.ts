/**
 * One of zlib's streams, fed piece by piece: what goes in is worked on only as fast as what comes out is taken, so that
 * a small archive can't fill the memory.
 */
import * as Effect from "effect/Effect"
import type { Transform } from "node:stream"

/** Bytes of one piece that comes out: a call of the addon, or a write, is made for each. */
const pieceBytes = 256 << 10

export type Format = "gzip" | "zstd"

const zlib = (): typeof import("node:zlib") => process.getBuiltinModule("node:zlib")

/** Its header of gzip has neither a time nor a name. */
export const compressor = (format: Format): Transform =>
  format === "gzip" ? zlib().createGzip({ chunkSize: pieceBytes }) : zlib().createZstdCompress({ chunkSize: pieceBytes })

export const decompressor = (format: Format): Transform =>
  format === "gzip" ? zlib().createGunzip({ chunkSize: pieceBytes }) : zlib().createZstdDecompress({ chunkSize: pieceBytes })

export class Pump {
  private readonly stream: Transform
  private error: Error | undefined
  private ended = false
  private wake: () => void = () => {}

  constructor(stream: Transform) {
    this.stream = stream
    this.stream.on("error", (error) => {
      this.error = error
      this.wake()
    })
    this.stream.on("end", () => {
      this.ended = true
      this.wake()
    })
    this.stream.on("readable", () => this.wake())
  }

  /** Puts bytes in and hands each piece that comes out to `use`; done when all of them are through. Fails for broken data. */
  push<E, R>(
    data: Uint8Array, last: boolean, use: (piece: Uint8Array) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E | Error, R> {
    return Effect.suspend(() => {
      let taken = data.length === 0
      if (!taken) {
        this.stream.write(data, () => {
          taken = true
          this.wake()
        })
      }
      if (last) this.stream.end()
      return this.drain(() => last ? this.ended : taken, use)
    })
  }

  close(): void {
    this.stream.destroy()
  }

  private drain<E, R>(
    isThrough: () => boolean, use: (piece: Uint8Array) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E | Error, R> {
    return Effect.suspend((): Effect.Effect<void, E | Error, R> => {
      const piece: Uint8Array | null = this.stream.read()
      if (piece !== null) return Effect.andThen(use(piece), this.drain(isThrough, use))
      if (this.error !== undefined) return Effect.fail(this.error)
      if (isThrough()) return Effect.void
      return Effect.andThen(this.nextChange(isThrough), this.drain(isThrough, use))
    })
  }

  private nextChange(isThrough: () => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.error !== undefined || this.stream.readableLength > 0 || isThrough()) return resume(Effect.void)
      this.wake = () => {
        this.wake = () => {}
        resume(Effect.void)
      }
      return Effect.sync(() => {
        this.wake = () => {}
      })
    })
  }
}
