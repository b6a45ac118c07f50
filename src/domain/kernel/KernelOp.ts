/**
 * The first algebra: operations that the engine process performs on the host. One row per operation:
 * payload, success, and the operation that takes it back. Everything about an operation that is not its
 * execution is here; interpreters give the execution.
 */
import * as Schema from "effect/Schema"
import { ProcessIdentity } from "./InitOp.ts"
import { SupervisorSpec } from "./Supervisor.ts"

const UInt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 }))
/** An absolute host path. */
const Path = Schema.String
const CgroupVersion = Schema.Literals([1, 2])
/** An open thing of the interpreter: valid in this process until released. */
const Handle = UInt

/** A root file system to look into: a live one through its init, or one mounted for the purpose. */
export const RootSource = Schema.TaggedUnion({
  /** /proc/PID/root of a live process, opened only if its start time agrees. */
  Process: { process: ProcessIdentity },
  /** A detached overlay mount: no name anywhere. An empty `upper` makes it read-only. */
  Layers: { lower: Schema.NonEmptyArray(Path), upper: Path, work: Path },
  /** A directory of the host as it is: a layer being unpacked, or the user's side of a copy. */
  Directory: { path: Path }
})
export type RootSource = typeof RootSource.Type

/** How a path in a root is named in errors: as on the host where it has such a name. */
export const pathOfRoot = (source: RootSource, path: string): string => {
  const inside = path.startsWith("/") ? path : `/${path}`
  switch (source._tag) {
    case "Process":
      return `/proc/${source.process.pid}/root${inside}`
    case "Directory":
      return source.path === "/" ? inside : `${source.path}${inside}`
    case "Layers":
      return inside
  }
}

/** What the engine needs to know of the host, as texts: parsed by pure functions of the domain. */
export const HostTexts = Schema.Struct({
  mountinfo: Schema.String,
  /** /proc/cgroups */
  cgroups: Schema.String,
  /** cgroup.controllers at the root of the cgroup2 mount, "" where there is none */
  controllers: Schema.String,
  /** /proc/self/cgroup */
  selfCgroup: Schema.String,
  /** /proc/sys/kernel/random/boot_id: another one after each boot. */
  bootId: Schema.String,
  /** uname -r, e.g. `6.18.44` */
  kernelRelease: Schema.String,
  /** uname -m, e.g. `x86_64` */
  machine: Schema.String,
  hostname: Schema.String,
  /** Online CPUs. */
  cpus: UInt,
  /** /sys/devices/system/cpu/online and node/online, e.g. `0-3` and `0`; nodes are "0" where there is no NUMA */
  cpuList: Schema.String,
  memoryNodes: Schema.String,
  /** Bytes. */
  memoryTotal: Schema.Int,
  /** /proc/sys/kernel/cap_last_cap */
  lastCapability: UInt,
  /** Numbers of the capabilities that the engine may pass on (CapBnd in /proc/self/status). */
  capabilities: Schema.Array(UInt),
  /** /etc/resolv.conf and /etc/hosts */
  resolvConf: Schema.String,
  hosts: Schema.String,
  /** Effective user id of the engine. */
  user: UInt
})
export type HostTexts = typeof HostTexts.Type

export const FileStatus = Schema.Struct({
  type: Schema.Literals(["file", "directory", "symlink", "block", "character", "fifo", "socket"]),
  mode: UInt,
  uid: UInt,
  gid: UInt,
  size: Schema.Int,
  /** Device numbers of a block or character node. */
  major: UInt,
  minor: UInt,
  /** Where a symbolic link points. */
  target: Schema.optionalKey(Schema.String)
})
export type FileStatus = typeof FileStatus.Type

/** One row of the store: JSON text under (collection, key), with a revision for compare-and-set. */
export const RecordRow = Schema.Struct({
  key: Schema.String,
  revision: UInt,
  /** Unique within the collection; "" for none. */
  name: Schema.String,
  value: Schema.String
})
export type RecordRow = typeof RecordRow.Type

const Collection = Schema.Literals(["containers", "images", "names", "layers", "leases", "execs"])
export type Collection = typeof Collection.Type

const Nothing = Schema.Void

export const KernelOps = {
  // Facts
  HostRead: { payload: Schema.Struct({}), success: HostTexts },

  // Files of the store and of the volatile directory
  /** mkdir(2); EEXIST is an error. */
  DirMake: { payload: Schema.Struct({ path: Path, mode: UInt }), success: Nothing },
  /** mkdir -p: an existing directory is left as it is. */
  DirEnsure: { payload: Schema.Struct({ path: Path, mode: UInt }), success: Nothing },
  /**
   * Makes a directory with the owner, mode and time of the directory `like`, and with those of its attributes that layers
   * carry; nothing that is in it. An existing one is left as it is, but for an empty one of mode 0: it is half made.
   */
  DirEnsureLike: { payload: Schema.Struct({ path: Path, like: Path }), success: Nothing },
  DirList: { payload: Schema.Struct({ path: Path }), success: Schema.Array(Schema.String) },
  /** Written beside and renamed over, so that a reader sees the old or the new; no fsync. */
  FileWrite: { payload: Schema.Struct({ path: Path, mode: UInt, text: Schema.String }), success: Nothing },
  /** At most `limit` bytes: EFBIG beyond. A missing file is ENOENT; never blocks on a FIFO (EINVAL). */
  FileRead: { payload: Schema.Struct({ path: Path, limit: UInt }), success: Schema.String },
  /**
   * Up to `limit` bytes from `offset`; `inode` 0 takes the file that has the name now, another is refused with
   * ESTALE when the name has gone to a new file (a rotated log). None at the end.
   */
  FileReadRange: {
    payload: Schema.Struct({ path: Path, inode: Schema.Int, offset: Schema.Int, limit: UInt }),
    success: Schema.Struct({ data: Schema.Uint8Array, inode: Schema.Int })
  },
  /** Blocks until `path` is longer than `size`, or names another file than `inode`, or is gone. Interruptible. */
  FileAwait: { payload: Schema.Struct({ path: Path, inode: Schema.Int, size: Schema.Int }), success: Nothing },
  /** stat(2) (`follow`) or lstat(2). */
  FileStat: { payload: Schema.Struct({ path: Path, follow: Schema.Boolean }), success: FileStatus },
  /** unlink(2); a missing file is no error. */
  FileRemove: { payload: Schema.Struct({ path: Path }), success: Nothing },
  /** rm -rf that never follows a link nor crosses a mount; a missing tree is no error. */
  TreeRemove: { payload: Schema.Struct({ path: Path }), success: Nothing },
  /**
   * Copies the directory `from`, which a link may lead to, with all that belongs to a tree: names that share a file, owners,
   * modes, times, extended attributes, devices, holes. Contents are shared with the original where the file system can
   * (ioctl_ficlonerange(2)). `to` is made (EEXIST) and must not lie in `from` (EINVAL); what is mounted in `from` is an
   * empty directory in `to`.
   */
  TreeCopy: { payload: Schema.Struct({ from: Path, to: Path }), success: Nothing },
  /** A new btrfs subvolume, mode 0755; ENOTTY elsewhere. TreeRemove takes subvolumes away as it does directories. */
  SubvolumeMake: { payload: Schema.Struct({ path: Path }), success: Nothing },
  /**
   * `to` becomes a subvolume with all that the subvolume `from` has, at once whatever the size: subvolumes in it are empty
   * directories. ENOTTY when `from` is not on btrfs, EINVAL when it is no subvolume, EXDEV when `to` would be on another
   * file system.
   */
  SubvolumeSnapshot: { payload: Schema.Struct({ from: Path, to: Path }), success: Nothing },
  /**
   * syncfs(2): what was written to the file system of `path` until now is there after a loss of power. Takes as long as its
   * disk needs, and is not cut short by an interruption.
   */
  FilesystemSync: { payload: Schema.Struct({ path: Path }), success: Nothing },
  /** Bytes of the regular files below (each inode once). */
  TreeSize: { payload: Schema.Struct({ path: Path }), success: Schema.Int },
  /** flock(2), blocking and interruptible; the file is made when missing. The kernel lets go at our death. */
  LockAcquire: { payload: Schema.Struct({ path: Path, shared: Schema.Boolean }), success: Handle },
  /** flock(2) with LOCK_NB, exclusive: undefined when somebody else holds it. */
  LockTry: { payload: Schema.Struct({ path: Path }), success: Schema.UndefinedOr(Handle) },
  LockRelease: { payload: Schema.Struct({ handle: Handle }), success: Nothing },

  // Control groups
  /** mkdir(2) in a cgroup file system; an existing one is EEXIST. */
  CgroupMake: { payload: Schema.Struct({ directory: Path }), success: Nothing },
  CgroupEnsure: { payload: Schema.Struct({ directory: Path }), success: Nothing },
  CgroupWrite: { payload: Schema.Struct({ directory: Path, file: Schema.String, value: Schema.String }), success: Nothing },
  /** Each file's text; one that does not exist is left out. */
  CgroupRead: {
    payload: Schema.Struct({ directory: Path, files: Schema.Array(Schema.String) }),
    success: Schema.Record(Schema.String, Schema.String)
  },
  /** Pids in the directory and its children; none when it does not exist. */
  CgroupProcesses: { payload: Schema.Struct({ directory: Path }), success: Schema.Array(UInt) },
  /** Freezes or thaws and waits until it holds. `directory` of cgroup2 or of the v1 freezer. */
  CgroupFreeze: {
    payload: Schema.Struct({ directory: Path, version: CgroupVersion, frozen: Schema.Boolean }), success: Nothing
  },
  /** SIGKILL to all in the directory and its children, also when frozen, and waits until it is empty. ENOENT is no error. */
  CgroupKill: { payload: Schema.Struct({ directory: Path, version: CgroupVersion }), success: Nothing },
  /**
   * rmdir(2) of the directory and its children, waiting for dying processes; ENOENT is no error. `kill`: SIGKILL to
   * whoever is in it until it is gone, for somebody may join between a kill and a removal; else they are EBUSY.
   */
  CgroupRemove: { payload: Schema.Struct({ directory: Path, kill: Schema.optionalKey(CgroupVersion) }), success: Nothing },
  /** Loads a BPF_PROG_TYPE_CGROUP_DEVICE program (struct bpf_insn array) and attaches it in place of an earlier one. */
  CgroupDevices: { payload: Schema.Struct({ directory: Path, program: Schema.Uint8Array }), success: Nothing },

  // Processes
  /** Starts a supervisor with one client attached from the beginning; its frames follow on the channel. */
  SupervisorStart: {
    payload: Schema.Struct({
      spec: SupervisorSpec,
      /** attachFlags of the first client. */
      attach: UInt
    }),
    success: Schema.Struct({ channel: Handle, pid: UInt })
  },
  /** Connects to `directory/attach.sock`; ENOENT or ECONNREFUSED when no supervisor listens. */
  ChannelOpen: { payload: Schema.Struct({ directory: Path, attach: UInt }), success: Schema.Struct({ channel: Handle }) },
  /** The next whole frames (at least one), or none at the end of the channel. */
  ChannelRead: { payload: Schema.Struct({ channel: Handle }), success: Schema.Uint8Array },
  /** Whole frames; done when the kernel has taken them. EPIPE when the supervisor has gone. */
  ChannelWrite: { payload: Schema.Struct({ channel: Handle, frames: Schema.Uint8Array }), success: Nothing },
  ChannelClose: { payload: Schema.Struct({ channel: Handle }), success: Nothing },
  /** pidfd_send_signal(2) after the start time was compared; ESRCH when that process has gone, zombies too. Signal 0 only asks. */
  ProcessSignal: { payload: Schema.Struct({ process: ProcessIdentity, signal: UInt }), success: Nothing },

  // Root file systems
  /**
   * Reads small regular files inside a root (openat2 RESOLVE_IN_ROOT, no magic links); missing ones are left out. EINVAL
   * for what is none, and for those of proc.
   */
  RootRead: {
    payload: Schema.Struct({ root: RootSource, paths: Schema.Array(Schema.String), limit: UInt }),
    success: Schema.Record(Schema.String, Schema.String)
  },
  /** lstat(2) of a path inside a root; `follow` resolves the last component too (inside the root). */
  RootStat: {
    payload: Schema.Struct({ root: RootSource, path: Schema.String, follow: Schema.Boolean }), success: FileStatus
  },
  /** Opens a tar stream of `path` inside a root; entries are named from `name` on. `follow`: of what the last link points to. */
  ArchiveRead: {
    payload: Schema.Struct({ root: RootSource, path: Schema.String, name: Schema.String, follow: Schema.Boolean }),
    success: Schema.Struct({ archive: Handle })
  },
  /** Opens a tar sink that unpacks below the directory `path` inside a root; `owner` replaces the ids in the archive. */
  ArchiveWrite: {
    payload: Schema.Struct({
      root: RootSource, path: Schema.String,
      owner: Schema.optionalKey(Schema.Struct({ uid: UInt, gid: UInt })),
      /** Refuse to replace a directory by a non-directory and the other way round. */
      noOverwriteDirNonDir: Schema.Boolean
    }),
    success: Schema.Struct({ archive: Handle })
  },
  /** The next bytes of the tar stream, none at its end. */
  ArchivePull: { payload: Schema.Struct({ archive: Handle }), success: Schema.Uint8Array },
  /**
   * Gives the sink bytes of the tar stream, gzip or zstd allowed, which stay as they are until the next call ends: that may
   * tell what is wrong with them. `last` waits until all is on disk.
   */
  ArchivePush: {
    payload: Schema.Struct({ archive: Handle, data: Schema.Uint8Array, last: Schema.Boolean }), success: Nothing
  },
  ArchiveClose: { payload: Schema.Struct({ archive: Handle }), success: Nothing },

  // Layers and what they are made of
  /**
   * Opens a sink for a layer's archive, which ArchivePush fills. `overlay`: into the empty directory `path`, as a
   * lower one of overlayfs (ENOTEMPTY); `flat`: over a copy of the layers below. A push fails with EINVAL or EBADMSG and a
   * hint for what no layer may hold, maybe only the next one after it, the last at the latest.
   */
  LayerWrite: {
    payload: Schema.Struct({ path: Path, form: Schema.Literals(["overlay", "flat"]) }),
    success: Schema.Struct({ archive: Handle })
  },
  /**
   * After the last push of a layer: directories that it only implied get the facts that they have in `below` (the
   * directories of the layers below, top first; none with `flat`), and what it came to is told. `diffId`: sha256 of the
   * archive without its compression, `size`: its bytes.
   */
  LayerFinish: {
    payload: Schema.Struct({
      archive: Handle, below: Schema.Array(Path),
      /** What the diffID should be, where that is known: a plan, which unpacks nothing, answers with it. */
      expected: Schema.optionalKey(Schema.String)
    }),
    success: Schema.Struct({
      diffId: Schema.String,
      size: Schema.Int,
      /** Bytes of the regular files. */
      contents: Schema.Int,
      /** It hides all layers below: whoever mounts leaves these out. */
      opaque: Schema.Boolean
    })
  },
  /**
   * What a layer's archive in a file has as its diffID, whatever it is compressed with: nothing is unpacked. Fails as
   * ArchivePush does where it is damaged or expands to too much.
   */
  ArchiveDigest: {
    payload: Schema.Struct({
      path: Path,
      /** What the diffID should be: a plan, which has no such file, answers with it. */
      expected: Schema.String
    }),
    success: Schema.Struct({ diffId: Schema.String })
  },
  /**
   * All that is below `path` inside a root, with the attributes that layers have, as `domain/layer/TreeListing.ts` says.
   * EFBIG beyond `limit` bytes.
   */
  TreeList: {
    payload: Schema.Struct({ root: RootSource, path: Schema.String, limit: UInt }), success: Schema.Uint8Array
  },
  /**
   * Of some paths in a root what is there, and of those with `list` what is in them, one level, in the same form. No link
   * is followed; what is missing is left out.
   */
  TreeLook: {
    payload: Schema.Struct({
      root: RootSource, paths: Schema.Array(Schema.Struct({ path: Schema.String, list: Schema.Boolean })), limit: UInt
    }),
    success: Schema.Uint8Array
  },
  /**
   * Pieces of regular files inside a root, one after the other in one array of at most 16 MiB (EINVAL). No link is
   * followed (ELOOP). EIO when a file has fewer bytes than were asked for.
   */
  FilesRead: {
    payload: Schema.Struct({
      root: RootSource,
      pieces: Schema.Array(Schema.Struct({ path: Schema.String, offset: Schema.Int, length: UInt }))
    }),
    success: Schema.Uint8Array
  },

  // Blobs
  /** Opens the file to be added to, with what an earlier writer has left in it: `size` bytes, already hashed. */
  BlobOpen: {
    payload: Schema.Struct({ path: Path, algorithm: Schema.Literals(["sha256", "sha512"]) }),
    success: Schema.Struct({ blob: Handle, size: Schema.Int })
  },
  BlobAppend: { payload: Schema.Struct({ blob: Handle, data: Schema.Uint8Array }), success: Nothing },
  /** Makes it empty again: what an earlier writer left was of no use. */
  BlobTruncate: { payload: Schema.Struct({ blob: Handle }), success: Nothing },
  /**
   * Gives the blob its place: `directory/ALGORITHM/DIGITS` of what it holds, whose directory exists, once it is on disk.
   * EBADMSG when `digest` is given and is another: the file is removed then. The handle is closed, however it ends.
   */
  BlobCommit: {
    payload: Schema.Struct({ blob: Handle, directory: Path, digest: Schema.optionalKey(Schema.String) }),
    success: Schema.Struct({ digest: Schema.String, size: Schema.Int })
  },
  /** Without a commit: what was added stays for the next writer. */
  BlobClose: { payload: Schema.Struct({ blob: Handle }), success: Nothing },

  // Records
  /** Compare-and-set: `revision` is the one read, 0 for a new row. ESTALE when it moved on, EEXIST when the name is taken. */
  RecordPut: {
    payload: Schema.Struct({
      collection: Collection, key: Schema.String, revision: UInt, name: Schema.String, value: Schema.String
    }),
    success: Nothing
  },
  RecordDelete: { payload: Schema.Struct({ collection: Collection, key: Schema.String }), success: Nothing },
  RecordGet: {
    payload: Schema.Struct({ collection: Collection, key: Schema.String }), success: Schema.optional(RecordRow)
  },
  RecordList: { payload: Schema.Struct({ collection: Collection }), success: Schema.Array(RecordRow) }
} as const

type Ops = typeof KernelOps
export type KernelTag = keyof Ops
export type Payload<T extends KernelTag> = Ops[T]["payload"]["Type"]
export type Success<T extends KernelTag> = Ops[T]["success"]["Type"]
export type KernelOp = { [T in KernelTag]: { readonly tag: T; readonly payload: Payload<T> } }[KernelTag]

export const op = <T extends KernelTag>(tag: T, payload: Payload<T>) => ({ tag, payload }) as Extract<KernelOp, { tag: T }>

/** Operations that only look: `--plan` performs these and prints the others. */
export const reads: ReadonlySet<KernelTag> = new Set<KernelTag>([
  "HostRead", "DirList", "FileRead", "FileReadRange", "FileAwait", "FileStat", "TreeSize", "LockAcquire", "LockTry",
  "LockRelease", "CgroupRead", "CgroupProcesses", "ChannelOpen", "ChannelRead", "ChannelClose", "RootRead", "RootStat", "ArchiveRead",
  "TreeList", "TreeLook", "FilesRead", "ArchivePull", "ArchiveDigest", "ArchiveClose", "RecordGet", "RecordList"
])

/**
 * The operation that takes one back, from its payload alone, so that it works when the result was never
 * seen. Total and idempotent: the thing may be there, half there or gone.
 */
export const undo = (done: KernelOp): KernelOp | undefined => {
  switch (done.tag) {
    case "DirMake":
    case "SubvolumeMake":
      return op("TreeRemove", { path: done.payload.path })
    case "TreeCopy":
    case "SubvolumeSnapshot":
      return op("TreeRemove", { path: done.payload.to })
    case "FileWrite":
      return op("FileRemove", { path: done.payload.path })
    case "CgroupMake":
      return op("CgroupRemove", { directory: done.payload.directory })
    case "SupervisorStart": {
      const { cgroup, killProcs } = done.payload.spec
      if (cgroup !== "") return op("CgroupKill", { directory: cgroup, version: 2 })
      const directory = killProcs[0]?.replace(/\/[^/]*$/, "")
      return directory === undefined ? undefined : op("CgroupKill", { directory, version: 1 })
    }
    case "RecordPut":
      return done.payload.revision === 0
        ? op("RecordDelete", { collection: done.payload.collection, key: done.payload.key })
        : undefined
    default:
      return undefined
  }
}
