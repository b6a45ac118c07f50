/**
 * Trees of mounts: made, cloned, attached and dropped. Who else sees a change (shared subtrees) is
 * the business of `propagation.ts`.
 */
import type { MountAttribute } from "../../../domain/kernel/InitOp.ts"
import { type Draft, fail, takeId } from "../Draft.ts"
import { entryOf, forgetTree } from "../files/treeDriver.ts"
import type { FilesystemContent, Mount, MountFlags, Node } from "../World.ts"

export const noFlags: MountFlags = {
  ro: false, nosuid: false, nodev: false, noexec: false, nosymfollow: false, nodiratime: false,
  time: "relatime"
}

/** `before` with the attributes set (mount_setattr(2) never clears but the kind of access time). */
export const withAttributes = (
  before: MountFlags,
  attributes: ReadonlyArray<MountAttribute>
): MountFlags => {
  let flags = before
  for (const one of attributes) {
    if (one === "recursive") continue
    flags = one === "relatime" || one === "noatime" || one === "strictatime"
      ? { ...flags, time: one }
      : { ...flags, [one]: true }
  }
  return flags
}

export const mountAt = (draft: Draft, id: number): Mount => draft.mounts.get(id) ?? fail("EINVAL")

export const alterMount = (draft: Draft, id: number, change: Partial<Mount>): void => {
  draft.mounts = draft.mounts.set(id, { ...mountAt(draft, id), ...change })
}

/** The mount and all on it, it first. */
export const treeOf = (draft: Draft, id: number): ReadonlyArray<number> => {
  const all = [id]
  for (let at = 0; at < all.length; at++) all.push(...mountAt(draft, all[at]!).children)
  return all
}

export interface NewFilesystem {
  readonly type: string
  readonly source: string
  readonly options: string
  readonly root: Node
  readonly content: FilesystemContent
  readonly readOnly?: boolean
  /** `major:minor`; an anonymous device when absent. */
  readonly device?: string
}

const refer = (draft: Draft, id: number): void => {
  const filesystem = draft.filesystems.get(id) ?? fail("EIO")
  draft.filesystems = draft.filesystems.set(id, {
    ...filesystem,
    references: filesystem.references + 1
  })
}

/** A file system without references yet; an overlay refers to those of its layers. */
export const makeFilesystem = (draft: Draft, made: NewFilesystem): number => {
  const id = takeId(draft)
  const device = made.device ?? `0:${draft.nextDevice++}`
  draft.filesystems = draft.filesystems.set(id, {
    id,
    type: made.type,
    source: made.source,
    options: made.options,
    device,
    readOnly: made.readOnly ?? false,
    root: made.root,
    references: 0,
    content: made.content
  })
  if (made.content._tag === "Overlay") {
    for (const layer of made.content.lower) refer(draft, layer.filesystem)
    if (made.content.upper !== undefined) refer(draft, made.content.upper.filesystem)
  }
  return id
}

/** Gives a reference back; the last one frees what the file system held in memory. */
export const release = (draft: Draft, id: number): void => {
  const filesystem = draft.filesystems.get(id)
  if (filesystem === undefined) return
  if (filesystem.references > 1) {
    draft.filesystems = draft.filesystems.set(id, {
      ...filesystem,
      references: filesystem.references - 1
    })
    return
  }
  draft.filesystems = draft.filesystems.remove(id)
  const { content } = filesystem
  if (content._tag === "Tree") forgetTree(draft, filesystem.root as number)
  if (content._tag === "Overlay") {
    for (const layer of content.lower) release(draft, layer.filesystem)
    if (content.upper !== undefined) release(draft, content.upper.filesystem)
  }
}

/** A detached mount. */
export const makeMount = (
  draft: Draft,
  filesystem: number,
  root: Node,
  flags: MountFlags,
  source = ""
): number => {
  const id = takeId(draft)
  refer(draft, filesystem)
  draft.mounts = draft.mounts.set(id, {
    id,
    namespace: 0,
    parent: 0,
    at: "",
    filesystem,
    root,
    source,
    flags,
    peers: 0,
    master: 0,
    unbindable: false,
    children: []
  })
  return id
}

/** Mounts a tree on a node of a mount, for this mount alone. */
export const graft = (draft: Draft, tree: number, parent: number, at: Node): void => {
  const { namespace, children } = mountAt(draft, parent)
  alterMount(draft, tree, { parent, at })
  for (const one of treeOf(draft, tree)) alterMount(draft, one, { namespace })
  alterMount(draft, parent, { children: [...children, tree] })
}

/** Takes a tree off its mount point, for this mount alone; it is detached then. */
export const lift = (draft: Draft, tree: number): void => {
  const { parent } = mountAt(draft, tree)
  if (parent !== 0) {
    alterMount(draft, parent, {
      children: mountAt(draft, parent).children.filter((child) => child !== tree)
    })
  }
  alterMount(draft, tree, { parent: 0, at: "" })
  for (const one of treeOf(draft, tree)) alterMount(draft, one, { namespace: 0 })
}

/** Frees a detached tree. */
export const drop = (draft: Draft, tree: number): void => {
  for (const one of [...treeOf(draft, tree)].reverse()) {
    const { filesystem } = mountAt(draft, one)
    draft.mounts = draft.mounts.remove(one)
    release(draft, filesystem)
  }
}

export interface Cloning {
  readonly recursive: boolean
  /** Node that shows at the clone's root; that of the mount when absent. */
  readonly root?: Node
  /**
   * Clones become slaves of what they were peers of (a mount namespace of another user namespace).
   */
  readonly slaves?: boolean
  /** Unbindable mounts are left out. */
  readonly bind: boolean
  /** Told of every mount that was cloned. */
  readonly onClone?: (original: number, clone: number) => void
}

/**
 * A detached copy of a mount, with what stands on it when `recursive`; clones of shared mounts are
 * peers.
 */
export const cloneTree = (draft: Draft, id: number, cloning: Cloning): number => {
  const original = mountAt(draft, id)
  const clone = makeMount(
    draft,
    original.filesystem,
    cloning.root ?? original.root,
    original.flags,
    original.source
  )
  const { peers, master } = original
  alterMount(
    draft,
    clone,
    cloning.slaves === true
      ? { peers: 0, master: peers === 0 ? master : peers, unbindable: original.unbindable }
      : { peers, master, unbindable: !cloning.bind && original.unbindable }
  )
  cloning.onClone?.(id, clone)
  if (!cloning.recursive) return clone
  for (const child of original.children) {
    const { at, unbindable } = mountAt(draft, child)
    if (cloning.bind && unbindable) continue
    if (cloning.root !== undefined && !isWithin(draft, original.filesystem, at, cloning.root)) {
      continue
    }
    const { root: _root, ...rest } = cloning
    graft(draft, cloneTree(draft, child, rest), clone, at)
  }
  return clone
}

/** Whether a node lies at or below another of the same file system. */
export const isWithin = (draft: Draft, filesystem: number, node: Node, top: Node): boolean => {
  if (node === top) return true
  if (typeof node === "string") return node.startsWith(`${top}/`)
  const owner = draft.filesystems.get(filesystem) ?? fail("EIO")
  const entry = entryOf(draft, owner, node)
  return entry !== undefined && isWithin(draft, filesystem, entry.directory, top)
}
