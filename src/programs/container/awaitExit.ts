/** Waits for the end of a run, by its supervisor's word or, where that has gone, by what it left behind. */
import * as Effect from "effect/Effect"
import { type ContainerRecord, lostExit } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { decodeFrames } from "../../domain/kernel/frames.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { ExitStatus } from "../../domain/kernel/Supervisor.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { changed, isAlive, readStatus } from "./observation.ts"

/** Reads a channel to its end; the exit status if it was told. */
export const drainToExit = Effect.fnUntraced(function*(
  channel: number
): Effect.fn.Return<ExitStatus | undefined, KernelError, Kernel> {
  let exit: ExitStatus | undefined
  for (;;) {
    const bytes = yield* perform("ChannelRead", { channel })
    if (bytes.length === 0) return exit
    for (const frame of decodeFrames(bytes)) if (frame._tag === "Exited") exit = frame.exit
  }
})

/** Whether nobody listens (any more) in a supervisor's directory. */
export const nobodyListens = (error: KernelError): boolean =>
  error.errno === "ENOENT" || error.errno === "ECONNREFUSED" || error.errno === "ENOTDIR"

/** There is no run (any more), or one whose start came to nothing: what the record says of it by now. */
const withoutRun = (
  record: ContainerRecord
): Effect.Effect<ExitStatus | "removed" | undefined, KernelError, Kernel | Host> =>
  Effect.flatMap(changed(record), (other) =>
    other === undefined ? Effect.succeed(record.exit) : other === "removed" ? Effect.succeed(other) : awaitExit(other))

/**
 * The exit status of the present run. `undefined`: there is no run and never was, or it was removed. A supervisor
 * that was killed leaves the container's init alone: then the wait is for that process, looked at every 50 ms.
 */
export const awaitExit = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<ExitStatus | "removed" | undefined, KernelError, Kernel | Host> {
  if (record.phase !== "launched") return record.exit
  const { paths } = yield* Host
  const told = yield* Effect.acquireUseRelease(
    perform("ChannelOpen", { directory: Paths.runDirectory(paths, record.id), attach: 0 }),
    ({ channel }) => drainToExit(channel),
    ({ channel }) => Effect.ignore(perform("ChannelClose", { channel }))
  ).pipe(Effect.catchIf(nobodyListens, () => Effect.succeed(undefined)))
  if (told !== undefined) return told
  for (;;) {
    const status = yield* readStatus(record.id)
    if (status?.exited !== undefined) return status.exited.status
    if (status?.init === undefined) return yield* withoutRun(record)
    if (!(yield* isAlive(status.init))) {
      // The supervisor writes its last word just after the init's death: once more, then it is lost
      const last = yield* readStatus(record.id)
      if (last?.exited !== undefined) return last.exited.status
      return last?.startedAt === undefined ? yield* withoutRun(record) : lostExit
    }
    yield* Effect.sleep("50 millis")
  }
})
