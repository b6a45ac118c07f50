/** Cuts a stream of bytes into whole frames (8 bytes of header, see Supervisor.ts); what is not whole is kept. */
import { framePayloadLimit } from "../../domain/kernel/Supervisor.ts"
import { Refusal } from "./attempt.ts"

const headerBytes = 8

export class FrameBuffer {
  /** Whole frames, in pieces. */
  private ready: Array<Uint8Array> = []
  private readyBytes = 0
  /** The beginning of a frame, in pieces. */
  private partial: Array<Uint8Array> = []
  private partialBytes = 0
  /** Bytes of the partial frame as far as they are known: the header says the rest. */
  private needed = headerBytes

  get hasFrames(): boolean {
    return this.readyBytes > 0
  }

  /** Bytes kept in memory. */
  get size(): number {
    return this.readyBytes + this.partialBytes
  }

  /** Takes the next bytes; throws EPROTO when they are no frames. The bytes must not change afterwards. */
  push(bytes: Uint8Array): void {
    let chunk = bytes
    if (this.partialBytes > 0) {
      this.partial.push(bytes)
      this.partialBytes += bytes.length
      if (this.partialBytes < this.needed) return
      chunk = join(this.partial, this.partialBytes)
      this.partial = []
      this.partialBytes = 0
    }
    const end = this.endOfFrames(chunk)
    if (end > 0) {
      this.ready.push(end === chunk.length ? chunk : chunk.subarray(0, end))
      this.readyBytes += end
    }
    if (end < chunk.length) {
      this.partial.push(chunk.subarray(end))
      this.partialBytes = chunk.length - end
    }
  }

  /** All whole frames, in one piece; empty when there are none. */
  take(): Uint8Array {
    const frames = join(this.ready, this.readyBytes)
    this.ready = []
    this.readyBytes = 0
    return frames
  }

  /** Where the last whole frame of the chunk ends; notes how many bytes the next one needs. */
  private endOfFrames(chunk: Uint8Array): number {
    for (let at = 0;;) {
      if (chunk.length - at < headerBytes) {
        this.needed = headerBytes
        return at
      }
      const length = chunk[at + 4]! * 2 ** 24 + (chunk[at + 5]! << 16 | chunk[at + 6]! << 8 | chunk[at + 7]!)
      if (length > framePayloadLimit) {
        throw new Refusal("read", "EPROTO", `a frame of ${length} bytes: the other side is no supervisor of ours`)
      }
      if (chunk.length - at < headerBytes + length) {
        this.needed = headerBytes + length
        return at
      }
      at += headerBytes + length
    }
  }
}

const empty = new Uint8Array(0)

const join = (pieces: ReadonlyArray<Uint8Array>, length: number): Uint8Array =>
  pieces.length === 0 ? empty : pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length)
