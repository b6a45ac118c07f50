/** Which files of two trees differ in their contents alone: read side by side, where listings leave it open. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RootSource } from "../../domain/kernel/KernelOp.ts"
import { type Kernel, perform } from "../Kernel.ts"

/** Bytes, and files, that are read by one operation. */
const batchBytes = 4 << 20
const batchFiles = 1024

export interface ComparedFile {
  readonly path: string
  /** Bytes: the same in both trees. */
  readonly size: number
}

interface Piece {
  readonly path: string
  readonly offset: number
  readonly length: number
}

function* batchesOf(files: ReadonlyArray<ComparedFile>): Generator<ReadonlyArray<Piece>> {
  let batch: Array<Piece> = []
  let bytes = 0
  for (const { path, size } of files) {
    for (let offset = 0; offset < size; offset += batchBytes) {
      const length = Math.min(batchBytes, size - offset)
      if (batch.length > 0 && (bytes + length > batchBytes || batch.length >= batchFiles)) {
        yield batch
        batch = []
        bytes = 0
      }
      batch.push({ path, offset, length })
      bytes += length
    }
  }
  if (batch.length > 0) yield batch
}

const read = (root: RootSource, batch: ReadonlyArray<Piece>): Effect.Effect<Uint8Array, KernelError, Kernel> =>
  perform("FilesRead", { root, pieces: batch.map(({ path, ...piece }) => ({ path: `/${path}`, ...piece })) })

/** A file that has become shorter, or has gone, since it was listed. */
const hasChanged = ({ errno }: KernelError): boolean => errno === "EIO" || errno === "ENOENT"

const differingIn = (
  one: RootSource, other: RootSource, batch: ReadonlyArray<Piece>
): Effect.Effect<ReadonlyArray<string>, KernelError, Kernel> =>
  Effect.all([read(one, batch), read(other, batch)], { concurrency: 2 }).pipe(
    Effect.map(([left, right]) => {
      let at = 0
      return batch.filter(({ length }) => {
        const from = at
        at += length
        return Buffer.compare(left.subarray(from, at), right.subarray(from, at)) !== 0
      }).map(({ path }) => path)
    }),
    Effect.catchIf(hasChanged, () => batch.length === 1
      ? Effect.succeed(batch.map(({ path }) => path))
      : Effect.map(Effect.forEach(batch, (piece) => differingIn(one, other, [piece])), (found) => found.flat()))
  )

/** Paths of those that differ. */
export const differingContents = Effect.fnUntraced(function*(
  one: RootSource, other: RootSource, files: ReadonlyArray<ComparedFile>
): Effect.fn.Return<ReadonlySet<string>, KernelError, Kernel> {
  const differing = new Set<string>()
  for (const batch of batchesOf(files)) {
    const open = batch.filter(({ path }) => !differing.has(path))
    if (open.length === 0) continue
    for (const path of yield* differingIn(one, other, open)) differing.add(path)
  }
  return differing
})
