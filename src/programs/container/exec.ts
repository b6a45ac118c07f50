/**
 * Runs a further process in a running container: the supervisor's contract again, with a program that
 * joins namespaces instead of making them.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { capabilitySet } from "../../domain/container/Capability.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { environment, mergeEnvironment } from "../../domain/container/environment.ts"
import { execProgram } from "../../domain/container/execProgram.ts"
import { hostnameOf } from "../../domain/container/compile.ts"
import { idMapOf } from "../../domain/container/idMap.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { resolveSeccomp } from "../../domain/container/securityProfile.ts"
import { seccompFilter } from "../../domain/container/seccompFilter.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { SupervisorSpec } from "../../domain/kernel/Supervisor.ts"
import type { OciProcess } from "../../domain/oci/RuntimeSpec.ts"
import { Host } from "../Host.ts"
import { Kernel, perform } from "../Kernel.ts"
import type { Stored } from "../Store.ts"
import { resolveAccount } from "./accounts.ts"
import { networkOwner } from "./networkOwner.ts"
import { isAlive, stateOf } from "./observation.ts"
import { type Running, startSupervisor } from "./startSupervisor.ts"

export interface ExecOptions {
  readonly command: ReadonlyArray<string>
  readonly env: ReadonlyArray<string>
  /** "" for the container's own. */
  readonly user: string
  readonly workingDirectory: string
  readonly tty: boolean
  readonly consoleSize: readonly [number, number]
  readonly stdin: boolean
  readonly privileged: boolean
  readonly attach: number
}

const ociProcess = Effect.fnUntraced(function*(
  record: ContainerRecord, init: ProcessIdentity, options: ExecOptions
): Effect.fn.Return<OciProcess, KernelError | ContainerError, Kernel | Host> {
  const { config } = record
  const { texts: host } = yield* (yield* Host).facts
  const refuse = (cause: string) => new ContainerError({ operation: "exec", object: record.name, kind: "invalid", cause })
  const user = yield* resolveAccount({
    operation: "exec", object: record.name, root: { _tag: "Process", process: init },
    user: options.user || config.user || record.image.user, groupAdd: options.user === "" ? config.groupAdd : []
  })
  const capabilities = yield* Effect.fromResult(capabilitySet({
    add: config.capAdd, drop: config.capDrop, privileged: config.privileged || options.privileged,
    held: host.capabilities
  })).pipe(Effect.mapError(refuse))
  const own = user.uid === 0 ? capabilities : []
  const owner = yield* networkOwner(record)
  return {
    terminal: options.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: [...new Set([user.gid, ...user.groups])] },
    args: options.command,
    env: mergeEnvironment(environment({
      hostname: hostnameOf(owner.config, owner.id, host.hostname), tty: options.tty, home: user.home,
      image: record.image.env, user: config.env
    }), options.env),
    cwd: options.workingDirectory || config.workingDirectory || record.image.workingDirectory || "/",
    capabilities: { bounding: capabilities, effective: own, permitted: own, inheritable: [], ambient: [] },
    rlimits: config.ulimits.map((limit) => ({
      type: `RLIMIT_${limit.name.toUpperCase()}`, soft: limit.soft, hard: limit.hard
    })),
    noNewPrivileges: config.noNewPrivileges,
    oomScoreAdj: config.oomScoreAdj
  }
})

const supervisorSpec = Effect.fnUntraced(function*(
  record: ContainerRecord, init: ProcessIdentity, directory: string, options: ExecOptions
): Effect.fn.Return<SupervisorSpec, KernelError | ContainerError, Kernel | Host> {
  const process = yield* ociProcess(record, init, options)
  const facts = yield* (yield* Host).facts
  const refuse = (cause: string) => new ContainerError({ operation: "exec", object: record.name, kind: "invalid", cause })
  const seccomp = options.privileged ? undefined : yield* Effect.fromResult(resolveSeccomp(record.config, {
    machine: facts.texts.machine, capabilities: process.capabilities.bounding, kernelVersion: facts.kernelVersion
  })).pipe(Effect.mapError(refuse))
  const filter = yield* Effect.fromResult(seccompFilter(seccomp, facts.texts.machine)).pipe(Effect.mapError(refuse))
  const unified = record.cgroups.find((one) => facts.layout.unified !== undefined && one.startsWith(`${facts.layout.unified.mount}/`))
  const program = yield* Effect.fromResult(execProgram({
    id: record.id, process, init, config: record.config, seccomp: filter,
    cgroupAttach: record.cgroups.filter((one) => one !== unified).map((one) => `${one}/tasks`)
  })).pipe(Effect.mapError(refuse))
  const idMap = idMapOf(record.config)
  return {
    id: record.id, directory,
    stdio: {
      terminal: options.tty, rows: options.consoleSize[0], columns: options.consoleSize[1],
      stdin: options.stdin ? "once" : "null"
    },
    namespaces: [],
    ...(record.config.pidMode === "host" ? {} : { pidNamespace: init }),
    cgroup: unified ?? "",
    // Nothing is mapped again: they tell whose its pipes shall be
    uidMap: idMap, gidMap: idMap, program, killFiles: [], killProcs: [], removeDirectories: [], oomFile: "", onExit: []
  }
})

const launch = Effect.fnUntraced(function*(
  record: ContainerRecord, init: ProcessIdentity, directory: string, options: ExecOptions
): Effect.fn.Return<Running, KernelError | ContainerError, Kernel | Host | Scope.Scope> {
  const { paths } = yield* Host
  const spec = yield* supervisorSpec(record, init, directory, options)
  // Not above it: the run's own directory may have gone with the run
  yield* perform("DirMake", { path: Paths.execsDirectory(paths, record.id), mode: 0o700 }).pipe(
    Effect.catchIf((error) => error.errno === "EEXIST", () => Effect.void)
  )
  yield* Effect.addFinalizer(() => Effect.ignore(perform("TreeRemove", { path: directory })))
  yield* perform("DirMake", { path: directory, mode: 0o700 })
  return yield* startSupervisor("exec", record.name, spec, options.attach)
})

/** Starts the process. Channel and directory go with the scope. */
export const exec = Effect.fnUntraced(function*(
  stored: Stored<ContainerRecord>, options: ExecOptions
): Effect.fn.Return<Running, KernelError | ContainerError, Kernel | Host | Scope.Scope> {
  const { record } = stored
  const state = yield* stateOf(record)
  const conflict = (cause: string) => new ContainerError({ operation: "exec", object: record.name, kind: "conflict", cause })
  if (state.process === undefined) return yield* conflict(`container ${record.name} is not running`)
  if (state.name === "paused") {
    return yield* conflict(`container ${record.name} is paused, unpause the container before exec`)
  }
  if (options.command.length === 0) return yield* conflict("no exec command specified")
  const word = yield* Random.nextIntBetween(0, 2 ** 48)
  const directory = Paths.execDirectory((yield* Host).paths, record.id, word.toString(16).padStart(12, "0"))
  const { process } = state
  return yield* launch(record, process, directory, options).pipe(
    // What goes wrong because the container has just ended is told as that
    Effect.catch((error) =>
      Effect.flatMap(isAlive(process), (alive) => alive ? Effect.fail(error) : conflict(`container ${record.name} is not running`)))
  )
})
