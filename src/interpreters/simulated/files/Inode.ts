/** Files as the world holds them: inodes, file systems, and the places that paths lead to. */
import type { Sorted } from "../Sorted.ts"

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

export type Inode =
  & InodeCommon
  & (
    /** `unsynced`: only in memory so far. */
    | { readonly type: "file"; readonly content: Content; readonly size: number; readonly unsynced?: true }
    /** `subvolume`: of btrfs. */
    | { readonly type: "directory"; readonly entries: Sorted<number>; readonly subvolume?: true }
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
    readonly _tag: "Overlay"
    readonly lower: ReadonlyArray<LayerRoot>
    readonly upper?: LayerRoot
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
