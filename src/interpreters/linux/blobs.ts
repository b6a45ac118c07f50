/** Handlers for blobs: contents that are brought piece by piece and get the name of their digest when they are whole. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload, Success } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt } from "./attempt.ts"
import { BlobWriter } from "./BlobWriter.ts"
import type { Machine } from "./Machine.ts"

const open = (
  machine: Machine, { algorithm, path }: Payload<"BlobOpen">
): Effect.Effect<Success<"BlobOpen">, KernelError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(attempt({ op: "BlobOpen", path }, () => new BlobWriter(machine.addon, path, algorithm)), (writer) =>
      restore(writer.catchUp()).pipe(
        Effect.onError(() => Effect.sync(() => writer.close())),
        Effect.map((size) => ({ blob: machine.open(writer), size }))
      )))

const commit = (
  machine: Machine, { blob, digest, directory }: Payload<"BlobCommit">
): Effect.Effect<Success<"BlobCommit">, KernelError> =>
  Effect.flatMap(attempt({ op: "BlobCommit" }, () => machine.get(blob, BlobWriter)), (writer) => {
    const forget = Effect.sync(() => machine.close(blob, BlobWriter))
    return Effect.onExit(writer.commit(directory, digest), () => forget)
  })

type Tags = "BlobOpen" | "BlobAppend" | "BlobTruncate" | "BlobCommit" | "BlobClose"

export const blobs = (machine: Machine): Pick<Interpreter, Tags> => ({
  BlobOpen: (payload) => open(machine, payload),
  BlobAppend: ({ blob, data }) =>
    Effect.flatMap(attempt({ op: "BlobAppend" }, () => machine.get(blob, BlobWriter)), (writer) => writer.append(data)),
  BlobTruncate: ({ blob }) =>
    Effect.flatMap(attempt({ op: "BlobTruncate" }, () => machine.get(blob, BlobWriter)), (writer) => writer.truncate()),
  BlobCommit: (payload) => commit(machine, payload),
  BlobClose: ({ blob }) => attempt({ op: "BlobClose" }, () => machine.close(blob, BlobWriter))
})
