/**
 * Configuration → OCI runtime spec: every rule of what Docker's flags mean in the OCI's terms. Pure: all
 * that must be looked up (users, device numbers, the ids of joined containers) comes in as facts.
 */
import * as Result from "effect/Result"
import { deviceRules } from "../cgroup/DeviceRules.ts"
import type { Resources } from "../cgroup/Resources.ts"
import { type OciDevice, type OciNamespace, ociVersion, type RuntimeSpec } from "../oci/RuntimeSpec.ts"
import { ContainerError } from "./ContainerError.ts"
import { capabilitySet } from "./Capability.ts"
import type { ContainerConfig } from "./ContainerConfig.ts"
import { environment } from "./environment.ts"
import { mountList } from "./mountList.ts"
import { compileResources, type DeviceNode } from "./resources.ts"
import { checkSysctls } from "./sysctl.ts"
import type { ResolvedUser } from "./User.ts"
import type { ImageDefaults } from "../image/Defaults.ts"
import type { IdMap } from "../kernel/Supervisor.ts"
import { resolveSeccomp } from "./securityProfile.ts"

export interface CompileFacts {
  readonly id: string
  readonly user: ResolvedUser
  readonly image: ImageDefaults
  /** Host directory the root is mounted on, in the container's own mount namespace. */
  readonly rootPath: string
  /** Host directory of hostname, hosts and resolv.conf. */
  readonly filesPath: string
  /** As `hostnameOf` has it, of the container whose network it is. */
  readonly hostname: string
  /** For each joined container (`container:X` as written): /proc/PID. */
  readonly joined: { readonly [mode: string]: string }
  /** Device nodes by host path: of --device, of the block devices in limits, with --privileged of all of /dev. */
  readonly deviceNodes: { readonly [path: string]: DeviceNode }
  readonly machine: string
  readonly kernelVersion: { readonly major: number; readonly minor: number }
  readonly capabilities: ReadonlyArray<number>
  /** The mapping of `--userns private`. */
  readonly idMap: ReadonlyArray<IdMap>
  /** Absolute in the cgroup tree, e.g. `/fx-engine`. */
  readonly cgroupParent: string
}

/** moby oci/defaults.go and daemon/oci_linux.go */
export const maskedPaths = [
  "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
  "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
  "/sys/firmware"
]
export const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

/** The program and its arguments: an entrypoint given by the user drops the image's command too. */
export const commandLine = (config: ContainerConfig, image: ImageDefaults): ReadonlyArray<string> => {
  if (config.entrypoint !== undefined) {
    return [...config.entrypoint.filter((word) => word !== ""), ...config.command]
  }
  return [...image.entrypoint, ...(config.command.length > 0 ? config.command : image.command)]
}

/** The name the container's UTS namespace gets: what the user set, or the short id. */
export const hostnameOf = (config: ContainerConfig, id: string, hostHostname: string): string => {
  if (config.hostname !== "") return config.hostname
  return config.utsMode === "host" || config.networkMode === "host" ? hostHostname : id.slice(0, 12)
}

const joins = (mode: string): boolean => mode.startsWith("container:")

const namespaces = (config: ContainerConfig, facts: CompileFacts): ReadonlyArray<OciNamespace> => {
  const list: Array<OciNamespace> = [{ type: "mount" }]
  const add = (type: OciNamespace["type"], file: string, mode: string) => {
    if (mode === "host") return
    const process = facts.joined[mode]
    list.push(joins(mode) && process !== undefined ? { type, path: `${process}/ns/${file}` } : { type })
  }
  add("network", "net", config.networkMode)
  add("ipc", "ipc", config.ipcMode)
  add("uts", "uts", config.utsMode)
  add("pid", "pid", config.pidMode)
  if (config.cgroupnsMode !== "host") list.push({ type: "cgroup" })
  if (config.usernsMode === "private") list.push({ type: "user" })
  if (config.timeMode === "private") list.push({ type: "time" })
  return list
}

const devices = (config: ContainerConfig, facts: CompileFacts): ReadonlyArray<OciDevice> => {
  const node = (path: string, of: DeviceNode): OciDevice => ({
    type: of.type === "block" ? "b" : "c", path, major: of.major, minor: of.minor, fileMode: of.mode & 0o777,
    uid: of.uid, gid: of.gid
  })
  if (config.privileged) {
    return Object.entries(facts.deviceNodes)
      .filter(([path]) => path.startsWith("/dev/"))
      .map(([path, of]) => node(path, of))
  }
  return config.devices.flatMap((mapping) => {
    const of = facts.deviceNodes[mapping.pathOnHost]
    return of === undefined ? [] : [node(mapping.pathInContainer, of)]
  })
}

const deviceAccess = (
  config: ContainerConfig, facts: CompileFacts
): Result.Result<NonNullable<Resources["devices"]>, string> => {
  if (config.privileged) return Result.succeed([{ allow: true, access: "rwm" }])
  return deviceRules({
    mapped: config.devices.flatMap((mapping) => {
      const of = facts.deviceNodes[mapping.pathOnHost]
      if (of === undefined) return []
      return [{
        allow: true, type: of.type === "block" ? "b" as const : "c" as const, major: of.major, minor: of.minor,
        access: mapping.permissions
      }]
    }),
    rules: config.deviceCgroupRules
  })
}

/**
 * Compiles, or says which flag cannot be had and why. The spec names `facts.rootPath` as its root; layers
 * are the engine's business.
 */
export const compile = (
  config: ContainerConfig, facts: CompileFacts
): Result.Result<RuntimeSpec, ContainerError> => Result.gen(function*() {
  const refuse = (cause: string, cure?: string) =>
    new ContainerError({
      operation: "create", object: facts.id.slice(0, 12), kind: "invalid", cause, ...(cure === undefined ? {} : { cure })
    })
  const args = commandLine(config, facts.image)
  if (args.length === 0) {
    return yield* Result.fail(refuse("no command specified", "name a command after the image"))
  }
  const cwd = config.workingDirectory || facts.image.workingDirectory || "/"
  if (!cwd.startsWith("/")) {
    return yield* Result.fail(refuse(`the working directory '${cwd}' is invalid, it needs to be an absolute path`))
  }
  const list = namespaces(config, facts)
  const own = (type: OciNamespace["type"]) => list.some((one) => one.type === type && one.path === undefined)
  const capabilities = yield* Result.mapError(
    capabilitySet({
      add: config.capAdd, drop: config.capDrop, privileged: config.privileged, held: facts.capabilities
    }),
    (name) => refuse(`unknown capability to add or drop: "${name}"`, "see capabilities(7) for the names")
  )
  const sysctls = yield* Result.mapError(
    checkSysctls(config.sysctls, { net: own("network"), ipc: own("ipc"), uts: own("uts") }), (cause) => refuse(cause)
  )
  const access = yield* Result.mapError(deviceAccess(config, facts), (cause) => refuse(cause))
  const limits = yield* Result.mapError(compileResources(config.resources, facts.deviceNodes), (cause) => refuse(cause))
  const seccomp = yield* Result.mapError(
    resolveSeccomp(config, { machine: facts.machine, capabilities, kernelVersion: facts.kernelVersion }),
    (cause) => refuse(cause)
  )
  const { hostname } = facts
  const ownHostname = own("uts") ? hostname : ""
  const nobody = config.privileged || !config.confineSystemPaths
  const mapping = facts.idMap.map((map) => ({ containerID: map.inside, hostID: map.outside, size: map.count }))
  const spec: RuntimeSpec = {
    ociVersion,
    root: { path: facts.rootPath, readonly: config.readonlyRootfs },
    ...(ownHostname === "" ? {} : { hostname: ownHostname }),
    ...(config.domainname === "" || !own("uts") ? {} : { domainname: config.domainname }),
    process: {
      terminal: config.tty,
      ...(config.tty ? { consoleSize: { height: config.consoleSize[0], width: config.consoleSize[1] } } : {}),
      user: {
        uid: facts.user.uid, gid: facts.user.gid,
        additionalGids: [...new Set([facts.user.gid, ...facts.user.groups])]
      },
      args,
      env: environment({
        hostname, tty: config.tty, home: facts.user.home, image: facts.image.env, user: config.env
      }),
      cwd,
      capabilities: {
        bounding: capabilities,
        effective: facts.user.uid === 0 ? capabilities : [],
        permitted: facts.user.uid === 0 ? capabilities : [],
        inheritable: [], ambient: []
      },
      rlimits: config.ulimits.map((limit) => ({
        type: `RLIMIT_${limit.name.toUpperCase()}`, soft: limit.soft, hard: limit.hard
      })),
      noNewPrivileges: config.noNewPrivileges,
      oomScoreAdj: config.oomScoreAdj
    },
    mounts: mountList(config, facts),
    ...(Object.keys(config.annotations).length === 0 ? {} : { annotations: config.annotations }),
    linux: {
      namespaces: list,
      ...(mapping.length === 0 ? {} : { uidMappings: mapping, gidMappings: mapping }),
      devices: devices(config, facts),
      cgroupsPath: `/${facts.cgroupParent}/${facts.id}`.replace(/\/+/g, "/"),
      resources: { ...limits, devices: access },
      ...(seccomp === undefined ? {} : { seccomp }),
      sysctl: {
        ...(own("network") && !own("user")
          // moby daemon/oci_linux.go: low ports and ping for everybody in a network of its own
          ? { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" }
          : {}),
        ...sysctls
      },
      maskedPaths: nobody ? [] : maskedPaths,
      readonlyPaths: nobody ? [] : readonlyPaths
    }
  }
  return spec
})
