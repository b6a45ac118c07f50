/**
 * The state of a simulated Linux host: files, mounts, namespaces, control groups, processes, locks
 * and records, as immutable data. Everything a run depends on is here, so a world kept and stepped
 * again gives the same run. Times are microseconds since the epoch, sizes bytes.
 */
import type { NamespaceKind, RlimitName } from "../../domain/kernel/InitOp.ts"
import type { Algorithm } from "../../domain/image/Digest.ts"
import type { Collection, RecordRow } from "../../domain/kernel/KernelOp.ts"
import type { LayerUnpack } from "./archives/layer.ts"
import type { Unpack } from "./archives/unpack.ts"
import type { Cgroup, Hierarchy } from "./cgroups/Cgroup.ts"
import type { Filesystem, Inode, Node, Place } from "./files/Inode.ts"
import type { HostProfile } from "./HostProfile.ts"
import type { Mount } from "./mounts/Mount.ts"
import type { Namespace } from "./processes/Namespace.ts"
import type { Process, Timer } from "./processes/Process.ts"
import type { Sorted } from "./Sorted.ts"
import type { Table } from "./Table.ts"

export type { Cgroup, Hierarchy } from "./cgroups/Cgroup.ts"
export type {
  Content, Filesystem, FilesystemContent, Inode, LayerRoot, Node, Place
} from "./files/Inode.ts"
export type { Mount, MountFlags } from "./mounts/Mount.ts"
export type { IdRange, Namespace, NamespaceOf } from "./processes/Namespace.ts"

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
  /** When the client last took something while the supervisor waited for that; 0: it never did. */
  readonly progress: number
  /** Whole frames for the supervisor, and their bytes. */
  readonly incoming: ReadonlyArray<Uint8Array>
  readonly incomingSize: number
  readonly clientGone: boolean
  readonly supervisorGone: boolean
}

export type Handle =
  & { readonly id: number; readonly owner: number }
  & (
    | {
      readonly _tag: "Lock"
      readonly filesystem: number
      readonly node: Node
      readonly shared: boolean
      readonly path: string
    }
    | { readonly _tag: "Channel"; readonly channel: number }
    | { readonly _tag: "ArchiveRead"; readonly data: Uint8Array; readonly offset: number }
    | { readonly _tag: "LayerWrite"; readonly layer: LayerUnpack }
    /** `content`: what was there when it was opened, and what was added: the file while nobody else writes it. */
    | {
      readonly _tag: "Blob"
      readonly path: string
      readonly place: Place
      readonly algorithm: Algorithm
      readonly content: Uint8Array
    }
    /**
     * `work`: the overlay's work directory, whose mark of a volatile mount goes with it; "" for
     * none.
     */
    | {
      readonly _tag: "ArchiveWrite"
      readonly unpack: Unpack
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

/**
 * A command that a supervisor ended in (`onExit`): the world only remembers that it was asked for.
 */
export interface RequestedCommand {
  readonly argv: ReadonlyArray<string>
  readonly at: number
  /** Host pid of the supervisor that became it. */
  readonly pid: number
}

/**
 * An InitOp that is to fail: by tag, or by index in the program, the `occurrence`-th time from now
 * (0: next).
 */
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
