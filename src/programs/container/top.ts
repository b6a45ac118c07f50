/** The processes of a running container. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { type ProcessTable, processTable } from "../../domain/container/ProcessTable.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { readIfPresent, stateOf } from "./observation.ts"

const textLimit = 65_536

/** ESRCH: it ended while it was read. */
const readProcess = (pid: number) => {
  const read = (name: string) =>
    readIfPresent(`/proc/${pid}/${name}`, textLimit).pipe(
      Effect.catchIf((error) => error.errno === "ESRCH", () => Effect.succeed(undefined)),
      Effect.map((text) => text ?? "")
    )
  return Effect.all({ pid: Effect.succeed(pid), stat: read("stat"), status: read("status"), commandLine: read("cmdline") })
}

export const top = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<ProcessTable, KernelError | ContainerError, Kernel | Host> {
  const state = yield* stateOf(record)
  if (state.process === undefined || record.cgroups[0] === undefined) {
    return yield* new ContainerError({
      operation: "top", object: record.name, kind: "conflict", cause: `container ${record.name} is not running`
    })
  }
  const pids = yield* perform("CgroupProcesses", { directory: record.cgroups[0] })
  const processes = yield* Effect.forEach([...pids].sort((a, b) => a - b), readProcess)
  const now = yield* Clock.currentTimeMillis
  const system = yield* perform("FileRead", { path: "/proc/stat", limit: 1 << 20 })
  const bootTime = Number(/^btime ([0-9]+)$/m.exec(system)?.[1] ?? 0) * 1000
  return processTable(processes, { bootTime, now })
})
