/** A tree becoming a tar stream, a piece at a time: the walk is the addon's, on a pool thread. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { encodeHeader, endOfArchive, padding } from "../../domain/layer/TarEncoder.ts"
import type { Addon, Walk } from "./addon.ts"
import { awaitTask, Refusal, type Subject, toKernelError } from "./attempt.ts"
import { readWalkRecords } from "./entryRecords.ts"
import type { Open } from "./Machine.ts"
import type { Root } from "./Root.ts"

/** Bytes of one piece; must hold the largest entry: two paths, and a list and a value of attributes of 64 KiB. */
const pieceBytes = 512 << 10

const empty = new Uint8Array(0)

export class ArchiveReader implements Open {
  private readonly addon: Addon
  private readonly walk: Walk
  private readonly root: Root
  private readonly subject: Subject
  private readonly buffer = Buffer.allocUnsafeSlow(pieceBytes)
  /** Bytes of the current file that have not come, and the padding after them. */
  private left = 0
  private padding: Uint8Array = empty
  private state: "reading" | "busy" | "ended" | "failed" | "closing" | "closed" = "reading"

  constructor(addon: Addon, walk: Walk, root: Root, path: string) {
    this.addon = addon
    this.walk = walk
    this.root = root
    this.subject = { op: "ArchivePull", path }
  }

  pull(): Effect.Effect<Uint8Array, KernelError> {
    return Effect.suspend(() => {
      if (this.state === "ended") return Effect.succeed(empty)
      if (this.state !== "reading") {
        const refusal = new Refusal("read", "EBUSY", "another pull is under way, or failed")
        return Effect.fail(toKernelError(this.subject, refusal))
      }
      this.state = "busy"
      return Effect.onExit(
        Effect.flatMap(
          awaitTask<number>(this.subject, (cancel, done) => this.addon.walkNext(this.walk, this.buffer, cancel, done)),
          (count) => this.toTar(count)
        ),
        (exit) => Effect.sync(() => this.release(exit._tag === "Success"))
      )
    })
  }

  close(): void {
    if (this.state === "busy") this.state = "closing"
    else this.closeNow()
  }

  private release(succeeded: boolean): void {
    if (this.state === "closing") this.closeNow()
    // A failed or interrupted pull has lost bytes: the stream can't go on, only be closed.
    else if (!succeeded) this.state = "failed"
  }

  private closeNow(): void {
    if (this.state === "closed") return
    this.state = "closed"
    this.addon.walkClose(this.walk)
    this.root.close()
  }

  private toTar(count: number): Effect.Effect<Uint8Array, KernelError> {
    if (count === 0) {
      if (this.state === "busy") this.state = "ended"
      return Effect.succeed(endOfArchive)
    }
    const pieces: Array<Uint8Array> = []
    for (const record of readWalkRecords(this.buffer.subarray(0, count))) {
      if (record._tag === "Data") {
        pieces.push(record.bytes)
        this.left -= record.bytes.length
        if (this.left === 0) pieces.push(this.padding)
        continue
      }
      const header = encodeHeader(record.entry)
      if (Result.isFailure(header)) {
        const { hint, reason } = header.failure
        const path = record.entry.path
        return Effect.fail(toKernelError({ ...this.subject, path }, new Refusal("tar", "EINVAL", `${reason}; ${hint}`)))
      }
      pieces.push(header.success)
      this.left = record.entry.size
      this.padding = padding(this.left)
    }
    if (this.state === "busy") this.state = "reading"
    return Effect.succeed(Buffer.concat(pieces))
  }
}
