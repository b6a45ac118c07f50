/**
 * OCI runtime spec → the program of InitOps that makes the container from inside. The order is the
 * kernel's: what needs the host's paths or privileges comes before the pivot and before they are dropped.
 */
import * as Result from "effect/Result"
import type { InitOp, NamespaceKind, ProcessIdentity, RlimitName } from "../kernel/InitOp.ts"
import { parseMountOptions } from "../oci/mountOptions.ts"
import type { OciMount, OciProcess, RuntimeSpec } from "../oci/RuntimeSpec.ts"
import { capabilityNumber } from "./Capability.ts"

/** Where the pieces are on this host. */
export interface PlanContext {
  /** Layers, top first. */
  readonly lower: readonly [string, ...Array<string>]
  readonly upper: string
  readonly work: string
  /** The root file system itself, where it is a directory of the container's own: then no layers are mounted. */
  readonly tree?: string
  /** Files that take "0" to move the child into its cgroups (v1); empty where the clone does it (v2). */
  readonly cgroupAttach: ReadonlyArray<string>
  /** What stands under /sys/fs/cgroup inside. */
  readonly cgroupMounts: ReadonlyArray<CgroupMount>
  readonly reaper: boolean
  /** Start times of the processes whose namespaces are joined, by pid: a pid alone may be another's by now. */
  readonly startTimes: { readonly [pid: string]: number }
  /** Encoded struct sock_filter array; undefined: no filter. */
  readonly seccomp: { readonly filter: Uint8Array; readonly flags: ReadonlyArray<"log" | "specAllow" | "tsync"> } | undefined
}

/** A control-group file system inside: name below /sys/fs/cgroup ("" for cgroup2 alone), and its type. */
export interface CgroupMount {
  readonly directory: string
  readonly type: "cgroup" | "cgroup2"
  readonly options: ReadonlyArray<string>
  /** Host directory bound in its place when the container has no cgroup namespace. */
  readonly source: string
  /** Further names for a hierarchy of several controllers. */
  readonly links: ReadonlyArray<string>
}

const kinds: { readonly [type: string]: NamespaceKind } = {
  pid: "pid", network: "net", ipc: "ipc", mount: "mnt", uts: "uts", user: "user", cgroup: "cgroup", time: "time"
}

/** Namespaces the clone makes: all new ones but cgroup (after the attach) and time (needs its offsets first). */
export const cloneNamespaces = (spec: RuntimeSpec): ReadonlyArray<NamespaceKind> =>
  spec.linux.namespaces
    .filter((one) => one.path === undefined && one.type !== "cgroup" && one.type !== "time")
    .map((one) => kinds[one.type]!)

const owns = (spec: RuntimeSpec, type: string): boolean =>
  spec.linux.namespaces.some((one) => one.type === type && one.path === undefined)

/** The process of a `/proc/PID/…` path, when its start time is known. */
export const processOf = (path: string, context: Pick<PlanContext, "startTimes">): ProcessIdentity | undefined => {
  const pid = /^\/proc\/([0-9]+)\//.exec(path)?.[1]
  const startTime = pid === undefined ? undefined : context.startTimes[pid]
  return startTime === undefined ? undefined : { pid: Number(pid), startTime }
}

const enter = (spec: RuntimeSpec, context: PlanContext): ReadonlyArray<InitOp> => {
  const ops: Array<InitOp> = []
  if (context.cgroupAttach.length > 0) ops.push({ _tag: "CgroupAttach", files: context.cgroupAttach })
  if (spec.process.oomScoreAdj !== undefined) ops.push({ _tag: "OomScoreAdjust", value: spec.process.oomScoreAdj })
  for (const one of spec.linux.namespaces) {
    // The pid namespace is entered by the supervisor: setns changes only the children
    if (one.path === undefined || one.type === "pid") continue
    const kind = kinds[one.type]!
    const process = processOf(one.path, context)
    ops.push(
      process === undefined
        ? { _tag: "NamespaceJoin", kind, path: one.path }
        : { _tag: "NamespaceEnter", process, kinds: [kind] }
    )
  }
  if (owns(spec, "cgroup")) ops.push({ _tag: "NamespaceUnshare", kinds: ["cgroup"] })
  if (owns(spec, "time")) {
    const offset = (of: { readonly secs: number; readonly nanosecs: number }) => ({
      seconds: of.secs, nanoseconds: of.nanosecs
    })
    const { boottime, monotonic } = spec.linux.timeOffsets ?? {}
    ops.push({
      _tag: "TimeNamespace",
      ...(monotonic === undefined ? {} : { monotonic: offset(monotonic) }),
      ...(boottime === undefined ? {} : { boottime: offset(boottime) })
    })
  }
  return ops
}

/** Kernel file systems on these paths are mounted only if no component is a symbolic link of the image's. */
const strictTargets: ReadonlySet<string> = new Set(["/proc", "/sys", "/dev", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"])

const cgroupOps = (mount: OciMount, spec: RuntimeSpec, context: PlanContext, slot: () => number): Steps => {
  const options = parseMountOptions(mount.options ?? [])
  const before: Array<InitOp> = []
  const after: Array<InitOp> = []
  const single = context.cgroupMounts.length === 1 && context.cgroupMounts[0]!.directory === ""
  if (!single) {
    after.push({
      _tag: "MountFilesystem", type: "tmpfs", source: "tmpfs", target: mount.destination, strict: true,
      options: [{ key: "mode", value: "755" }], attributes: ["nosuid", "noexec", "nodev"], copyUp: false
    })
  }
  for (const one of context.cgroupMounts) {
    const target = one.directory === "" ? mount.destination : `${mount.destination}/${one.directory}`
    if (owns(spec, "cgroup")) {
      after.push({
        _tag: "MountFilesystem", type: one.type, source: "cgroup", target, strict: true,
        options: one.options.map((word) => {
          const equals = word.indexOf("=")
          return equals < 0 ? { key: word } : { key: word.slice(0, equals), value: word.slice(equals + 1) }
        }),
        attributes: options.attributes, copyUp: false
      })
    } else {
      const number = slot()
      before.push({ _tag: "TreeOpen", slot: number, source: one.source, recursive: false })
      after.push({ _tag: "MountTree", slot: number, target, attributes: options.attributes, propagation: "rprivate" })
    }
    for (const link of one.links) {
      after.push({ _tag: "SymlinkMake", target: one.directory, path: `${mount.destination}/${link}` })
    }
  }
  if (!single && options.attributes.includes("ro")) {
    after.push({ _tag: "MountAttributes", path: mount.destination, attributes: ["ro"], propagation: "private" })
  }
  return { before, after }
}

interface Steps {
  /** Before the pivot: what needs the host's paths. */
  readonly before: ReadonlyArray<InitOp>
  readonly after: ReadonlyArray<InitOp>
}

const bindOps = (mount: OciMount, context: PlanContext, slot: number): Steps => {
  const options = parseMountOptions(mount.options ?? [])
  const source = mount.source ?? ""
  // /proc/PID/root/… of another container lies in its mount namespace
  const within = processOf(source, context)
  return {
    before: [{
      _tag: "TreeOpen", slot, recursive: options.bind === "rbind",
      ...(within === undefined ? { source } : { source: source.replace(/^\/proc\/[0-9]+\/root/, ""), within })
    }],
    after: [{
      _tag: "MountTree", slot, target: mount.destination, attributes: options.attributes,
      propagation: options.propagation ?? "rprivate"
    }]
  }
}

const filesystemOp = (mount: OciMount, terminal: boolean): InitOp => {
  const options = parseMountOptions(mount.options ?? [])
  if (mount.type === "devpts") {
    return {
      _tag: "MountDevpts", target: mount.destination, console: terminal,
      options: options.data.flatMap(({ key, value }) => value === undefined ? [] : [{ key, value }])
    }
  }
  return {
    _tag: "MountFilesystem", type: mount.type ?? "none", source: mount.source ?? mount.type ?? "none",
    target: mount.destination, strict: strictTargets.has(mount.destination),
    options: options.data, attributes: options.attributes, copyUp: options.copyUp
  }
}

const isBind = (mount: OciMount): boolean =>
  mount.type === "bind" || (mount.options ?? []).some((word) => word === "bind" || word === "rbind")

/** The mounts in the spec's order, the device nodes as soon as /dev and what belongs to it stand. */
const mountOps = (spec: RuntimeSpec, context: PlanContext): Steps => {
  const before: Array<InitOp> = []
  const after: Array<InitOp> = []
  let slots = 0
  const slot = () => slots++
  const add = (steps: Steps) => {
    before.push(...steps.before)
    after.push(...steps.after)
  }
  const isDev = (mount: OciMount) => /^\/dev(\/|$)/.test(mount.destination) && !isBind(mount)
  const lastDev = spec.mounts.findLastIndex(isDev)
  // A /dev that the user brought is left as it is
  const ownDev = spec.mounts.some((mount) => mount.destination === "/dev" && isDev(mount))
  for (const [index, mount] of spec.mounts.entries()) {
    if (mount.type === "cgroup") add(cgroupOps(mount, spec, context, slot))
    else if (isBind(mount)) add(bindOps(mount, context, slot()))
    else after.push(filesystemOp(mount, spec.process.terminal))
    if (index === lastDev && ownDev) {
      add(deviceOps(spec, slot))
      if (spec.process.terminal) after.push({ _tag: "Console", open: false, bindConsole: true })
    }
  }
  if (spec.process.terminal && !ownDev) after.push({ _tag: "Console", open: true, bindConsole: false })
  return { before, after }
}

/** runtime-spec config-linux.md, default devices: name, major, minor. */
const defaultNodes = [
  ["null", 1, 3], ["zero", 1, 5], ["full", 1, 7], ["random", 1, 8], ["urandom", 1, 9], ["tty", 5, 0]
] as const

const deviceOps = (spec: RuntimeSpec, slot: () => number): Steps => {
  const before: Array<InitOp> = []
  const after: Array<InitOp> = []
  const nodes = [
    ...defaultNodes.map(([name, major, minor]) => ({
      path: `/dev/${name}`, type: "c" as const, major, minor, fileMode: 0o666, uid: 0, gid: 0
    })),
    ...(spec.linux.devices ?? [])
  ]
  for (const node of nodes) {
    if (owns(spec, "user")) {
      // mknod is not for user namespaces: bind the host's node
      const number = slot()
      before.push({ _tag: "TreeOpen", slot: number, source: node.path, recursive: false })
      after.push({ _tag: "MountTree", slot: number, target: node.path, attributes: [], propagation: "rprivate" })
    } else {
      after.push({
        _tag: "NodeMake", path: node.path, type: node.type === "b" ? "b" : node.type === "p" ? "p" : "c",
        mode: node.fileMode ?? 0o666, major: node.major ?? 0, minor: node.minor ?? 0,
        uid: node.uid ?? 0, gid: node.gid ?? 0
      })
    }
  }
  for (const [path, target] of [
    ["/dev/ptmx", "pts/ptmx"], ["/dev/fd", "/proc/self/fd"], ["/dev/stdin", "/proc/self/fd/0"],
    ["/dev/stdout", "/proc/self/fd/1"], ["/dev/stderr", "/proc/self/fd/2"], ["/dev/core", "/proc/kcore"]
  ] as const) after.push({ _tag: "SymlinkMake", target, path })
  return { before, after }
}

const numbers = (names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => capabilityNumber(name) ?? [])

/** The last part, the same for a container's first process and for exec: limits, rights, directory, program. */
export const processOps = (
  process: OciProcess,
  options: {
    readonly id: string
    readonly reaper: boolean
    readonly createDirectory: boolean
    readonly seccomp: PlanContext["seccomp"]
  }
): Result.Result<ReadonlyArray<InitOp>, string> => {
  const [program, ...rest] = process.args
  if (program === undefined) return Result.fail("no command specified")
  const ops: Array<InitOp> = []
  for (const limit of process.rlimits ?? []) {
    const of = (value: number) => value < 0 ? "unlimited" as const : value
    ops.push({
      _tag: "Rlimit", resource: limit.type.slice("RLIMIT_".length).toLowerCase() as RlimitName,
      soft: of(limit.soft), hard: of(limit.hard)
    })
  }
  ops.push({ _tag: "Keyring", name: options.id })
  if (process.user.umask !== undefined) ops.push({ _tag: "Umask", mask: process.user.umask })
  ops.push({ _tag: "WorkingDirectory", path: process.cwd, create: options.createDirectory })
  ops.push({ _tag: "BoundingSet", capabilities: numbers(process.capabilities.bounding) })
  const seccomp: ReadonlyArray<InitOp> = options.seccomp === undefined
    ? []
    : [{ _tag: "Seccomp", filter: options.seccomp.filter, flags: options.seccomp.flags }]
  if (process.noNewPrivileges) ops.push({ _tag: "NoNewPrivileges" })
  // Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter: it must come before the drop
  else ops.push(...seccomp)
  ops.push({
    _tag: "User", uid: process.user.uid, gid: process.user.gid, groups: process.user.additionalGids ?? []
  })
  ops.push({
    _tag: "Capabilities",
    effective: numbers(process.capabilities.effective), permitted: numbers(process.capabilities.permitted),
    inheritable: numbers(process.capabilities.inheritable), ambient: numbers(process.capabilities.ambient)
  })
  if (process.noNewPrivileges) ops.push(...seccomp)
  ops.push({ _tag: "Exec", argv: [program, ...rest], env: process.env, reaper: options.reaper })
  return Result.succeed(ops)
}

/** The whole program of a container's init. */
export const initProgram = (
  spec: RuntimeSpec, context: PlanContext, id: string
): Result.Result<ReadonlyArray<InitOp>, string> => {
  const mounts = mountOps(spec, context)
  const process = processOps(spec.process, {
    id, reaper: context.reaper, createDirectory: true, seccomp: context.seccomp
  })
  return Result.map(process, (last): ReadonlyArray<InitOp> => [
    ...enter(spec, context),
    // Clones taken while "/" is still shared keep their peers: rslave and rshared binds work
    ...mounts.before,
    { _tag: "MountPropagation", path: "/", propagation: "rprivate" },
    context.tree === undefined
      ? {
        _tag: "RootOverlay", at: spec.root.path, lower: context.lower, upper: context.upper, work: context.work,
        volatile: true
      }
      : { _tag: "RootBind", at: spec.root.path, source: context.tree },
    { _tag: "PivotRoot", at: spec.root.path },
    ...mounts.after,
    ...(spec.hostname === undefined ? [] : [{ _tag: "Hostname" as const, name: spec.hostname }]),
    ...(spec.domainname === undefined ? [] : [{ _tag: "Domainname" as const, name: spec.domainname }]),
    ...(owns(spec, "network") ? [{ _tag: "LoopbackUp" as const }] : []),
    ...Object.entries(spec.linux.sysctl ?? {}).map(([key, value]) => ({ _tag: "Sysctl" as const, key, value })),
    ...list("MaskPaths", spec.linux.maskedPaths),
    ...list("ReadonlyPaths", spec.linux.readonlyPaths),
    // Made while the root can still be written to
    ...(spec.root.readonly && spec.process.cwd !== "/"
      ? [{ _tag: "DirMake" as const, path: spec.process.cwd, mode: 0o755 }]
      : []),
    {
      _tag: "MountAttributes", path: "/", attributes: spec.root.readonly ? ["ro"] : [],
      propagation: (spec.linux.rootfsPropagation ?? "rprivate") as "rprivate"
    },
    ...last
  ])
}

const list = (tag: "MaskPaths" | "ReadonlyPaths", paths: ReadonlyArray<string> | undefined): ReadonlyArray<InitOp> =>
  paths === undefined || paths.length === 0 ? [] : [{ _tag: tag, paths }]
