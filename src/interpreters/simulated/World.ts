/**
 * The state of a simulated Linux host: files, mounts, namespaces, control groups, processes, locks and
 * records, as immutable data. Everything a run depends on is here, so a world kept and stepped again
 * gives the same run. Times are microseconds since the epoch, sizes bytes.
 */
import type { NamespaceKind, RlimitName } from "../../domain/kernel/InitOp.ts"
import type { Collection, RecordRow } from "../../domain/kernel/KernelOp.ts"
import type { Unpack } from "./archives/unpack.ts"
import type { HostProfile } from "./HostProfile.ts"
import type { Process, Timer } from "./processes/Process.ts"
import type { Sorted } from "./Sorted.ts"
import type { Table } from "./Table.ts"

/** An inode number in a tree; a path ("" the root) in file systems whose nodes are computed. */
export type Node = number | string

/** Where a path leads: what is mounted there and the node in it. */
export interface Place {
  readonly mount: number
  readonly node: Node
}

/** Text where it came as text. */
export type Content = string | Uint8Array

interface InodeCommon {
  /** Permission, set-id and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  readonly modified: number
  /** A directory that has it: the one it was made in or moved to. */
  readonly parent: number
  readonly xattrs?: { readonly [name: string]: string }
}

export type Inode = InodeCommon & (
  | { readonly type: "file"; readonly content: Content; readonly size: number }
  | { readonly type: "directory"; readonly entries: Sorted<number> }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "block" | "character"; readonly major: number; readonly minor: number }
  | { readonly type: "fifo" }
  /** `listener`: the process that accepts connections, 0 when it has gone. */
  | { readonly type: "socket"; readonly listener: number }
)

/** A directory of an overlay's layer. */
export interface LayerRoot {
  readonly filesystem: number
  readonly node: Node
}

export type FilesystemContent =
  /** Inodes of the world's table. `limit`: bytes, 0 for none (tmpfs size=). */
  | { readonly _tag: "Tree"; readonly limit: number; readonly used: number }
  /** `upper` absent: read-only. `idmap`: user namespace that ids on disk are of; 0: the host's. */
  | {
    readonly _tag: "Overlay"; readonly lower: ReadonlyArray<LayerRoot>; readonly upper?: LayerRoot
    readonly idmap: number
  }
  | { readonly _tag: "Proc"; readonly pidNamespace: number }
  | { readonly _tag: "Cgroup"; readonly hierarchy: number }
  /** nsfs: the node is the namespace's number. */
  | { readonly _tag: "Namespaces" }

export interface Filesystem {
  readonly id: number
  readonly type: string
  readonly source: string
  /** Super block options as mountinfo shows them, without `rw`. */
  readonly options: string
  /** Device `major:minor` of mountinfo. */
  readonly device: string
  readonly readOnly: boolean
  readonly root: Node
  /** Mounts and overlays that use it; freed at 0. */
  readonly references: number
  readonly content: FilesystemContent
}

export interface MountFlags {
  readonly ro: boolean
  readonly nosuid: boolean
  readonly nodev: boolean
  readonly noexec: boolean
  readonly nosymfollow: boolean
  readonly nodiratime: boolean
  readonly time: "relatime" | "noatime" | "strictatime"
}

export interface Mount {
  readonly id: number
  /** Mount namespace, 0 for a detached tree. */
  readonly namespace: number
  /** The mount it stands on, 0 for the root of a namespace or of a detached tree. */
  readonly parent: number
  /** Node of the parent that it covers. */
  readonly at: Node
  readonly filesystem: number
  /** Node of the file system that shows at the mount point. */
  readonly root: Node
  /** What was named as its source; "": the file system's own. */
  readonly source: string
  readonly flags: MountFlags
  /** Peer group that it shares events with; 0: private. */
  readonly peers: number
  /** Peer group that it receives events from; 0: none. */
  readonly master: number
  readonly unbindable: boolean
  readonly children: ReadonlyArray<number>
}

export interface IdRange {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

export type Namespace = {
  readonly id: number
  /** User namespace that owns it. */
  readonly owner: number
  /** Processes in it, namespaces below it, mounts of it; freed at 0. */
  readonly references: number
} & (
  | { readonly kind: "mnt"; readonly root: number }
  /** `init`: its pid 1 by host pid, 0 before; `dead` once that has gone. */
  | { readonly kind: "pid"; readonly parent: number; readonly init: number; readonly dead: boolean; readonly next: number }
  | { readonly kind: "uts"; readonly hostname: string; readonly domainname: string }
  | {
    readonly kind: "user"; readonly parent: number; readonly creator: number
    readonly uidMap: ReadonlyArray<IdRange>; readonly gidMap: ReadonlyArray<IdRange>
  }
  | { readonly kind: "net"; readonly loopback: boolean; readonly sysctls: { readonly [key: string]: string } }
  | { readonly kind: "ipc"; readonly sysctls: { readonly [key: string]: string } }
  /** Cgroup seen as the root, by hierarchy index. */
  | { readonly kind: "cgroup"; readonly roots: ReadonlyArray<number> }
  /** Offsets in nanoseconds. */
  | { readonly kind: "time"; readonly monotonic: number; readonly boottime: number }
)
export type NamespaceOf<K extends NamespaceKind> = Extract<Namespace, { readonly kind: K }>

export interface Hierarchy {
  readonly version: 1 | 2
  /** Of a named v1 hierarchy without controllers, e.g. `systemd`. */
  readonly name: string
  readonly controllers: ReadonlyArray<string>
  readonly root: number
}

export interface Cgroup {
  readonly id: number
  /** Index into `hierarchies`. */
  readonly hierarchy: number
  readonly parent: number
  readonly name: string
  readonly children: Sorted<number>
  /** Controllers handed on to children (v2). */
  readonly subtree: ReadonlyArray<string>
  /** Values written, by file name; the others have the kernel's defaults. */
  readonly values: { readonly [file: string]: string }
  /** Live processes in this very cgroup. */
  readonly processes: ReadonlyArray<number>
  /** Of this and all below: live processes, charged pids, bytes. */
  readonly population: number
  readonly tasks: number
  readonly memory: number
  readonly memoryPeak: number
  readonly tasksPeak: number
  readonly frozen: boolean
  /** Microseconds used by processes here, and by cgroups below that were removed. */
  readonly cpu: number
  /** Counters of pids.events, memory.events and their v1 likes, by `file/key`. */
  readonly events: { readonly [counter: string]: number }
  /** Instructions of an attached device program, bytes; 0: none. */
  readonly devices: number
}

export interface Pipe {
  readonly id: number
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly size: number
  readonly readers: number
  readonly writers: number
  /** Processes that are woken by a change. */
  readonly watchers: ReadonlyArray<number>
}

export interface Terminal {
  readonly id: number
  readonly rows: number
  readonly columns: number
  /** What is typed and not yet given to the reader: the line being edited. */
  readonly line: string
  /** Whole lines for the reader; an empty chunk is an end of file. */
  readonly input: ReadonlyArray<Uint8Array>
  /** What the master has not read. */
  readonly output: ReadonlyArray<Uint8Array>
  /** Leader of the session whose controlling terminal it is. */
  readonly session: number
  /** Holders of the slave. */
  readonly slaves: number
  readonly watchers: ReadonlyArray<number>
}

/** A connection between a client and a supervisor. */
export interface Channel {
  readonly id: number
  readonly supervisor: number
  /** attachFlags of the client. */
  readonly flags: number
  /** The supervisor has taken the connection. */
  readonly accepted: boolean
  /** Whole frames for the client, and their bytes. */
  readonly outgoing: ReadonlyArray<Uint8Array>
  readonly outgoingSize: number
  /** Whole frames for the supervisor, and their bytes. */
  readonly incoming: ReadonlyArray<Uint8Array>
  readonly incomingSize: number
  readonly clientGone: boolean
  readonly supervisorGone: boolean
}

export type Handle = { readonly id: number; readonly owner: number } & (
  | { readonly _tag: "Lock"; readonly filesystem: number; readonly node: Node; readonly shared: boolean; readonly path: string }
  | { readonly _tag: "Channel"; readonly channel: number }
  | { readonly _tag: "ArchiveRead"; readonly data: Uint8Array; readonly offset: number }
  /** `work`: the overlay's work directory, whose mark of a volatile mount goes with it; "" for none. */
  | {
    readonly _tag: "ArchiveWrite"; readonly unpack: Unpack
    /** A detached mount made for it, 0: none. */
    readonly ownMount: number
    readonly work: string
  }
)

export interface Records {
  readonly rows: Sorted<RecordRow>
  /** Key by name; rows named "" are not in it. */
  readonly names: Sorted<string>
}

/** A command that a supervisor ended in (`onExit`): the world only remembers that it was asked for. */
export interface RequestedCommand {
  readonly argv: ReadonlyArray<string>
  readonly at: number
  /** Host pid of the supervisor that became it. */
  readonly pid: number
}

/** An InitOp that is to fail: by tag, or by index in the program, the `occurrence`-th time from now (0: next). */
export interface InitFault {
  readonly operation: string | number
  readonly occurrence: number
  readonly errno: string
}

export interface Limit {
  readonly soft: number | "unlimited"
  readonly hard: number | "unlimited"
}
export type Limits = { readonly [K in RlimitName]?: Limit }

export interface World {
  readonly host: HostProfile
  readonly now: number
  readonly bootedAt: number
  /** State of the generator that draws latencies and orders. */
  readonly random: number
  /** The next number for mounts, file systems, namespaces, pipes, channels and handles. */
  readonly nextId: number
  readonly nextInode: number
  /** Minor number of the next anonymous device. */
  readonly nextDevice: number
  readonly inodes: Table<Inode>
  readonly filesystems: Table<Filesystem>
  readonly mounts: Table<Mount>
  readonly namespaces: Table<Namespace>
  /** Index 0 is the unified hierarchy where there is one. */
  readonly hierarchies: ReadonlyArray<Hierarchy>
  readonly cgroups: Table<Cgroup>
  readonly processes: Table<Process>
  readonly timers: ReadonlyArray<Timer>
  readonly pipes: Table<Pipe>
  readonly terminals: Table<Terminal>
  readonly channels: Table<Channel>
  readonly handles: Table<Handle>
  readonly records: { readonly [C in Collection]: Records }
  readonly sysctls: { readonly [key: string]: string }
  readonly commands: ReadonlyArray<RequestedCommand>
  readonly initFaults: ReadonlyArray<InitFault>
  /** Namespaces of the host's own processes. */
  readonly initial: InitialNamespaces
  /** The kernel's own mount of nsfs, to which /proc/PID/ns links lead. */
  readonly namespaceMount: number
}

export type InitialNamespaces = { readonly [K in NamespaceKind]: number }
