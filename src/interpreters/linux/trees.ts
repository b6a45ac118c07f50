/** Handlers that list trees in root file systems and read pieces of their files, on pool threads. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { pathOfRoot, type Payload, type RootSource } from "../../domain/kernel/KernelOp.ts"
import { RecordWriter } from "../../domain/layer/EntryRecord.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, awaitTask, Refusal, type Subject, toKernelError, valueOf } from "./attempt.ts"
import type { Machine } from "./Machine.ts"
import type { Root } from "./Root.ts"
import { withRoot } from "./roots.ts"

/** Bytes that a walk fills at once; must hold the largest entry: two paths, and a list and a value of attributes of 64 KiB. */
const pieceBytes = 512 << 10
/** Bytes that may be read at once. */
const mostBytes = 16 << 20
/** Levels of a request: that alone, what is in it, all that is below. */
const levels = { alone: 0, names: 1, all: 2 ** 32 - 1 } as const

interface Request {
  readonly path: string
  readonly name: string
  readonly levels: number
  readonly mayBeMissing: boolean
}

const pack = (requests: ReadonlyArray<Request>): Uint8Array => {
  const writer = new RecordWriter()
  for (const { levels, mayBeMissing, name, path } of requests) {
    writer.u32(levels)
    writer.u32(mayBeMissing ? 1 : 0)
    writer.text(path)
    writer.text(name)
  }
  return writer.take()
}

/** All pieces of a walk; EFBIG beyond `limit` bytes. */
const collect = (
  { addon }: Machine, subject: Subject, root: Root, requests: Uint8Array, limit: number
): Effect.Effect<Uint8Array, KernelError> =>
  Effect.acquireUseRelease(
    attempt(subject, () => valueOf(addon.listOpen(valueOf(addon.duplicate(root.descriptor)), requests))),
    (walk) =>
      Effect.gen(function*() {
        const buffer = Buffer.allocUnsafeSlow(pieceBytes)
        const pieces: Array<Uint8Array> = []
        for (let length = 0;;) {
          const count = yield* awaitTask<number>(subject, (cancel, done) => addon.walkNext(walk, buffer, cancel, done))
          if (count === 0) return Buffer.concat(pieces)
          length += count
          if (length > limit) {
            const refusal = new Refusal("read", "EFBIG", `the listing has more than the ${limit} bytes allowed`)
            return yield* Effect.fail(toKernelError(subject, refusal))
          }
          pieces.push(Buffer.from(buffer.subarray(0, count)))
        }
      }),
    (walk) => Effect.sync(() => addon.walkClose(walk))
  )

const list = (
  machine: Machine, op: "TreeList" | "TreeLook", source: RootSource, path: string, requests: ReadonlyArray<Request>,
  limit: number
): Effect.Effect<Uint8Array, KernelError> =>
  withRoot(machine, op, source, path, (root) =>
    collect(machine, { op, path: pathOfRoot(source, path) }, root, pack(requests), limit))

/** A path in a tree has no slash at either end. */
const nameOf = (path: string): string => path.replace(/^\/+|\/+$/g, "")

const readPieces = (
  machine: Machine, { pieces, root: source }: Payload<"FilesRead">
): Effect.Effect<Uint8Array, KernelError> => {
  const subject: Subject = { op: "FilesRead", path: pathOfRoot(source, pieces[0]?.path ?? "/") }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (length > mostBytes) {
    const refusal = new Refusal("pread", "EINVAL", `${length} bytes at once: more than the ${mostBytes} allowed`)
    return Effect.fail(toKernelError(subject, refusal))
  }
  const writer = new RecordWriter()
  for (const { length, offset, path } of pieces) {
    writer.i64(offset)
    writer.u32(length)
    writer.text(path)
  }
  const records = writer.take()
  const bytes = Buffer.allocUnsafeSlow(length)
  return withRoot(machine, "FilesRead", source, pieces[0]?.path ?? "/", (root) =>
    Effect.as(
      awaitTask<number>(
        subject, (cancel, done) => machine.addon.readPieces(root.descriptor, records, bytes, cancel, done)
      ),
      bytes
    ))
}

export const trees = (machine: Machine): Pick<Interpreter, "TreeList" | "TreeLook" | "FilesRead"> => ({
  TreeList: ({ limit, path, root }) =>
    list(machine, "TreeList", root, path, [{ path, name: "", levels: levels.all, mayBeMissing: false }], limit),
  TreeLook: ({ limit, paths, root }) => {
    const requests = paths.map(({ list, path }) => ({
      path, name: nameOf(path), levels: list ? levels.names : levels.alone, mayBeMissing: true
    }))
    return list(machine, "TreeLook", root, "/", requests, limit)
  },
  FilesRead: (payload) => readPieces(machine, payload)
})
