/** A tar stream becoming files, piece by piece: decompressed and decoded here, made by the addon on a pool thread. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { resolveEntryPath } from "../../domain/layer/entryPath.ts"
import { RecordWriter } from "../../domain/layer/EntryRecord.ts"
import { layerXattrs } from "../../domain/layer/layerXattrs.ts"
import * as TarDecoder from "../../domain/layer/TarDecoder.ts"
import type { TarEntry, Timestamp } from "../../domain/layer/TarEntry.ts"
import type { Addon, Unpack } from "./addon.ts"
import { ArchiveInput } from "./ArchiveInput.ts"
import { awaitTask, Refusal, type Subject, toKernelError } from "./attempt.ts"
import type { Open } from "./Machine.ts"
import type { Root } from "./Root.ts"
import { Turns } from "./Turns.ts"

/** Times of directories that go to the addon together. */
const timesPerCall = 4096

interface Owner {
  readonly uid: number
  readonly gid: number
}

export class ArchiveWriter implements Open {
  private readonly addon: Addon
  private readonly unpack: Unpack
  private readonly owner: Owner | undefined
  private readonly subject: Subject
  private readonly input: ArchiveInput
  private readonly turns: Turns
  private readonly records = new RecordWriter()
  /** When all is made: a directory's time changes with every name made in it. */
  private readonly times: Array<readonly [path: string, mtime: Timestamp]> = []
  private decoder = TarDecoder.start()

  constructor(addon: Addon, unpack: Unpack, root: Root, path: string, owner: Owner | undefined) {
    this.addon = addon
    this.unpack = unpack
    this.owner = owner
    this.subject = { op: "ArchivePush", path }
    this.input = new ArchiveInput(addon, this.subject, (bytes) => this.decode(bytes))
    this.turns = new Turns(() => {
      this.input.close()
      addon.unpackClose(unpack)
      root.close()
    })
  }

  push(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    return this.turns.take(this.subject, "write", () => {
      const accepted = this.input.push(data, last)
      return last ? Effect.andThen(accepted, Effect.andThen(this.finish(), this.makeTimes())) : accepted
    })
  }

  close(): void {
    this.turns.close()
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
    const { gid, uid } = this.owner ?? entry
    this.records.entry({ ...entry, path: name, linkpath, uid, gid, xattrs: layerXattrs(entry.type, entry.xattrs) })
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
