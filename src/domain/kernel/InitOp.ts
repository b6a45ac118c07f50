/**
 * The second algebra: what must happen inside the cloned child, between clone and exec, where no
 * JavaScript can run. A program is a list, performed in order by `native/init` (and by the simulated
 * kernel); the first failure ends it. Every path after `PivotRoot` is resolved inside the container's
 * root, because nothing else exists any more.
 */
import * as Schema from "effect/Schema"

const UInt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 }))
const Slot = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const Path = Schema.String

/** Namespaces as in namespaces(7). */
export const NamespaceKind = Schema.Literals(["pid", "net", "ipc", "mnt", "uts", "user", "cgroup", "time"])
export type NamespaceKind = typeof NamespaceKind.Type

/** Attributes of mount_setattr(2); `recursive` applies the others to the whole tree. */
export const MountAttribute = Schema.Literals([
  "ro", "nosuid", "nodev", "noexec", "noatime", "relatime", "strictatime", "nodiratime", "nosymfollow", "recursive"
])
export type MountAttribute = typeof MountAttribute.Type

export const Propagation = Schema.Literals([
  "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"
])
export type Propagation = typeof Propagation.Type

/** A process by identity: a pid alone may have been given to another by now. */
export const ProcessIdentity = Schema.Struct({
  pid: UInt,
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTime: Schema.Int
})
export type ProcessIdentity = typeof ProcessIdentity.Type

export const RlimitName = Schema.Literals([
  "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending",
  "msgqueue", "nice", "rtprio", "rttime"
])
export type RlimitName = typeof RlimitName.Type

/** A limit; `"unlimited"` is RLIM_INFINITY. */
const Limit = Schema.Union([Schema.Int, Schema.Literal("unlimited")])

/** Numbers of capabilities(7) as in include/uapi/linux/capability.h. */
const CapabilityNumbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 63 })))

export const InitOp = Schema.TaggedUnion({
  /** Writes `0` to each file: `…/tasks` on v1 (quick, while there is one thread), `…/cgroup.procs` on v2. */
  CgroupAttach: { files: Schema.Array(Path) },
  /** unshare(2). The cgroup namespace comes after the attach so that its root is the container's cgroup. */
  NamespaceUnshare: { kinds: Schema.Array(NamespaceKind) },
  /** setns(2) on `path` (a /proc/PID/ns/… file or a bind of one). */
  NamespaceJoin: { kind: NamespaceKind, path: Path },
  /** setns(2) on a pidfd: all given namespaces of a process at once (exec). */
  NamespaceEnter: { process: ProcessIdentity, kinds: Schema.Array(NamespaceKind) },
  /** unshare(CLONE_NEWTIME), the offsets, then setns to time_for_children. Seconds and nanoseconds. */
  TimeNamespace: {
    monotonic: Schema.optionalKey(Schema.Struct({ seconds: Schema.Int, nanoseconds: Schema.Int })),
    boottime: Schema.optionalKey(Schema.Struct({ seconds: Schema.Int, nanoseconds: Schema.Int }))
  },
  Hostname: { name: Schema.String },
  Domainname: { name: Schema.String },
  /** mount(2) with a propagation flag only; `path` "/" before the pivot is the whole copied tree. */
  MountPropagation: { path: Path, propagation: Propagation },
  /** /proc/self/oom_score_adj, −1000 to 1000; before the pivot, through the host's /proc. */
  OomScoreAdjust: { value: Schema.Int },
  /**
   * open_tree(2) with OPEN_TREE_CLONE of a host path into `slot`: before the pivot. With `within`, of a path of
   * that process' mount namespace, entered for this one call (a container's /dev/shm shared with another).
   */
  TreeOpen: {
    slot: Slot, source: Path, recursive: Schema.Boolean, within: Schema.optionalKey(ProcessIdentity)
  },
  /**
   * fsopen(overlay) with `lowerdir+` per layer (top first), moved onto the host directory `at`.
   * `volatile` skips the sync of the upper file system at unmount. An empty `upper` mounts read-only.
   */
  RootOverlay: {
    at: Path, lower: Schema.NonEmptyArray(Path), upper: Path, work: Path, volatile: Schema.Boolean
  },
  /**
   * The host directory `source` itself moved onto the host directory `at`, to be written to; in a user namespace with ids
   * mapped by it. What is mounted in `source` is not there.
   */
  RootBind: { at: Path, source: Path },
  /** pivot_root(".", ".") in `at`, then a lazy detach of the old root. */
  PivotRoot: { at: Path },
  /** mkdir(2) with missing parents (0755), components resolved without following magic links. */
  DirMake: { path: Path, mode: UInt },
  SymlinkMake: { target: Schema.String, path: Path },
  /** mknod(2) and chown(2); an existing node is replaced. `type` as in mknod(1). */
  NodeMake: {
    path: Path, type: Schema.Literals(["b", "c", "p"]), mode: UInt, major: UInt, minor: UInt, uid: UInt, gid: UInt
  },
  /**
   * fsopen(2) of `type`, each option by fsconfig(2) (`value` absent: a flag), moved onto `target`, which is
   * made when missing. With `strict` no component of `target` may be a symbolic link (/proc, /sys, /dev).
   */
  MountFilesystem: {
    type: Schema.String, source: Schema.String, target: Path, strict: Schema.Boolean,
    options: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.optionalKey(Schema.String) })),
    attributes: Schema.Array(MountAttribute),
    /** Copy what the directory held into the new file system (tmpfs with copy-up). */
    copyUp: Schema.Boolean
  },
  /** devpts on `target` by fsopen; with `console` a pty is opened on it while it is still detached. */
  MountDevpts: {
    target: Path, options: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String })),
    console: Schema.Boolean
  },
  /** move_mount(2) of a tree opened before onto `target`; a missing target is made as file or directory. */
  MountTree: {
    slot: Slot, target: Path, attributes: Schema.Array(MountAttribute), propagation: Propagation
  },
  /** Directories get one shared empty read-only directory, files /dev/null; missing paths are left. */
  MaskPaths: { paths: Schema.Array(Path) },
  /** A bind of the path on itself, read-only; missing paths are left. */
  ReadonlyPaths: { paths: Schema.Array(Path) },
  /**
   * mount_setattr(2) on the mount at `path`, which no link may lead to: on "/" the last step that touches
   * mounts; on a tmpfs that had to be writable until its mount points were made.
   */
  MountAttributes: { path: Path, attributes: Schema.Array(MountAttribute), propagation: Propagation },
  /** Writes `value` to /proc/sys/… ; `key` with dots or slashes as sysctl(8). */
  Sysctl: { key: Schema.String, value: Schema.String },
  /** Sets `lo` up in the current network namespace (rtnetlink). */
  LoopbackUp: {},
  /**
   * Makes the pty's slave the controlling terminal and fds 0 to 2; with `bindConsole` also /dev/console.
   * With `open` the pty is first opened on the /dev/pts found here, which must be a devpts (exec).
   */
  Console: { open: Schema.Boolean, bindConsole: Schema.Boolean },
  Rlimit: { resource: RlimitName, soft: Limit, hard: Limit },
  /** Joins a new, empty session keyring named `name` (keyctl(2)). */
  Keyring: { name: Schema.String },
  /** personality(2) */
  Personality: { persona: UInt },
  Umask: { mask: UInt },
  /** prctl(PR_SET_NO_NEW_PRIVS) */
  NoNewPrivileges: {},
  /** seccomp(2) SECCOMP_SET_MODE_FILTER with an array of struct sock_filter. */
  Seccomp: {
    filter: Schema.Uint8Array,
    flags: Schema.Array(Schema.Literals(["log", "specAllow", "tsync"]))
  },
  /** Drops every number not in the list from the bounding set; the highest is /proc/sys/kernel/cap_last_cap. */
  BoundingSet: { capabilities: CapabilityNumbers },
  /** setgroups, setresgid, setresuid with PR_SET_KEEPCAPS, so that `Capabilities` can follow. */
  User: { uid: UInt, gid: UInt, groups: Schema.Array(UInt) },
  /** capset(2), then the ambient set by prctl(2). */
  Capabilities: {
    effective: CapabilityNumbers, permitted: CapabilityNumbers, inheritable: CapabilityNumbers, ambient: CapabilityNumbers
  },
  /** chdir(2); afterwards getcwd(2) must lie inside the root. `create`: made with missing parents, mode 0755. */
  WorkingDirectory: { path: Path, create: Schema.Boolean },
  /**
   * execve(2): `argv[0]` is searched along PATH of `env` when it has no slash. `reaper`: this process stays
   * as pid 1, forwards signals and reaps; the program becomes its child (docker's --init).
   */
  Exec: { argv: Schema.NonEmptyArray(Schema.String), env: Schema.Array(Schema.String), reaper: Schema.Boolean }
})
export type InitOp = typeof InitOp.Type
export type InitTag = InitOp["_tag"]
