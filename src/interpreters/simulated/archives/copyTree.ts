/** A directory of the world copied into another one, with all attributes; what is mounted in it is left out. */
import { isLayerXattr } from "../../../domain/layer/layerXattrs.ts"
import type { Draft } from "../Draft.ts"
import { filesystemOf } from "../files/access.ts"
import type { Attributes, Driver, NewNode } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import type { Filesystem, Node, Place } from "../World.ts"

interface Side {
  readonly filesystem: Filesystem
  readonly driver: Driver
}

const sideOf = (draft: Draft, place: Place): Side => {
  const filesystem = filesystemOf(draft, place)
  return { filesystem, driver: driverOf(filesystem) }
}

const newNode = (draft: Draft, { driver, filesystem }: Side, node: Node, attributes: Attributes): NewNode => {
  const { gid, major, minor, mode, target = "", type, uid } = attributes
  const common = { mode, uid, gid }
  switch (type) {
    case "file":
      return { ...common, type, content: driver.read(draft, filesystem, node) }
    case "symlink":
      return { ...common, type, target }
    case "block":
    case "character":
      return { ...common, type, major, minor }
    case "socket":
      return { ...common, type, listener: 0 }
    default:
      return { ...common, type }
  }
}

/** Gives a directory the owner, mode, time and those attributes of another one that layers carry. */
export const copyLooks = (draft: Draft, from: Place, to: Place): void => {
  const source = sideOf(draft, from)
  const target = sideOf(draft, to)
  const { gid, mode, modified, uid } = source.driver.attributes(draft, source.filesystem, from.node)
  for (const name of source.driver.listAttributes(draft, source.filesystem, from.node)) {
    const value = source.driver.readAttribute(draft, source.filesystem, from.node, name)
    if (value !== undefined && isLayerXattr(name)) target.driver.writeAttribute(draft, target.filesystem, to.node, name, value)
  }
  target.driver.change(draft, target.filesystem, to.node, { mode, uid, gid, modified })
}

/** `isLeftOut`: of a directory, whether what is in it is left out. The directory copied into is empty. */
export const copyTree = (draft: Draft, from: Place, to: Place, isLeftOut: (node: Node) => boolean): void => {
  const source = sideOf(draft, from)
  const target = sideOf(draft, to)
  const links = new Map<Node, Node>()
  const giveFacts = (node: Node, made: Node): void => {
    const { gid, mode, modified, uid } = source.driver.attributes(draft, source.filesystem, node)
    for (const name of source.driver.listAttributes(draft, source.filesystem, node)) {
      const value = source.driver.readAttribute(draft, source.filesystem, node, name)
      if (value !== undefined) target.driver.writeAttribute(draft, target.filesystem, made, name, value)
    }
    target.driver.change(draft, target.filesystem, made, { mode, uid, gid, modified })
  }
  /** Facts last: what is made in a directory changes its time. */
  const fill = (directory: Node, into: Node): void => {
    for (const name of source.driver.list(draft, source.filesystem, directory)) {
      const node = source.driver.lookup(draft, source.filesystem, directory, name)
      if (node === undefined) continue
      const known = links.get(node)
      if (known !== undefined) {
        target.driver.link(draft, target.filesystem, into, name, known)
        continue
      }
      const attributes = source.driver.attributes(draft, source.filesystem, node)
      const made = target.driver.create(draft, target.filesystem, into, name, newNode(draft, source, node, attributes))
      if (attributes.type === "directory" && !isLeftOut(node)) fill(node, made)
      else giveFacts(node, made)
      if (attributes.type !== "directory" && attributes.links > 1) links.set(node, made)
    }
    giveFacts(directory, into)
  }
  fill(from.node, to.node)
}
