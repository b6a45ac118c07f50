/** The processes of a running container. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { HostFile, RareFile } from "../../domain/container/ProcessFacts.ts"
import { parseProcessListing } from "../../domain/container/ProcessListing.ts"
import { hostFiles, type ProcessTable, processTable, rareFiles } from "../../domain/container/ProcessTable.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { readIfPresent, stateOf } from "./observation.ts"

const textLimit = 65_536

/** More than execve(2) takes for arguments and environment: three quarters of 8 MiB. */
const commandLineLimit = 1 << 23

/** Of /etc/passwd, and of /proc/stat with its line for every processor and interrupt. */
const hostTextLimit = 1 << 20

/** Texts by the names of files. */
const readAll = <Name extends string, E, R>(
  names: ReadonlyArray<Name>, read: (name: Name) => Effect.Effect<string, E, R>
): Effect.Effect<{ readonly [name in Name]?: string }, E, R> =>
  Effect.map(
    Effect.forEach(names, (name) => Effect.map(read(name), (text) => [name, text] as const)),
    (entries) => Object.fromEntries(entries) as { readonly [name in Name]?: string }
  )

/**
 * ESRCH: it ended while it was read. EACCES: some kernels tell nobody what a process waits for. EFBIG: a process may
 * take any part of its memory for its command line, prctl(2), PR_SET_MM.
 */
const untold = ["ESRCH", "EACCES", "EFBIG"]

const readProcess = (pid: number, files: ReadonlyArray<RareFile>) => {
  const read = (name: string, limit = textLimit) =>
    readIfPresent(`/proc/${pid}/${name}`, limit).pipe(
      Effect.catchIf(({ errno }) => untold.includes(errno), () => Effect.succeed(undefined)),
      Effect.map((text) => text ?? "")
    )
  return Effect.all({
    pid: Effect.succeed(pid), stat: read("stat"), status: read("status"),
    commandLine: read("cmdline", commandLineLimit), rare: readAll(files, (name) => read(name))
  })
}

/** What is too long to be read says nothing: names can be done without. */
const readHost = (path: HostFile) =>
  readIfPresent(path, hostTextLimit).pipe(
    Effect.catchIf(({ errno }) => errno === "EFBIG", () => Effect.succeed(undefined)),
    Effect.map((text) => text ?? "")
  )

export interface TopWish {
  /** Of ps, such as `-o pid,cmd` or `aux`; none are -ef. */
  readonly options?: ReadonlyArray<string>
  /** Minutes that the user's clocks are ahead of UTC at an instant (ms since the epoch); absent: none. */
  readonly minutesAhead?: (instant: number) => number
}

export const top = Effect.fnUntraced(function*(
  record: ContainerRecord, { minutesAhead = () => 0, options = [] }: TopWish
): Effect.fn.Return<ProcessTable, KernelError | ContainerError, Kernel | Host> {
  const state = yield* stateOf(record)
  if (state.process === undefined || record.cgroups[0] === undefined) {
    return yield* new ContainerError({
      operation: "top", object: record.name, kind: "conflict", cause: `container ${record.name} is not running`
    })
  }
  const listing = yield* Effect.fromResult(parseProcessListing(options)).pipe(
    Effect.mapError(({ cause, cure }) =>
      new ContainerError({ operation: "top", object: record.name, kind: "invalid", cause, cure }))
  )
  const pids = yield* perform("CgroupProcesses", { directory: record.cgroups[0] })
  const files = rareFiles(listing)
  const processes = yield* Effect.forEach([...pids].sort((a, b) => a - b), (pid) => readProcess(pid, files))
  const uptime = yield* perform("FileRead", { path: "/proc/uptime", limit: textLimit })
  const now = yield* Clock.currentTimeMillis
  const rare = yield* readAll(hostFiles(listing), readHost)
  return processTable(listing, processes, { uptime, now, minutesAhead, rare })
})
