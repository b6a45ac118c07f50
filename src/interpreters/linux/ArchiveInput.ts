/**
 * An archive as it comes, a piece at a time, becoming the plain one: how it is compressed is found out, and undone on a
 * pool thread, into few buffers that are used again and again, while what came before is decoded and made.
 */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { compressionRefusal, detectCompression, detectionBytes } from "../../domain/layer/compression.ts"
import { type Addon, type Failure, type NativeExpand } from "./addon.ts"
import { attempt, Refusal, type Subject, toKernelError, valueOf } from "./attempt.ts"
import { BackgroundTask } from "./BackgroundTask.ts"

/** Bytes of the archive that are worked on at once. */
const bufferBytes = 512 << 10
/** One that is being filled, one that is being decoded, one that a thread makes files of. */
const bufferCount = 3

const empty = new Uint8Array(0)

/**
 * What is done with the bytes of the archive itself, in order. They may be used until the effect of the next but one
 * call begins.
 */
export type UseBytes = (bytes: Uint8Array) => Effect.Effect<void, KernelError>

export class ArchiveInput {
  private readonly addon: Addon
  private readonly subject: Subject
  private readonly use: UseBytes
  private readonly task = new BackgroundTask()
  /** The first is the one that is being filled. Small archives need only one. */
  private readonly buffers: Array<Uint8Array> = []
  private made = 0
  /** The first bytes, until they tell how the archive is compressed. */
  private start: Uint8Array = empty
  private format: "gzip" | "zstd" | "none" | undefined
  private expand: NativeExpand | undefined
  /** What has come and is not through; undefined: all is. */
  private input: Uint8Array | undefined
  private isLast = false
  /** Bytes of the first buffer that are filled. */
  private filled = 0

  constructor(addon: Addon, subject: Subject, use: UseBytes) {
    this.addon = addon
    this.subject = subject
    this.use = use
  }

  get isCompressed(): boolean {
    return this.format === "gzip" || this.format === "zstd"
  }

  /**
   * Takes bytes, which must stay as they are until the next call ends. What is wrong with them may be told by that.
   * With `last` all of them have been used in the end.
   */
  push(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    return Effect.andThen(this.drain(), Effect.suspend(() => {
      if (this.expand === undefined) return this.detect(data, last)
      return this.take(data, last)
    }))
  }

  /** Of all bytes of the archive itself: hexadecimal digits. Throws for `attempt`. */
  digest(): string {
    if (this.expand === undefined) throw new Refusal("digest", "EBADF", "nothing has come")
    return valueOf(this.addon.expandDigest(this.expand))
  }

  /** Waits until no thread uses it any more. */
  stop(): Effect.Effect<void> {
    return this.task.stop()
  }

  close(): void {
    const { expand } = this
    this.task.whenIdle(() => expand !== undefined && this.addon.expandClose(expand))
  }

  private detect(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    const start = this.start.length === 0 ? data : Buffer.concat([this.start, data])
    if (start.length < detectionBytes && !last) {
      this.start = new Uint8Array(start)
      return Effect.void
    }
    const found = detectCompression(start)
    const refusal = compressionRefusal(found)
    if (refusal !== undefined) return Effect.fail(toKernelError(this.subject, new Refusal("read", "EINVAL", refusal)))
    const format = found === "gzip" || found === "zstd" ? found : "none"
    const opened = attempt(this.subject, () => {
      this.expand = valueOf(this.addon.expandOpen(format))
      this.format = format
      this.start = empty
    })
    return Effect.flatMap(opened, () => this.take(start, last))
  }

  private take(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    if (data.length === 0 && !last) return Effect.void
    this.input = data
    this.isLast = last
    this.begin()
    return last ? this.drain() : Effect.void
  }

  /** Waits until the input is through, and uses each buffer that is full. */
  private drain(): Effect.Effect<void, KernelError> {
    return Effect.andThen(this.task.join(), Effect.suspend(() => {
      const { input } = this
      if (input === undefined) return Effect.void
      const isFull = this.filled === bufferBytes
      const isThrough = !isFull && input.length === 0
      if (isThrough) this.input = undefined
      if (!isFull && !(isThrough && this.isLast && this.filled > 0)) {
        if (isThrough) return Effect.void
        this.begin()
        return this.drain()
      }
      const full = this.buffers.shift()!.subarray(0, this.filled)
      this.filled = 0
      if (!isThrough) this.begin()
      return Effect.andThen(Effect.suspend(() => this.use(full)), Effect.suspend(() => {
        this.buffers.push(new Uint8Array(full.buffer))
        return this.drain()
      }))
    }))
  }

  private begin(): void {
    if (this.filled === 0 && this.made < bufferCount) {
      this.buffers.unshift(new Uint8Array(bufferBytes))
      this.made++
    }
    const { addon, expand, input, isLast } = this
    this.task.start<readonly [number, number]>(
      (cancel, done) => addon.expandRun(expand!, input!, isLast, this.buffers[0]!.subarray(this.filled), cancel, done),
      (failure) => this.explain(failure),
      ([taken, given]) => {
        this.input = input!.subarray(taken)
        this.filled += given
      }
    )
  }

  private explain(failure: Failure): KernelError {
    if (failure.detail === "") return toKernelError(this.subject, failure)
    const hint = `the ${this.format} data are damaged or cut off (${failure.detail}): copy or download the archive again`
    return toKernelError(this.subject, new Refusal(failure.syscall, "EBADMSG", hint))
  }
}
