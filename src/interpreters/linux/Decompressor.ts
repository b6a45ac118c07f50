/**
 * Undoes the compression of a stream, piece by piece: what goes in is decompressed only as fast as what comes
 * out is taken, so that a small archive can't fill the memory.
 */
import * as Effect from "effect/Effect"
import type { Transform } from "node:stream"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type Subject, Refusal, toKernelError } from "./attempt.ts"

/** Bytes of one decompressed piece: a call of the addon is made for each. */
const pieceBytes = 256 << 10

const zlib = (): typeof import("node:zlib") => process.getBuiltinModule("node:zlib")

export class Decompressor {
  private readonly stream: Transform
  private readonly subject: Subject
  private readonly format: string
  private error: Error | undefined
  private ended = false
  private wake: () => void = () => {}

  constructor(format: "gzip" | "zstd", subject: Subject) {
    this.format = format
    this.subject = subject
    const options = { chunkSize: pieceBytes }
    this.stream = format === "gzip" ? zlib().createGunzip(options) : zlib().createZstdDecompress(options)
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

  /** Puts bytes in and hands each piece that comes out to `use`; done when all of them are through. */
  push(
    data: Uint8Array, last: boolean, use: (piece: Uint8Array) => Effect.Effect<void, KernelError>
  ): Effect.Effect<void, KernelError> {
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

  private drain(
    isThrough: () => boolean, use: (piece: Uint8Array) => Effect.Effect<void, KernelError>
  ): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      const piece: Uint8Array | null = this.stream.read()
      if (piece !== null) return Effect.andThen(use(piece), this.drain(isThrough, use))
      if (this.error !== undefined) return Effect.fail(this.broken(this.error))
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

  private broken(error: Error): KernelError {
    const hint = `the ${this.format} data are damaged or cut off (${error.message}): copy or download the archive again`
    return toKernelError(this.subject, new Refusal(this.format, "EBADMSG", hint))
  }
}
