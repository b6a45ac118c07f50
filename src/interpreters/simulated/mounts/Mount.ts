/** A mount: which file system shows where, how, and who shares what happens there. */
import type { Node } from "../files/Inode.ts"

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
