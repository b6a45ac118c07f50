/**
 * A layer's archive becoming a directory, piece by piece: decompressed and hashed by the addon on one pool thread,
 * decoded and checked here, made by the addon on another one.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Success } from "../../domain/kernel/KernelOp.ts"
import { RecordWriter } from "../../domain/layer/EntryRecord.ts"
import type { LayerError } from "../../domain/layer/LayerError.ts"
import type { LayerLimits } from "../../domain/layer/LayerLimits.ts"
import {
  checkRatio, type LayerForm, type LayerUnpacking, startLayer, stepLayer, type UnpackOperation
} from "../../domain/layer/LayerUnpacking.ts"
import * as TarDecoder from "../../domain/layer/TarDecoder.ts"
import type { TarEntry } from "../../domain/layer/TarEntry.ts"
import { type Addon, type Failure, isFailure, type NativeLayer } from "./addon.ts"
import { ArchiveInput } from "./ArchiveInput.ts"
import { attempt, awaitTask, Refusal, type Subject, toKernelError } from "./attempt.ts"
import { BackgroundTask } from "./BackgroundTask.ts"
import { layerRefusal } from "./layerRefusal.ts"
import type { Open } from "./Machine.ts"
import { Turns } from "./Turns.ts"

/** Records for one task, and what the archive calls that which each of them is about, but for data and ends. */
interface Batch {
  readonly records: RecordWriter
  readonly paths: Array<string>
}

const newBatch = (): Batch => ({ records: new RecordWriter(), paths: [""] })

const layerFault = (subject: Subject, error: LayerError): KernelError =>
  toKernelError(subject, new Refusal("layer", "EINVAL", error.message))

const refuse = (subject: Subject, syscall: string, hint: string): Effect.Effect<never, KernelError> =>
  Effect.fail(toKernelError(subject, new Refusal(syscall, "EINVAL", hint)))

export interface LayerTarget {
  readonly path: string
  readonly form: LayerForm
  readonly limits: LayerLimits
}

export class LayerWriter implements Open {
  readonly target: LayerTarget
  private readonly addon: Addon
  private readonly layer: NativeLayer
  private readonly subject: Subject
  private readonly input: ArchiveInput
  private readonly turns: Turns
  private readonly task = new BackgroundTask()
  /** The one being filled, and the one that is made or was last. */
  private batch = newBatch()
  private other = newBatch()
  private decoder: TarDecoder.TarDecoder
  private unpacking: LayerUnpacking
  private compressedBytes = 0
  private archiveBytes = 0
  /** Whether the entry being read is made: data of others are passed over. */
  private isMade = false
  /** What is being decoded. */
  private piece: Uint8Array = new Uint8Array(0)
  private hasEnded = false

  constructor(addon: Addon, layer: NativeLayer, target: LayerTarget) {
    this.target = target
    this.addon = addon
    this.layer = layer
    this.subject = { op: "ArchivePush", path: target.path }
    this.decoder = TarDecoder.start()
    this.unpacking = startLayer(target.form, target.limits)
    this.input = new ArchiveInput(addon, this.subject, (bytes) => this.accept(bytes))
    this.turns = new Turns(() => {
      this.input.close()
      this.task.whenIdle(() => addon.layerClose(layer))
    })
  }

  push(data: Uint8Array, last: boolean): Effect.Effect<void, KernelError> {
    return this.guarded(this.subject, "write", () => {
      if (this.hasEnded) return refuse(this.subject, "write", "the layer's last push has come already")
      this.compressedBytes += data.length
      const accepted = this.input.push(data, last)
      return last ? Effect.andThen(accepted, this.end()) : accepted
    })
  }

  /** `below`: opens what the layers below show, as far as it is needed; undefined where there are none. */
  finish(
    below: ((implied: number) => { readonly descriptor: number; readonly close: () => void }) | undefined
  ): Effect.Effect<Success<"LayerFinish">, KernelError> {
    const subject: Subject = { op: "LayerFinish", path: this.target.path }
    return this.guarded(subject, "layer", () => {
      if (!this.hasEnded) return refuse(subject, "layer", "the layer's last push has not come yet")
      const opened = Effect.try({
        try: () => below?.(this.addon.layerImplied(this.layer)),
        catch: (cause) => toKernelError(subject, cause)
      })
      const settled = Effect.acquireUseRelease(
        opened, (view) => this.settle(subject, view?.descriptor ?? -1), (view) => Effect.sync(() => view?.close())
      )
      return Effect.flatMap(settled, (contents) => attempt(subject, () => ({
        diffId: `sha256:${this.input.digest()}`, size: this.archiveBytes, contents,
        opaque: this.addon.layerIsOpaque(this.layer) === 1
      })))
    })
  }

  close(): void {
    this.turns.close()
  }

  /** Waits until no thread uses it any more. */
  get closed(): Effect.Effect<void> {
    return Effect.andThen(this.input.stop(), this.task.stop())
  }

  /** A failure, or an interruption, ends also what goes on beside. */
  private guarded<A>(
    subject: Subject, syscall: string, effect: () => Effect.Effect<A, KernelError>
  ): Effect.Effect<A, KernelError> {
    return this.turns.take(subject, syscall, () =>
      Effect.onExit(Effect.suspend(effect), (exit) => exit._tag === "Success" ? Effect.void : this.closed))
  }

  private settle(subject: Subject, below: number): Effect.Effect<number, KernelError> {
    const settled = awaitTask<number | LayerError>(subject, (cancel, done) =>
      this.addon.layerFinish(this.layer, below, cancel, (result) =>
        done(isFailure(result) ? this.refusalOf(result, "") ?? result : result)))
    return Effect.flatMap(settled, (outcome) =>
      typeof outcome === "number" ? Effect.succeed(outcome) : Effect.fail(layerFault(subject, outcome)))
  }

  /** Bytes of the archive itself. */
  private accept(bytes: Uint8Array): Effect.Effect<void, KernelError> {
    this.piece = bytes
    this.archiveBytes += bytes.length
    const wrong = this.input.isCompressed
      ? checkRatio(this.target.limits, this.compressedBytes, this.archiveBytes)
      : undefined
    if (wrong !== undefined) return this.failAfterAll(layerFault(this.subject, wrong))
    const [events, decoder] = TarDecoder.step(this.decoder, bytes)
    this.decoder = decoder
    return this.take(events)
  }

  private end(): Effect.Effect<void, KernelError> {
    return Effect.suspend(() => {
      this.hasEnded = true
      const taken = this.take(TarDecoder.finish(this.decoder))
      return Effect.andThen(taken, this.task.join())
    })
  }

  private take(events: ReadonlyArray<TarDecoder.TarEvent>): Effect.Effect<void, KernelError> {
    for (const event of events) {
      const fault = this.pack(event)
      if (fault !== undefined) return this.failAfterAll(fault)
    }
    return this.flush()
  }

  /** What is wrong with an earlier entry is told rather than this. */
  private failAfterAll(fault: KernelError): Effect.Effect<never, KernelError> {
    return Effect.andThen(this.flush(), Effect.andThen(this.task.join(), Effect.fail(fault)))
  }

  private pack(event: TarDecoder.TarEvent): KernelError | undefined {
    switch (event._tag) {
      case "Entry":
        return this.packEntry(event.entry)
      case "Data":
        if (this.isMade) {
          const { byteOffset, length } = event.bytes
          this.batch.records.piece(event.offset, byteOffset - this.piece.byteOffset, length)
        }
        return undefined
      case "EntryEnd":
        if (this.isMade) this.batch.records.end()
        return undefined
      case "End":
        return undefined
      case "Failed":
        return toKernelError(this.subject, new Refusal("tar", "EBADMSG", event.error.message))
    }
  }

  private packEntry(entry: TarEntry): KernelError | undefined {
    const step = stepLayer(this.unpacking, entry)
    if (Result.isFailure(step)) return layerFault(this.subject, step.failure)
    this.unpacking = step.success.unpacking
    this.isMade = false
    for (const operation of step.success.operations) {
      this.batch.paths.push(entry.path)
      this.packOperation(operation)
    }
    return undefined
  }

  private packOperation(operation: UnpackOperation): void {
    const path = operation.path.join("/")
    const { records } = this.batch
    switch (operation._tag) {
      case "Make": {
        const { entry, link } = operation
        this.isMade = entry.type === "file"
        return records.entry({ ...entry, path, linkpath: link?.join("/") ?? entry.linkpath })
      }
      case "MakeWhiteout":
        return records.about("whiteout", path)
      case "MarkOpaque":
        return records.about("opaque", path)
      case "RemoveLower":
        return records.about("removeLower", path)
      case "ClearLower":
        return records.about("clearLower", path)
    }
  }

  /** Gives what was packed to a thread, when that has done what it had. */
  private flush(): Effect.Effect<void, KernelError> {
    return Effect.andThen(this.task.join(), Effect.sync(() => {
      const { batch } = this
      if (batch.records.length === 0) return
      this.batch = this.other
      this.other = batch
      // Data may follow of the entry that was the last.
      this.batch.paths.splice(0, this.batch.paths.length, batch.paths.at(-1)!)
      const packed = batch.records.take()
      const { piece } = this
      this.task.start<number>(
        (cancel, done) => this.addon.layerRun(this.layer, packed, packed.length, piece, cancel, done),
        (failure) => this.explain(failure, batch.paths[failure.index] ?? "")
      )
    }))
  }

  private explain(failure: Failure, path: string): KernelError {
    const wrong = this.refusalOf(failure, path)
    return wrong === undefined ? toKernelError(this.subject, failure) : layerFault(this.subject, wrong)
  }

  private refusalOf(failure: Failure, path: string): LayerError | undefined {
    return layerRefusal(failure, path, this.target.form, this.target.limits)
  }
}
