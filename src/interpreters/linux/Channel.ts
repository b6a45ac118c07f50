/**
 * One end of a supervisor's channel. Reads go through a socket of Node; writes go straight to the kernel and
 * through a second socket only when it takes no more, because a failed write closes a socket of Node together
 * with all that could still be read from it.
 */
import * as Effect from "effect/Effect"
import { closeSync } from "node:fs"
import type { Socket } from "node:net"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Addon } from "./addon.ts"
import { attempt, Refusal, type Subject, toKernelError, valueOf } from "./attempt.ts"
import { FrameBuffer } from "./FrameBuffer.ts"
import type { Open } from "./Machine.ts"

/** Bytes read ahead of whoever reads; then the supervisor has to wait. */
const readAhead = 256 << 10

/** Loaded at the first channel: most commands need no network. */
const net = (): typeof import("node:net") => process.getBuiltinModule("node:net")

const reading: Subject = { op: "ChannelRead" }
const writing: Subject = { op: "ChannelWrite" }

export class Channel implements Open {
  private readonly addon: Addon
  private readonly fd: number
  private readonly socket: Socket
  private readonly frames = new FrameBuffer()
  private readonly readers: Array<(frames: Effect.Effect<Uint8Array, KernelError>) => void> = []
  private ended = false
  private failure: KernelError | undefined
  private writer: Socket | undefined
  /** Frames given to the writer that the kernel has not taken, and those of them somebody waits for. */
  private waitingWrites = 0
  private awaitedWrites = 0
  private closed = false

  /** Takes over the descriptor. */
  constructor(addon: Addon, fd: number) {
    this.addon = addon
    this.fd = fd
    try {
      this.socket = new (net().Socket)({ fd, readable: true, writable: false, allowHalfOpen: true })
    } catch (cause) {
      closeSync(fd)
      throw cause
    }
    this.socket.unref()
    this.socket.on("data", (bytes: Buffer) => this.arrived(bytes))
    this.socket.on("end", () => this.end(undefined))
    this.socket.on("close", () => this.end(undefined))
    this.socket.on("error", (error) => this.broke(error))
  }

  /** The next frames, none at the end. */
  read(): Effect.Effect<Uint8Array, KernelError> {
    return Effect.callback<Uint8Array, KernelError>((resume) => {
      if (this.frames.hasFrames) return resume(Effect.succeed(this.takeFrames()))
      if (this.failure !== undefined) return resume(Effect.fail(this.failure))
      if (this.ended) return resume(Effect.succeed(this.frames.take()))
      this.readers.push(resume)
      // Somebody waits: the process must not end now.
      this.socket.ref()
      return Effect.sync(() => {
        const place = this.readers.indexOf(resume)
        if (place >= 0) this.readers.splice(place, 1)
        this.relax()
      })
    })
  }

  write(frames: Uint8Array): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      let taken: number
      try {
        taken = this.sendNow(frames)
      } catch (cause) {
        return Effect.fail(writeError(cause))
      }
      return taken === frames.length ? Effect.void : this.writeLater(frames.slice(taken))
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.writer?.destroy()
    this.socket.destroy()
    this.end(undefined)
  }

  private arrived(bytes: Uint8Array): void {
    try {
      this.frames.push(bytes)
    } catch (cause) {
      return this.end(toKernelError(reading, cause))
    }
    if (this.frames.hasFrames) {
      const reader = this.readers.shift()
      if (reader !== undefined) {
        this.relax()
        reader(Effect.succeed(this.takeFrames()))
      }
    }
    if (this.frames.size >= readAhead) this.socket.pause()
  }

  private takeFrames(): Uint8Array {
    const frames = this.frames.take()
    if (this.socket.isPaused()) this.socket.resume()
    return frames
  }

  private relax(): void {
    if (this.readers.length === 0) this.socket.unref()
  }

  private broke(error: Error): void {
    // The other end went while bytes of ours were on their way: all it said has been read.
    const code = (error as NodeJS.ErrnoException).code
    this.end(code === "ECONNRESET" || code === "EPIPE" ? undefined : toKernelError(reading, error))
  }

  private end(failure: KernelError | undefined): void {
    if (this.ended) return
    this.ended = true
    this.failure = failure
    for (const reader of this.readers.splice(0)) {
      reader(failure === undefined ? Effect.succeed(this.frames.take()) : Effect.fail(failure))
    }
    this.socket.unref()
  }

  /** Bytes taken at once: none while earlier ones wait, since they come first. */
  private sendNow(frames: Uint8Array): number {
    this.requireOpen()
    if (this.waitingWrites > 0) return 0
    let taken = 0
    while (taken < frames.length) {
      const count = valueOf(this.addon.send(this.fd, frames, taken))
      if (count === 0) break
      taken += count
    }
    return taken
  }

  /**
   * Hands the rest over to a socket. An interrupted writer no longer waits, but what it began is sent to the
   * end: half a frame would spoil the channel.
   */
  private writeLater(rest: Uint8Array): Effect.Effect<void, KernelError> {
    return Effect.flatMap(attempt(writing, () => this.openWriter()), (writer) =>
      Effect.callback<void, KernelError>((resume) => {
        let awaited = true
        const leave = () => {
          if (awaited && --this.awaitedWrites === 0) writer.unref()
          awaited = false
        }
        this.waitingWrites++
        if (this.awaitedWrites++ === 0) writer.ref()
        writer.write(rest, (error) => {
          this.waitingWrites--
          leave()
          resume(error == null ? Effect.void : Effect.fail(writeError(error)))
        })
        return Effect.sync(leave)
      }))
  }

  /** At the end of what it reads a socket closes its descriptor: the number may be another file's by now. */
  private requireOpen(): void {
    if (this.ended || this.socket.destroyed) throw new Refusal("sendto", "EPIPE", "the supervisor has gone")
  }

  private openWriter(): Socket {
    if (this.writer !== undefined && !this.writer.destroyed) return this.writer
    this.requireOpen()
    const fd = valueOf(this.addon.duplicate(this.fd))
    try {
      this.writer = new (net().Socket)({ fd, readable: false, writable: true, allowHalfOpen: true })
    } catch (cause) {
      closeSync(fd)
      throw cause
    }
    // The write's own callback tells; without a listener Node would end the process.
    this.writer.on("error", () => {})
    return this.writer
  }
}

/** Whatever way the supervisor went, a write after it is EPIPE. */
const writeError = (cause: unknown): KernelError => {
  const error = toKernelError(writing, cause)
  const gone = error.errno === "ECONNRESET" || error.errno === "ENOTCONN" || error.errno === "ECANCELED"
  return gone ? toKernelError(writing, new Refusal(error.syscall, "EPIPE", "the supervisor has gone")) : error
}
