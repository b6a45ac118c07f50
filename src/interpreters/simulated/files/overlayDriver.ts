/**
 * overlayfs as of Documentation/filesystems/overlayfs.rst: a node is its path; all state is in the
 * upper layer, as whiteouts (character device 0:0) and opaque directories, so that the layer can be
 * looked at, measured and mounted again.
 */
import { type Draft, fail } from "../Draft.ts"
import type { Filesystem, Node } from "../World.ts"
import type { Driver } from "./Driver.ts"
import { driverOf } from "./drivers.ts"
import {
  attributesOf, copyUp, descend, dropWhiteout, existsBelow, filesystemOf, fromDisk, merged,
  opaqueAttribute, overlayOf, parentPath, sourcesOf, toDisk, top
} from "./overlayLayers.ts"

const create: Driver["create"] = (draft, filesystem, directory, name, made) => {
  const overlay = overlayOf(filesystem)
  const uid = toDisk(draft, overlay, "uidMap", made.uid)
  const gid = toDisk(draft, overlay, "gidMap", made.gid)
  const upper = copyUp(draft, filesystem, directory as string)
  const hidden = dropWhiteout(draft, upper, name)
  const into = filesystemOf(draft, upper)
  const driver = driverOf(into)
  const node = driver.create(draft, into, upper.node, name, { ...made, uid, gid })
  if (hidden && made.type === "directory") {
    driver.writeAttribute(draft, into, node, opaqueAttribute, "y")
  }
  return `${directory}/${name}`
}

const remove: Driver["remove"] = (draft, filesystem, directory, name) => {
  const overlay = overlayOf(filesystem)
  const path = `${directory}/${name}`
  const sources = sourcesOf(draft, overlay, path)
  const first = sources[0] ?? fail("ENOENT")
  if (attributesOf(draft, first).type === "directory" && merged(draft, sources).length > 0) {
    fail("ENOTEMPTY")
  }
  const upper = copyUp(draft, filesystem, directory as string)
  const into = filesystemOf(draft, upper)
  const driver = driverOf(into)
  if (first.upper) {
    // An emptied directory may still hold whiteouts
    if (attributesOf(draft, first).type === "directory") {
      for (const left of driver.list(draft, into, first.node)) {
        driver.remove(draft, into, first.node, left)
      }
    }
    driver.remove(draft, into, upper.node, name)
  }
  if (existsBelow(draft, overlay, directory as string, name)) {
    driver.create(draft, into, upper.node, name, {
      type: "character", major: 0, minor: 0, mode: 0, uid: 0, gid: 0
    })
  }
}

const rename: Driver["rename"] = (draft, filesystem, from, name, to, newName) => {
  const overlay = overlayOf(filesystem)
  const path = `${from}/${name}`
  const sources = sourcesOf(draft, overlay, path)
  const first = sources[0] ?? fail("ENOENT")
  const isDirectory = attributesOf(draft, first).type === "directory"
  // Without redirect_dir a directory that lower layers have can't be renamed
  if (isDirectory && (!first.upper || sources.length > 1)) fail("EXDEV")
  const replaced = sourcesOf(draft, overlay, `${to}/${newName}`)[0]
  if (replaced?.upper === true && replaced.node === first.node) return
  copyUp(draft, filesystem, path)
  const source = copyUp(draft, filesystem, from as string)
  const target = copyUp(draft, filesystem, to as string)
  if (replaced !== undefined) remove(draft, filesystem, to, newName)
  const hidden = dropWhiteout(draft, target, newName)
  const upper = filesystemOf(draft, target)
  const driver = driverOf(upper)
  driver.rename(draft, upper, source.node, name, target.node, newName)
  if (hidden && isDirectory) {
    driver.writeAttribute(
      draft,
      upper,
      driver.lookup(draft, upper, target.node, newName)!,
      opaqueAttribute,
      "y"
    )
  }
  if (existsBelow(draft, overlay, from as string, name)) {
    driver.create(draft, upper, source.node, name, {
      type: "character", major: 0, minor: 0, mode: 0, uid: 0, gid: 0
    })
  }
}

/** Performs `body` on the node of the upper layer. */
const onUpper = (
  draft: Draft,
  filesystem: Filesystem,
  path: Node,
  body: (driver: Driver, upper: Filesystem, node: Node) => void
): void => {
  const layer = copyUp(draft, filesystem, path as string)
  const upper = filesystemOf(draft, layer)
  body(driverOf(upper), upper, layer.node)
}

/** Performs `body` on the topmost node. */
const onTop = <A>(
  draft: Draft,
  filesystem: Filesystem,
  path: Node,
  body: (driver: Driver, below: Filesystem, node: Node) => A
): A => {
  const source = top(draft, filesystem, path)
  const below = filesystemOf(draft, source)
  return body(driverOf(below), below, source.node)
}

export const overlayDriver: Driver = {
  lookup: (draft, filesystem, directory, name) => {
    const sources = sourcesOf(draft, overlayOf(filesystem), directory as string)
    if (attributesOf(draft, sources[0] ?? fail("ENOENT")).type !== "directory") fail("ENOTDIR")
    return descend(draft, sources, name).length === 0 ? undefined : `${directory}/${name}`
  },
  parent: (_draft, _filesystem, directory) =>
    directory === "" ? "" : parentPath(directory as string),
  attributes: (draft, filesystem, node) => {
    const overlay = overlayOf(filesystem)
    const attributes = attributesOf(draft, top(draft, filesystem, node))
    if (overlay.idmap === 0) return attributes
    return {
      ...attributes,
      uid: fromDisk(draft, overlay, "uidMap", attributes.uid),
      gid: fromDisk(draft, overlay, "gidMap", attributes.gid)
    }
  },
  list: (draft, filesystem, directory) => {
    const sources = sourcesOf(draft, overlayOf(filesystem), directory as string)
    if (attributesOf(draft, sources[0] ?? fail("ENOENT")).type !== "directory") fail("ENOTDIR")
    return merged(draft, sources)
  },
  read: (draft, filesystem, node) =>
    onTop(draft, filesystem, node, (driver, below, inner) => driver.read(draft, below, inner)),
  write: (draft, filesystem, node, content) =>
    onUpper(
      draft,
      filesystem,
      node,
      (driver, upper, inner) => driver.write(draft, upper, inner, content)
    ),
  create,
  link: (draft, filesystem, directory, name, node) => {
    const inner = copyUp(draft, filesystem, node as string)
    const upper = copyUp(draft, filesystem, directory as string)
    dropWhiteout(draft, upper, name)
    const into = filesystemOf(draft, upper)
    driverOf(into).link(draft, into, upper.node, name, inner.node)
  },
  remove,
  rename,
  change: (draft, filesystem, node, change) => {
    const overlay = overlayOf(filesystem)
    const onDisk = {
      ...change,
      ...(change.uid === undefined ? {} : { uid: toDisk(draft, overlay, "uidMap", change.uid) }),
      ...(change.gid === undefined ? {} : { gid: toDisk(draft, overlay, "gidMap", change.gid) })
    }
    onUpper(
      draft,
      filesystem,
      node,
      (driver, upper, inner) => driver.change(draft, upper, inner, onDisk)
    )
  },
  readAttribute: (draft, filesystem, node, name) =>
    name.startsWith("trusted.overlay.")
      ? undefined
      : onTop(draft, filesystem, node, (driver, below, inner) =>
        driver.readAttribute(draft, below, inner, name)),
  writeAttribute: (draft, filesystem, node, name, value) =>
    onUpper(
      draft,
      filesystem,
      node,
      (driver, upper, inner) => driver.writeAttribute(draft, upper, inner, name, value)
    ),
  listAttributes: (draft, filesystem, node) =>
    onTop(
      draft,
      filesystem,
      node,
      (driver, below, inner) => driver.listAttributes(draft, below, inner)
    )
      .filter((name) => !name.startsWith("trusted.overlay."))
}
