/** A tree of the domain put into a directory of the world, in the place of all that is there. */
import { layerXattrs } from "../../../domain/layer/layerXattrs.ts"
import type { DirectoryEntry, FileEntry, Tree, TreeEntry } from "../../../domain/layer/Tree.ts"
import type { Draft } from "../Draft.ts"
import { filesystemOf } from "../files/access.ts"
import type { Driver, NewNode } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import type { Filesystem, Node, Place } from "../World.ts"

interface Target {
  readonly draft: Draft
  readonly filesystem: Filesystem
  readonly driver: Driver
  /** Nodes of files with several names. */
  readonly links: Map<string, Node>
}

const targetOf = (draft: Draft, place: Place): Target => {
  const filesystem = filesystemOf(draft, place)
  return { draft, filesystem, driver: driverOf(filesystem), links: new Map() }
}

const removeAll = (target: Target, directory: Node): void => {
  const { draft, driver, filesystem } = target
  for (const name of driver.list(draft, filesystem, directory)) {
    const node = driver.lookup(draft, filesystem, directory, name)!
    if (driver.attributes(draft, filesystem, node).type === "directory") removeAll(target, node)
    driver.remove(draft, filesystem, directory, name)
  }
}

const newNode = ({ devmajor, devminor, gid, mode, target, type, uid, ...entry }: FileEntry): NewNode => {
  const common = { mode, uid, gid }
  switch (type) {
    case "symlink":
      return { ...common, type, target }
    case "char":
      return { ...common, type: "character", major: devmajor, minor: devminor }
    case "block":
      return { ...common, type, major: devmajor, minor: devminor }
    case "fifo":
      return { ...common, type }
    case "socket":
      return { ...common, type, listener: 0 }
    case "file":
      return { ...common, type, content: contentOf(entry.content ?? "") }
  }
}

/** Plain ASCII is kept as text: worlds are then easier to read, and smaller as JSON. */
const contentOf = (content: string): string | Uint8Array =>
  // eslint-disable-next-line no-control-regex
  content.length < 65_536 && /^[\u0001-\u007f]*$/.test(content) ? content : new Uint8Array(Buffer.from(content, "latin1"))

/** Attributes that the entry does not have go, but for the marks of overlayfs. */
const dropAttributes = ({ draft, filesystem }: Target, node: Node): void => {
  const inode = filesystem.content._tag === "Tree" ? draft.inodes.get(node as number) : undefined
  if (inode?.xattrs === undefined) return
  const marks = Object.entries(inode.xattrs).filter(([name]) => name.startsWith("trusted.overlay."))
  draft.inodes = draft.inodes.set(node as number, { ...inode, xattrs: Object.fromEntries(marks) })
}

const giveFacts = (target: Target, node: Node, entry: TreeEntry): void => {
  const { draft, driver, filesystem } = target
  const { gid, mode, mtime, uid, xattrs } = entry
  dropAttributes(target, node)
  for (const [name, value] of xattrs) {
    driver.writeAttribute(draft, filesystem, node, name, Buffer.from(value).toString("latin1"))
  }
  const modified = mtime.seconds * 1e6 + Math.floor(mtime.nanoseconds / 1000)
  driver.change(draft, filesystem, node, { mode, uid, gid, modified })
}

/** Facts last: what is made in a directory changes its time. */
const fill = (target: Target, node: Node, directory: Tree): void => {
  const { draft, driver, filesystem, links } = target
  for (const [name, child] of directory.children) {
    if (child.type === "dir") {
      const { gid, mode, uid } = child
      fill(target, driver.create(draft, filesystem, node, name, { type: "directory", mode, uid, gid }), child)
      continue
    }
    const known = child.link === null ? undefined : links.get(child.link)
    if (known !== undefined) {
      driver.link(draft, filesystem, node, name, known)
      continue
    }
    const made = driver.create(draft, filesystem, node, name, newNode(child))
    giveFacts(target, made, child)
    if (child.link !== null) links.set(child.link, made)
  }
  giveFacts(target, node, directory)
}

export const writeTree = (draft: Draft, place: Place, tree: Tree): void => {
  const target = targetOf(draft, place)
  removeAll(target, place.node)
  fill(target, place.node, tree)
}

/** Gives a directory below the place these facts. */
export const changeFacts = (draft: Draft, place: Place, path: string, entry: DirectoryEntry): void => {
  const target = targetOf(draft, place)
  let node = place.node
  for (const name of path === "" ? [] : path.split("/")) {
    node = target.driver.lookup(draft, target.filesystem, node, name)!
  }
  giveFacts(target, node, { ...entry, xattrs: layerXattrs("dir", entry.xattrs) })
}
