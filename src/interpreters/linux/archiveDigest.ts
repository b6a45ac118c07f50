/** What a layer's archive in a file comes to when its compression is undone: read, expanded and hashed piece by piece. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload, Success } from "../../domain/kernel/KernelOp.ts"
import { defaultLayerLimits } from "../../domain/layer/LayerLimits.ts"
import { checkRatio } from "../../domain/layer/LayerUnpacking.ts"
import { ArchiveInput } from "./ArchiveInput.ts"
import { attempt, Refusal, type Subject, toKernelError } from "./attempt.ts"
import type { Machine } from "./Machine.ts"

const pieceBytes = 1 << 20

const readPiece = (subject: Subject, fd: number, buffer: Buffer): Effect.Effect<Uint8Array, KernelError> =>
  Effect.callback<Uint8Array, KernelError>((resume) =>
    fs.read(fd, buffer, 0, buffer.length, null, (error, count) =>
      resume(error === null ? Effect.succeed(buffer.subarray(0, count)) : Effect.fail(toKernelError(subject, error)))))

/** The descriptor and the buffer are a pool thread's while it reads: no interruption takes them away from it. */
const digestOf = (
  machine: Machine, subject: Subject, fd: number, limits: NonNullable<Machine["options"]["layerLimits"]>
): Effect.Effect<Success<"ArchiveDigest">, KernelError> => {
  // One that is being expanded, one that is being read into
  let [buffer, other] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let compressed = 0
  let expanded = 0
  const input = new ArchiveInput(machine.addon, subject, (bytes) => {
    expanded += bytes.length
    const wrong = input.isCompressed ? checkRatio(limits, compressed, expanded) : undefined
    return wrong === undefined ? Effect.void : Effect.fail(toKernelError(subject, new Refusal("layer", "EINVAL", wrong.message)))
  })
  const next: Effect.Effect<void, KernelError> = Effect.flatMap(
    Effect.suspend(() => Effect.uninterruptible(readPiece(subject, fd, buffer))), (piece) => {
      compressed += piece.length
      ;[buffer, other] = [other, buffer]
      const taken = input.push(piece, piece.length === 0)
      return piece.length === 0 ? taken : Effect.andThen(taken, next)
    }
  )
  return next.pipe(
    Effect.andThen(attempt(subject, () => ({ diffId: `sha256:${input.digest()}` }))),
    Effect.ensuring(Effect.sync(() => input.close()))
  )
}

/** Opens nothing that could hold us up. Throws for `attempt`. */
const open = (path: string): number => {
  const { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  const status = fs.fstatSync(fd)
  if (status.isFile()) return fd
  fs.closeSync(fd)
  throw status.isDirectory() ? new Refusal("read", "EISDIR") : new Refusal("read", "EINVAL", "not a regular file")
}

export const archiveDigest = (machine: Machine) => ({ path }: Payload<"ArchiveDigest">) => {
  const subject: Subject = { op: "ArchiveDigest", path }
  return Effect.acquireUseRelease(
    attempt(subject, () => open(path)),
    (fd) => digestOf(machine, subject, fd, machine.options.layerLimits ?? defaultLayerLimits),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )
}
