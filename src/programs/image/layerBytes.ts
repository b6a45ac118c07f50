/** Changes as the archive of a layer: headers made here, contents read in batches from the root that has them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RootSource } from "../../domain/kernel/KernelOp.ts"
import type { Change } from "../../domain/layer/Change.ts"
import { changesToTar, type LayerFile } from "../../domain/layer/changesToTar.ts"
import type { TarError } from "../../domain/layer/TarEntry.ts"
import { encodeHeader, endOfArchive, padding } from "../../domain/layer/TarEncoder.ts"
import { type Kernel, perform } from "../Kernel.ts"

/** Bytes of contents, and files, that are read by one operation. */
const batchBytes = 1 << 20
const batchFiles = 512

/** A part of a file, and whether its header comes before and its padding after. */
interface Part {
  readonly file: LayerFile
  readonly offset: number
  readonly length: number
}

type Batch = ReadonlyArray<Part>

function* partsOf(file: LayerFile): Generator<Part> {
  const { size } = file.entry
  if (size === 0) return yield { file, offset: 0, length: 0 }
  for (let offset = 0; offset < size; offset += batchBytes) {
    yield { file, offset, length: Math.min(batchBytes, size - offset) }
  }
}

function* batchesOf(files: ReadonlyArray<LayerFile>): Generator<Batch> {
  let batch: Array<Part> = []
  let bytes = 0
  for (const file of files) {
    for (const part of partsOf(file)) {
      if (batch.length > 0 && (bytes + part.length > batchBytes || batch.length >= batchFiles)) {
        yield batch
        batch = []
        bytes = 0
      }
      batch.push(part)
      bytes += part.length
    }
  }
  if (batch.length > 0) yield batch
}

const encoded = (batch: Batch, contents: Uint8Array): Uint8Array => {
  const parts: Array<Uint8Array> = []
  let at = 0
  for (const { file, length, offset } of batch) {
    const { entry } = file
    if (offset === 0) parts.push(Result.getOrThrow(encodeHeader(entry)))
    parts.push(contents.subarray(at, at + length))
    at += length
    if (offset + length === entry.size) parts.push(padding(entry.size))
  }
  return joinBytes(parts)
}

/**
 * Why the first of these that no archive can hold is one, or undefined. Keeps no header: a
 * container may have changed millions of files.
 */
export const firstUnwritable = (files: Iterable<Pick<LayerFile, "entry">>): TarError | undefined => {
  for (const { entry } of files) {
    const header = encodeHeader(entry)
    if (Result.isFailure(header)) return header.failure
  }
  return undefined
}

/** Equal changes give equal bytes. `name`: the container's, for errors. */
export const layerBytes = (
  operation: string, name: string, root: RootSource, changes: ReadonlyArray<Change>
): Stream.Stream<Uint8Array, KernelError | ContainerError, Kernel> => {
  const refuse = (cause: string, cure: string) => new ContainerError({ operation, object: name, kind: "failed", cause, cure })
  const files = changesToTar(changes)
  if (Result.isFailure(files)) {
    const { hint, path, reason } = files.failure
    return Stream.fail(refuse(`cannot ${operation} /${path}: ${reason}`, hint))
  }
  const unwritable = firstUnwritable(files.success)
  if (unwritable !== undefined) return Stream.fail(refuse(unwritable.message, "rename or remove the file"))
  const read = (batch: Batch) => {
    const pieces = batch.filter(({ length }) => length > 0).map(({ file, length, offset }) =>
      ({ path: `/${file.entry.path}`, offset, length }))
    const contents = pieces.length === 0
      ? Effect.succeed(new Uint8Array(0))
      : perform("FilesRead", { root, pieces }).pipe(Effect.catchIf(
        (error) => error.errno === "EIO" || error.errno === "ENOENT",
        () => Effect.fail(refuse("a file changed while it was read", "pause the container meanwhile, which is the default"))
      ))
    return Effect.map(contents, (bytes) => encoded(batch, bytes))
  }
  return Stream.fromIterable(batchesOf(files.success)).pipe(
    Stream.mapEffect(read), Stream.concat(Stream.make(endOfArchive))
  )
}
