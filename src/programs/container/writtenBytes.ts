/** How much a container has written. */
import * as Effect from "effect/Effect"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { driverOf, isFlat, writtenDirectory } from "../../domain/layer/StorageDriver.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"

const sizeOf = (path: string): Effect.Effect<number, KernelError, Kernel> =>
  perform("TreeSize", { path }).pipe(Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(0)))

/** Bytes of the files of its own; of a flat root those that it has more than its image: what it has replaced does not count. */
export const writtenBytes = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<number, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const written = yield* sizeOf(writtenDirectory(paths, record))
  const [image] = record.layers
  if (!isFlat(driverOf(record)) || image === undefined || written === 0) return written
  return Math.max(0, written - (yield* sizeOf(image)))
})
