/**
 * Everything that a start needs to know, looked up and put together: the OCI spec, the supervisor's spec
 * and the host operations before it. Performs reads only; `--plan` prints what this returns.
 */
import * as Effect from "effect/Effect"
import { cgroupPlan, type CgroupPlan } from "../../domain/container/cgroupPlan.ts"
import { compile, type CompileFacts, hostnameOf } from "../../domain/container/compile.ts"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { hostsFile, resolvConf } from "../../domain/container/networkFiles.ts"
import { idMapOf } from "../../domain/container/idMap.ts"
import * as Paths from "../../domain/container/Paths.ts"
import { cloneNamespaces, initProgram } from "../../domain/container/plan.ts"
import type { DeviceNode } from "../../domain/container/resources.ts"
import type { InitOp, ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, op, type RootSource } from "../../domain/kernel/KernelOp.ts"
import type { IdMap, SupervisorSpec } from "../../domain/kernel/Supervisor.ts"
import type { RuntimeSpec } from "../../domain/oci/RuntimeSpec.ts"
import { driverOf, isFlat, prepareRoot, rootToRead } from "../../domain/layer/StorageDriver.ts"
import { seccompFilter } from "../../domain/container/seccompFilter.ts"
import { Host, type HostFacts } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { findContainer, now } from "../Store.ts"
import { resolveAccount } from "./accounts.ts"
import { cpusetTexts } from "./cgroupParent.ts"
import { deviceNodes } from "./deviceNodes.ts"
import { networkOwner } from "./networkOwner.ts"
import { hasWritten, stateOf } from "./observation.ts"

export interface Preparation {
  readonly record: ContainerRecord
  readonly spec: RuntimeSpec
  /** In order, before the supervisor; all can be taken back but the `Ensure`s. */
  readonly before: ReadonlyArray<KernelOp>
  readonly supervisor: SupervisorSpec
  /** What was asked for and cannot be had on this host, for the user to read. */
  readonly warnings: ReadonlyArray<string>
}

/** Nothing needs to be mounted for one layer alone. */
const rootOfAccounts = (paths: Paths.Paths, record: ContainerRecord, isThere: boolean): RootSource => {
  const root = rootToRead(paths, record, isThere)
  return root._tag === "Layers" && root.upper === "" && root.lower.length === 1 ? { _tag: "Directory", path: root.lower[0] } : root
}

/** The inits of the containers whose namespaces are joined, by mode. */
const joinedProcesses = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<{ readonly [mode: string]: ProcessIdentity }, KernelError | ContainerError, Kernel | Host> {
  const joined: Record<string, ProcessIdentity> = {}
  for (const mode of [config.networkMode, config.pidMode, config.ipcMode]) {
    if (!mode.startsWith("container:") || joined[mode] !== undefined) continue
    const reference = mode.slice("container:".length)
    const { record } = yield* findContainer("start", reference)
    const state = yield* stateOf(record)
    if (state.process === undefined) {
      return yield* new ContainerError({
        operation: "start", object: reference, kind: "conflict",
        cause: `cannot join the namespaces of container ${record.name}: it is not running`, cure: "start it first"
      })
    }
    joined[mode] = state.process
  }
  return joined
})

/** Sources of -v that are not there yet: they are made as directories. Those that are may be files. */
const missingSources = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<ReadonlyArray<string>, KernelError, Kernel> {
  const missing: Array<string> = []
  for (const mount of config.mounts) {
    if (mount._tag !== "Bind" || !mount.createSource) continue
    const { source } = mount
    yield* perform("FileStat", { path: source, follow: true }).pipe(
      Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.sync(() => void missing.push(source)))
    )
  }
  return missing
})

const fileOps = (
  record: ContainerRecord, paths: Paths.Paths, facts: HostFacts, sources: ReadonlyArray<string>, isThere: boolean
): ReadonlyArray<KernelOp> => {
  const { config, id } = record
  const files = Paths.filesDirectory(paths, id)
  const write = (name: string, text: string) => op("FileWrite", { path: `${files}/${name}`, mode: 0o644, text })
  const hostNetwork = config.networkMode === "host"
  return [
    ...prepareRoot(paths, record, isThere),
    ...[files, Paths.rootMountPoint(paths, id)].map((path) => op("DirEnsure", { path, mode: 0o755 })),
    op("DirMake", { path: Paths.runDirectory(paths, id), mode: 0o700 }),
    write("hostname", `${hostnameOf(config, id, facts.texts.hostname)}\n`),
    write("hosts", hostsFile({ host: hostNetwork ? facts.texts.hosts : undefined, extra: config.extraHosts })),
    write("resolv.conf", resolvConf({
      host: facts.texts.resolvConf, hostNetwork, dns: config.dns, search: config.dnsSearch,
      options: config.dnsOptions
    })),
    ...sources.map((path) => op("DirEnsure", { path, mode: 0o755 }))
  ]
}

/** An engine's own parent was made at its start; another is made by the first container that names it. */
const cgroupOf = Effect.fnUntraced(function*(
  spec: RuntimeSpec
): Effect.fn.Return<CgroupPlan, KernelError | string, Kernel | Host> {
  const host = yield* Host
  const { layout } = yield* host.facts
  const path = spec.linux.cgroupsPath
  const parent = path.slice(0, path.lastIndexOf("/"))
  const interfaceFiles = yield* host.interfaceFiles(parent)
  return yield* Effect.fromResult(cgroupPlan({
    layout, path, resources: spec.linux.resources, interfaceFiles, parentReady: interfaceFiles !== undefined,
    texts: parent === Paths.cgroupParent(host.paths) ? {} : yield* cpusetTexts(parent)
  }))
})

const supervisorSpec = (options: {
  readonly record: ContainerRecord
  readonly paths: Paths.Paths
  readonly spec: RuntimeSpec
  readonly cgroup: CgroupPlan
  readonly program: ReadonlyArray<InitOp>
  readonly joined: { readonly [mode: string]: ProcessIdentity }
  readonly idMap: ReadonlyArray<IdMap>
  readonly onExit: ReadonlyArray<string>
}): SupervisorSpec => {
  const { cgroup, idMap, joined, paths, record } = options
  const { config, id } = record
  const born = joined[config.pidMode]
  return {
    id,
    directory: Paths.runDirectory(paths, id),
    exitFile: Paths.exitFile(paths, id),
    ...(config.log.driver === "none"
      ? {}
      : { log: { path: Paths.logFile(paths, id), maxSize: config.log.maxSize, maxFiles: config.log.maxFiles } }),
    stdio: {
      terminal: config.tty, rows: config.consoleSize[0], columns: config.consoleSize[1],
      stdin: !config.openStdin ? "null" : config.stdinOnce ? "once" : "open"
    },
    namespaces: cloneNamespaces(options.spec),
    ...(born === undefined ? {} : { pidNamespace: born }),
    cgroup: cgroup.cloneInto,
    uidMap: idMap, gidMap: idMap,
    program: options.program,
    killFiles: cgroup.killFiles, killProcs: cgroup.killProcs, removeDirectories: cgroup.directories,
    oomFile: cgroup.oomFile,
    onExit: config.autoRemove && options.onExit.length > 0 ? [...options.onExit, id] : []
  }
}

/** `onExit` is the command that finishes an auto-removed container when nobody is there to do it. */
export const prepareStart = Effect.fnUntraced(function*(
  record: ContainerRecord, onExit: ReadonlyArray<string>
): Effect.fn.Return<Preparation, KernelError | ContainerError, Kernel | Host> {
  const host = yield* Host
  const facts = yield* host.facts
  const { paths } = host
  const { config, id, image } = record
  const refuse = (cause: string) => new ContainerError({ operation: "start", object: record.name, kind: "invalid", cause })
  // One that has run has it, or something is wrong that must be told
  const isThere = record.phase !== "created" || (yield* hasWritten(record))
  const user = yield* resolveAccount({
    operation: "start", object: record.name, root: rootOfAccounts(paths, record, isThere),
    user: config.user || image.user, groupAdd: config.groupAdd
  })
  const joined = yield* joinedProcesses(config)
  const owner = yield* networkOwner(record)
  const nodes: { readonly [path: string]: DeviceNode } = yield* deviceNodes(config)
  const idMap = idMapOf(config)
  const compileFacts: CompileFacts = {
    id, user, image,
    rootPath: Paths.rootMountPoint(paths, id), filesPath: Paths.filesDirectory(paths, owner.id),
    hostname: hostnameOf(owner.config, owner.id, facts.texts.hostname),
    joined: Object.fromEntries(Object.entries(joined).map(([mode, process]) => [mode, `/proc/${process.pid}`])),
    deviceNodes: nodes, machine: facts.texts.machine, kernelVersion: facts.kernelVersion,
    capabilities: facts.texts.capabilities, idMap,
    cgroupParent: config.cgroupParent === "" ? Paths.cgroupParent(paths) : config.cgroupParent
  }
  const spec = yield* Effect.fromResult(compile(config, compileFacts))
  const cgroup = yield* cgroupOf(spec).pipe(
    Effect.mapError((error) => typeof error === "string" ? refuse(error) : error)
  )
  const [first, ...rest] = record.layers
  if (first === undefined) return yield* refuse("the container has no root file system")
  const seccomp = yield* Effect.fromResult(seccompFilter(spec.linux.seccomp, facts.texts.machine)).pipe(
    Effect.mapError(refuse)
  )
  const program = yield* Effect.fromResult(initProgram(spec, {
    lower: [first, ...rest],
    upper: Paths.upperDirectory(paths, id), work: Paths.workDirectory(paths, id),
    ...(isFlat(driverOf(record)) ? { tree: Paths.treeDirectory(paths, id) } : {}),
    cgroupAttach: cgroup.attach, cgroupMounts: cgroup.mounts, reaper: config.init,
    startTimes: Object.fromEntries(Object.values(joined).map((process) => [String(process.pid), process.startTime])),
    seccomp
  }, id)).pipe(Effect.mapError(refuse))
  return {
    record: {
      ...record, phase: "launched", cgroups: cgroup.directories, error: "", stopRequested: false,
      launch: { boot: facts.texts.bootId, at: yield* now },
      ...(cgroup.control === undefined ? {} : { control: cgroup.control })
    },
    spec,
    before: [...fileOps(record, paths, facts, yield* missingSources(config), isThere), ...cgroup.make],
    supervisor: supervisorSpec({ record, paths, spec, cgroup, program, joined, idMap, onExit }),
    warnings: [...cgroup.warnings, ...(seccomp?.warnings ?? [])]
  }
})

