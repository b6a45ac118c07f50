/**
 * Simple operations packed for one call of the addon: `native/addon/batch.c` has the format. A handler of one
 * such operation is a batch of one, so that both ways are the same code.
 */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter, PerformAll } from "../../programs/Kernel.ts"
import type { Failure } from "./addon.ts"
import { awaitTask, type Subject, toKernelError } from "./attempt.ts"
import type { Machine } from "./Machine.ts"

const codes = {
  DirMake: 1,
  DirEnsure: 2,
  FileWrite: 3,
  FileRemove: 4,
  TreeRemove: 5,
  CgroupMake: 6,
  CgroupEnsure: 7,
  CgroupWrite: 8,
  CgroupRemove: 9,
  DirEnsureLike: 10
} as const

type SimpleTag = keyof typeof codes
export type SimpleOp = Extract<KernelOp, { tag: SimpleTag }>

const isSimple = (op: KernelOp): op is SimpleOp => op.tag in codes

/** Operations of one call at most: the event loop waits while it lasts. */
const longestRun = 128
const cgroupMode = 0o755

/** errno of the addon for a removal that takes long and so belongs on a pool thread. */
const inProgress = 115
const busy = 16

const pathOf = (op: SimpleOp): string => {
  switch (op.tag) {
    case "CgroupWrite":
      return `${op.payload.directory}/${op.payload.file}`
    case "CgroupMake":
    case "CgroupEnsure":
    case "CgroupRemove":
      return op.payload.directory
    default:
      return op.payload.path
  }
}

const subjectOf = (op: SimpleOp): Subject => ({ op: op.tag, path: pathOf(op) })

class Packer {
  bytes = Buffer.allocUnsafe(16_384)
  at = 0

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + more))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  private number(value: number): void {
    this.reserve(4)
    this.at = this.bytes.writeUInt32LE(value, this.at)
  }

  private text(text: string): void {
    // UTF-8 takes up to three bytes for each unit of UTF-16.
    this.reserve(text.length * 3 + 5)
    const length = this.bytes.write(text, this.at + 4)
    this.bytes.writeUInt32LE(length, this.at)
    this.at += length + 4
    this.bytes[this.at++] = 0
  }

  pack(op: SimpleOp): void {
    this.number(codes[op.tag])
    switch (op.tag) {
      case "DirMake":
      case "DirEnsure":
        this.number(op.payload.mode)
        return this.text(op.payload.path)
      case "FileWrite":
        this.number(op.payload.mode)
        this.text(op.payload.path)
        return this.text(op.payload.text)
      case "FileRemove":
      case "TreeRemove":
        this.number(0)
        return this.text(op.payload.path)
      case "DirEnsureLike":
        this.number(0)
        this.text(op.payload.path)
        return this.text(op.payload.like)
      case "CgroupWrite":
        this.number(0)
        this.text(op.payload.directory)
        this.text(op.payload.file)
        return this.text(op.payload.value)
      default:
        this.number(cgroupMode)
        return this.text(op.payload.directory)
    }
  }
}

/** Reused: a call without a callback is over when it returns. */
let packer = new Packer()
/** A packer that has grown beyond this is not kept. */
const keptBytes = 1 << 20

/** Performs at once, without waiting for anything; a failure's index is the place in `ops`. Throws for `attempt`. */
export const runNow = (machine: Machine, ops: ReadonlyArray<SimpleOp>): Failure | undefined => {
  packer.at = 0
  for (const op of ops) packer.pack(op)
  const result = machine.addon.batch(packer.bytes, packer.at)
  if (packer.bytes.length > keptBytes) packer = new Packer()
  return typeof result === "number" ? undefined : result
}

/** Performs one on a pool thread. */
const runLong = (machine: Machine, op: SimpleOp): Effect.Effect<void, KernelError> =>
  awaitTask<number>(subjectOf(op), (cancel, done) => {
    const packed = new Packer()
    packed.pack(op)
    return machine.addon.batch(packed.bytes, packed.at, cancel, done)
  })

/** Who waits for dying processes, where a batch may have to. */
type Waiting = Pick<Interpreter, "CgroupRemove"> | undefined

/** What to do about an operation that could not be finished at once. */
const afterFailure = (
  machine: Machine, waiting: Waiting, op: SimpleOp, failure: Failure
): Effect.Effect<void, KernelError> => {
  if (op.tag === "TreeRemove" && failure.errno === inProgress) return runLong(machine, op)
  if (op.tag === "CgroupRemove" && failure.errno === busy && waiting !== undefined) {
    return waiting.CgroupRemove(op.payload)
  }
  return Effect.fail(toKernelError(subjectOf(op), failure))
}

const runFrom = (machine: Machine, waiting: Waiting, ops: ReadonlyArray<SimpleOp>): Effect.Effect<void, KernelError> =>
  Effect.suspend(() => {
    let failure: Failure | undefined
    try {
      failure = runNow(machine, ops)
    } catch (cause) {
      return Effect.fail(toKernelError(subjectOf(ops[0]!), cause))
    }
    if (failure === undefined) return Effect.void
    const op = ops[failure.index] ?? ops[0]!
    const rest = ops.slice(failure.index + 1)
    const mended = afterFailure(machine, waiting, op, failure)
    return rest.length === 0 ? mended : Effect.andThen(mended, runFrom(machine, waiting, rest))
  })

/** One simple operation: at once, or on a pool thread when it takes long. */
export const runSimple = (
  machine: Machine, op: Exclude<SimpleOp, { tag: "CgroupRemove" }>
): Effect.Effect<void, KernelError> => runFrom(machine, undefined, [op])

/** Runs of simple operations in one call each, the others by their handlers. */
export const performAll = (machine: Machine, interpreter: Interpreter): PerformAll => (ops) => {
  const first = runOf(ops, 0)
  if (first.length === ops.length && first.length > 0) return runFrom(machine, interpreter, first)
  return Effect.gen(function*() {
    for (let at = 0; at < ops.length;) {
      const run = runOf(ops, at)
      if (run.length > 0) {
        yield* runFrom(machine, interpreter, run)
        at += run.length
        if (run.length === longestRun) yield* Effect.yieldNow
      } else {
        const { payload, tag } = ops[at]!
        yield* interpreter[tag](payload as never)
        at++
      }
    }
  })
}

const runOf = (ops: ReadonlyArray<KernelOp>, start: number): ReadonlyArray<SimpleOp> => {
  const run: Array<SimpleOp> = []
  for (let at = start; at < ops.length && run.length < longestRun; at++) {
    const op = ops[at]!
    if (!isSimple(op)) break
    run.push(op)
  }
  return run
}
