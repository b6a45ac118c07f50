/**
 * File systems that hold what is put into them: ext4 of the host, tmpfs, devtmpfs, sysfs as far as
 * it is only looked at. Inodes live in one table of the world.
 */
import { type Draft, fail } from "../Draft.ts"
import * as Sorted from "../Sorted.ts"
import type { Filesystem, Inode, Node } from "../World.ts"
import { type Attributes, type Driver, type NewNode, sizeOf } from "./Driver.ts"

type Directory = Extract<Inode, { readonly type: "directory" }>

/** A page: what tmpfs charges at least for a file (Documentation/filesystems/tmpfs.rst). */
const pageSize = 4096

const inodeOf = (draft: Draft, node: Node): Inode =>
  draft.inodes.get(node as number) ?? fail("ENOENT")

const directoryOf = (draft: Draft, node: Node): Directory => {
  const inode = inodeOf(draft, node)
  return inode.type === "directory" ? inode : fail("ENOTDIR")
}

const store = (draft: Draft, node: Node, inode: Inode): void => {
  draft.inodes = draft.inodes.set(node as number, inode)
}

const pages = (size: number): number => Math.ceil(size / pageSize) * pageSize

/** Charges a tmpfs with a limit; ENOSPC beyond. */
const charge = (draft: Draft, filesystem: Filesystem, before: number, after: number): void => {
  const { content } = filesystem
  if (content._tag !== "Tree" || content.limit === 0) return
  const live = draft.filesystems.get(filesystem.id) ?? filesystem
  const used = (live.content as typeof content).used + pages(after) - pages(before)
  if (used > content.limit && after > before) fail("ENOSPC")
  draft.filesystems = draft.filesystems.set(filesystem.id, {
    ...live,
    content: { ...content, used }
  })
}

const attributesOf = (inode: Inode): Attributes => {
  const { type, mode, uid, gid, links, modified } = inode
  const device = type === "block" || type === "character"
  return {
    type,
    mode,
    uid,
    gid,
    links,
    modified,
    size: type === "file"
      ? inode.size
      : type === "symlink"
      ? inode.target.length
      : type === "directory"
      ? pageSize
      : 0,
    major: device ? inode.major : 0,
    minor: device ? inode.minor : 0,
    ...(type === "symlink" ? { target: inode.target } : {})
  }
}

const inodeFrom = (draft: Draft, made: NewNode, parent: number): Inode => {
  const { mode, uid, gid } = made
  const common = {
    mode,
    uid,
    gid,
    links: made.type === "directory" ? 2 : 1,
    modified: draft.now,
    parent
  }
  switch (made.type) {
    case "file":
      return { ...common, type: "file", content: made.content, size: sizeOf(made.content) }
    case "directory":
      return { ...common, type: "directory", entries: Sorted.empty() }
    case "symlink":
      return { ...common, type: "symlink", target: made.target }
    case "block":
    case "character":
      return { ...common, type: made.type, major: made.major, minor: made.minor }
    case "fifo":
      return { ...common, type: "fifo" }
    case "socket":
      return { ...common, type: "socket", listener: made.listener }
  }
}

/** Enters `node` under `name`; a directory brings a link for its `..`. */
const enter = (
  draft: Draft,
  directory: Node,
  name: string,
  node: number,
  isDirectory: boolean
): void => {
  const into = directoryOf(draft, directory)
  store(draft, directory, {
    ...into,
    entries: Sorted.set(into.entries, name, node),
    modified: draft.now,
    links: isDirectory ? into.links + 1 : into.links
  })
}

const leave = (draft: Draft, directory: Node, name: string, isDirectory: boolean): void => {
  const from = directoryOf(draft, directory)
  store(draft, directory, {
    ...from,
    entries: Sorted.remove(from.entries, name),
    modified: draft.now,
    links: isDirectory ? from.links - 1 : from.links
  })
}

/** An inode that has no place yet, or never will: the root of a new file system. */
export const newInode = (draft: Draft, made: NewNode, parent: number): number => {
  const node = draft.nextInode++
  draft.inodes = draft.inodes.set(node, inodeFrom(draft, made, parent === 0 ? node : parent))
  return node
}

/** A directory that has the node, and its name there; none for a root and for what was removed. */
export const entryOf = (
  draft: Draft,
  filesystem: Filesystem,
  node: number
): { readonly directory: number; readonly name: string } | undefined => {
  const nameIn = (directory: number): string | undefined => {
    const inode = draft.inodes.get(directory)
    const position = inode?.type === "directory" ? inode.entries.values.indexOf(node) : -1
    return position < 0 || inode?.type !== "directory" ? undefined : inode.entries.keys[position]
  }
  const inode = draft.inodes.get(node)
  if (inode === undefined || node === filesystem.root) return undefined
  const name = nameIn(inode.parent)
  if (name !== undefined) return { directory: inode.parent, name }
  // The link it was made under has gone: another one is somewhere
  const search = (directory: number): { directory: number; name: string } | undefined => {
    const found = nameIn(directory)
    if (found !== undefined) return { directory, name: found }
    const at = draft.inodes.get(directory)
    if (at?.type !== "directory") return undefined
    for (const child of at.entries.values) {
      const below = search(child)
      if (below !== undefined) return below
    }
    return undefined
  }
  return search(filesystem.root as number)
}

/** Forgets a whole tree: what a tmpfs does when its last mount goes. */
export const forgetTree = (draft: Draft, node: number): void => {
  const inode = draft.inodes.get(node)
  if (inode === undefined) return
  if (inode.type === "directory") {
    for (const child of inode.entries.values) forgetTree(draft, child)
  }
  draft.inodes = draft.inodes.remove(node)
}

export const treeDriver: Driver = {
  lookup: (draft, _filesystem, directory, name) =>
    Sorted.get(directoryOf(draft, directory).entries, name),
  parent: (draft, _filesystem, directory) => directoryOf(draft, directory).parent,
  attributes: (draft, _filesystem, node) => attributesOf(inodeOf(draft, node)),
  list: (draft, _filesystem, directory) => directoryOf(draft, directory).entries.keys,
  read: (draft, _filesystem, node) => {
    const inode = inodeOf(draft, node)
    return inode.type === "file"
      ? inode.content
      : fail(inode.type === "directory" ? "EISDIR" : "EINVAL")
  },
  write: (draft, filesystem, node, content) => {
    const inode = inodeOf(draft, node)
    if (inode.type !== "file") return fail(inode.type === "directory" ? "EISDIR" : "EINVAL")
    const size = sizeOf(content)
    charge(draft, filesystem, inode.size, size)
    store(draft, node, { ...inode, content, size, modified: draft.now })
  },
  create: (draft, filesystem, directory, name, made) => {
    if (made.type === "file") charge(draft, filesystem, 0, sizeOf(made.content))
    const node = newInode(draft, made, directory as number)
    enter(draft, directory, name, node, made.type === "directory")
    return node
  },
  link: (draft, _filesystem, directory, name, node) => {
    const inode = inodeOf(draft, node)
    store(draft, node, { ...inode, links: inode.links + 1 })
    enter(draft, directory, name, node as number, false)
  },
  remove: (draft, filesystem, directory, name) => {
    const node = Sorted.get(directoryOf(draft, directory).entries, name) ?? fail("ENOENT")
    const inode = inodeOf(draft, node)
    if (inode.type === "directory" && inode.entries.keys.length > 0) fail("ENOTEMPTY")
    leave(draft, directory, name, inode.type === "directory")
    if (inode.type === "directory" || inode.links === 1) {
      if (inode.type === "file") charge(draft, filesystem, inode.size, 0)
      draft.inodes = draft.inodes.remove(node)
    } else store(draft, node, { ...inode, links: inode.links - 1 })
  },
  rename: (draft, filesystem, from, name, to, newName) => {
    const node = Sorted.get(directoryOf(draft, from).entries, name) ?? fail("ENOENT")
    const replaced = Sorted.get(directoryOf(draft, to).entries, newName)
    if (replaced === node) return
    if (replaced !== undefined) treeDriver.remove(draft, filesystem, to, newName)
    const inode = inodeOf(draft, node)
    leave(draft, from, name, inode.type === "directory")
    enter(draft, to, newName, node, inode.type === "directory")
    store(draft, node, { ...inode, parent: to as number })
  },
  change: (draft, _filesystem, node, change) =>
    store(draft, node, { ...inodeOf(draft, node), ...change }),
  readAttribute: (draft, _filesystem, node, name) => inodeOf(draft, node).xattrs?.[name],
  writeAttribute: (draft, _filesystem, node, name, value) => {
    const inode = inodeOf(draft, node)
    store(draft, node, { ...inode, xattrs: { ...inode.xattrs, [name]: value } })
  },
  listAttributes: (draft, _filesystem, node) => Object.keys(inodeOf(draft, node).xattrs ?? {})
}
