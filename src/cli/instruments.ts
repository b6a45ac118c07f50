/** Put around a command's kernel: `--plan` looks on instead of doing, `--trace` writes down what is done. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { closeSync, openSync, writeSync } from "node:fs"
import type { KernelOp } from "../domain/kernel/KernelOp.ts"
import { dryRun } from "../interpreters/middleware/dryRun.ts"
import { recorded } from "../interpreters/middleware/recorded.ts"
import { encodeTraceEntry } from "../interpreters/middleware/TraceEntry.ts"
import { Kernel } from "../programs/Kernel.ts"
import { type CommandFailure, refusal } from "./commands/CommandFailure.ts"
import { Surroundings } from "./terminal/Surroundings.ts"
import { Terminal } from "./terminal/Terminal.ts"

/** Writes each entry when its operation has ended: a crash loses none of them. */
export const traced = (path: string): Effect.Effect<Layer.Layer<Kernel, never, Kernel>, CommandFailure, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.try({
        try: () => openSync(path, "w", 0o600),
        catch: (fault) => refusal(`cannot write the trace ${path}: ${(fault as Error).message}`)
      }),
      (file) => Effect.sync(() => closeSync(file))
    ),
    (file) =>
      Kernel.around(recorded((entry) => Effect.sync(() => void writeSync(file, `${encodeTraceEntry(entry)}\n`))))
  )

export interface Planner {
  readonly layer: Layer.Layer<Kernel, never, Kernel>
  /** From now on operations are shown: what came before was the engine's own affair. */
  readonly begin: Effect.Effect<void>
  readonly operations: ReadonlyArray<KernelOp>
}

/** Pieces of archives and blobs are left out: a plan may copy more than there is memory. */
const withoutData = (op: KernelOp): KernelOp => {
  const data = new Uint8Array(0)
  if (op.tag === "ArchivePush") return { tag: op.tag, payload: { ...op.payload, data } }
  return op.tag === "BlobAppend" ? { tag: op.tag, payload: { ...op.payload, data } } : op
}

export const makePlanner = (): Planner => {
  const operations: Array<KernelOp> = []
  let begun = false
  return {
    layer: Kernel.around(dryRun((op) => Effect.sync(() => void (begun && operations.push(withoutData(op)))))),
    begin: Effect.sync(() => { begun = true }),
    operations
  }
}

/** A user who sees complaints only, and whose files stay as they are. */
export const onlooker: Layer.Layer<Terminal | Surroundings, never, Terminal | Surroundings> = Layer.merge(
  Layer.effect(Terminal, Effect.map(Effect.service(Terminal), (terminal) => ({
    ...terminal,
    write: (stream, data) => stream === "stdout" ? Effect.void : terminal.write(stream, data)
  }))),
  Layer.effect(Surroundings, Effect.map(Effect.service(Surroundings), (surroundings) => ({
    ...surroundings, writeFile: () => Effect.void, removeFile: () => Effect.void, writeStream: (_, data) => Stream.runDrain(data)
  })))
)
