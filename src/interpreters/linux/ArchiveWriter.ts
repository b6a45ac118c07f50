/** A tar stream becoming files, piece by piece: decompressed and decoded here, made by the addon on a pool thread. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { compressionRefusal, detectCompression, detectionBytes } from "../../domain/layer/compression.ts"
import { resolveEntryPath } from "../../domain/layer/entryPath.ts"
import * as TarDecoder from "../../domain/layer/TarDecoder.ts"
import type { TarEntry, Timestamp } from "../../domain/layer/TarEntry.ts"
import type { Addon, Unpack } from "./addon.ts"
import { attempt, awaitTask, Refusal, type Subject, toKernelError } from "./attempt.ts"
import { Decompressor } from "./Decompressor.ts"
import { RecordWriter } from "./entryRecords.ts"
import type { Open } from "./Machine.ts"
import type { Root } from "./Root.ts"

/** Times of directories that go to the addon together. */
const timesPerCall = 4096

const empty = new Uint8Array(0)

interface Owner {
  readonly uid: number
  readonly gid: number
}

type Format = { readonly _tag: "Unknown"; readonly start: Uint8Array } | { readonly _tag: "Plain" } | {
  readonly _tag: "Compressed"
  readonly decompressor: Decompressor
}

export class ArchiveWriter implements Open {
  private readonly addon: Addon
  private readonly unpack: Unpack
  private readonly root: Root
  private readonly owner: Owner | undefined
  private readonly subject: Subject
  private readonly records = new RecordWriter()
  /** When all is made: a directory's time changes with every name made in it. */
  private readonly times: Array<readonly [path: string, mtime: Timestamp]> = []
  private decoder = TarDecoder.start()
  private format: Format = { _tag: "Unknown", start: empty }
  private state: "open" | "busy" | "failed" | "closing" | "closed" = "open"

  constructor(addon: Addon, unpack: Unpack, root: Root, path: string, owner: Owner | undefined) {
    this.addon = addon
    this.unpack = unpack
    this.root = root
    this.owner = owner
    this.subject = { op: "ArchivePush", path }
  }

  push(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      if (this.state !== "open") {
        const refusal = new Refusal("write", "EBUSY", "another push is under way, or failed")
        return Effect.fail(toKernelError(this.subject, refusal))
      }
      this.state = "busy"
      const all = last
        ? Effect.andThen(this.accept(data, true), Effect.andThen(this.finish(), this.makeTimes()))
        : this.accept(data, false)
      return Effect.onExit(all, (exit) => Effect.sync(() => this.release(exit._tag === "Success")))
    })
  }

  close(): void {
    if (this.state === "busy") this.state = "closing"
    else this.closeNow()
  }

  private release(succeeded: boolean): void {
    if (this.state === "closing") this.closeNow()
    else if (this.state === "busy") this.state = succeeded ? "open" : "failed"
  }

  private closeNow(): void {
    if (this.state === "closed") return
    this.state = "closed"
    if (this.format._tag === "Compressed") this.format.decompressor.close()
    this.addon.unpackClose(this.unpack)
    this.root.close()
  }

  /** Bytes as they come, the first ones kept until they tell how they are compressed. */
  private accept(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    if (this.format._tag === "Plain") return this.decode(data)
    if (this.format._tag === "Compressed") {
      return this.format.decompressor.push(data, last, (piece) => this.decode(piece))
    }
    const start = this.format.start.length === 0 ? data : Buffer.concat([this.format.start, data])
    if (start.length < detectionBytes && !last) {
      this.format = { _tag: "Unknown", start: start.slice() }
      return Effect.void
    }
    const compression = detectCompression(start)
    if (compression === "gzip" || compression === "zstd") {
      const opened = attempt(this.subject, () => new Decompressor(compression, this.subject))
      return Effect.flatMap(opened, (decompressor) => {
        this.format = { _tag: "Compressed", decompressor }
        return this.accept(start, last)
      })
    }
    const refusal = compressionRefusal(compression)
    if (refusal !== undefined) return Effect.fail(toKernelError(this.subject, new Refusal("read", "EINVAL", refusal)))
    this.format = { _tag: "Plain" }
    return this.decode(start)
  }

  private decode(bytes: Uint8Array): Effect.Effect<void, KernelError> {
    const [events, decoder] = TarDecoder.step(this.decoder, bytes)
    this.decoder = decoder
    return this.make(events)
  }

  private finish(): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => this.make(TarDecoder.finish(this.decoder)))
  }

  private make(events: ReadonlyArray<TarDecoder.TarEvent>): Effect.Effect<void, KernelError> {
    let fault: KernelError | undefined
    for (const event of events) {
      fault = this.pack(event)
      if (fault !== undefined) break
    }
    // What came before the fault is made all the same: the archive is not worth more than that.
    const made = this.flush()
    return fault === undefined ? made : Effect.andThen(made, Effect.fail(fault))
  }

  private pack(event: TarDecoder.TarEvent): KernelError | undefined {
    switch (event._tag) {
      case "Entry":
        return this.packEntry(event.entry)
      case "Data":
        this.records.data(event.offset, event.bytes)
        return undefined
      case "EntryEnd":
        this.records.end()
        return undefined
      case "End":
        return undefined
      case "Failed": {
        const { entry, message } = event.error
        const subject = entry === undefined ? this.subject : { ...this.subject, path: entry }
        return toKernelError(subject, new Refusal("tar", "EBADMSG", message))
      }
    }
  }

  private packEntry(entry: TarEntry): KernelError | undefined {
    const path = resolveEntryPath(entry.path)
    const link = entry.type === "hardlink" ? resolveEntryPath(entry.linkpath) : undefined
    for (const result of [path, link]) {
      if (result !== undefined && Result.isFailure(result)) {
        const refusal = new Refusal("tar", "EINVAL", `${result.failure.reason}; ${result.failure.hint}`)
        return toKernelError({ ...this.subject, path: entry.path }, refusal)
      }
    }
    const name = path.pipe(Result.getOrThrow).join("/")
    const linkpath = link === undefined ? entry.linkpath : Result.getOrThrow(link).join("/")
    this.records.entry(entry, name, linkpath, this.owner ?? entry)
    if (entry.type === "dir") this.times.push([name, entry.mtime])
    return undefined
  }

  private flush(): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      if (this.records.length === 0) return Effect.void
      const packed = this.records.take()
      return awaitTask<number>(this.subject, (cancel, done) =>
        this.addon.unpackRun(this.unpack, packed, packed.length, cancel, done))
    })
  }

  private makeTimes(): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      if (this.times.length === 0) return Effect.void
      // The deepest first or not is the same: setting a time changes no other.
      for (const [path, mtime] of this.times.splice(0, timesPerCall)) this.records.times(path, mtime)
      return Effect.andThen(this.flush(), this.makeTimes())
    })
  }
}
