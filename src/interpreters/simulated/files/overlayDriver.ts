/**
 * overlayfs as of Documentation/filesystems/overlayfs.rst: a node is its path; all state is in the upper
 * layer, as whiteouts (character device 0:0) and opaque directories, so that the layer can be looked at,
 * measured and mounted again.
 */
import { type Draft, fail } from "../Draft.ts"
import { overflowId, toHost, toInside } from "../processes/credentials.ts"
import type { Filesystem, LayerRoot, Node } from "../World.ts"
import type { Attributes, Driver, NewNode } from "./Driver.ts"
import { driverOf } from "./drivers.ts"

/** The attribute of a directory that hides the layers below it. */
export const opaqueAttribute = "trusted.overlay.opaque"

interface Overlay {
  readonly lower: ReadonlyArray<LayerRoot>
  readonly upper?: LayerRoot
  readonly idmap: number
}

/** A node of a layer; `upper` when it is in the upper one. */
interface Source extends LayerRoot {
  readonly upper: boolean
}

const overlayOf = (filesystem: Filesystem): Overlay =>
  filesystem.content._tag === "Overlay" ? filesystem.content : fail("EINVAL")

const filesystemOf = (draft: Draft, layer: LayerRoot): Filesystem => draft.filesystems.get(layer.filesystem) ?? fail("EIO")

const attributesOf = (draft: Draft, layer: LayerRoot): Attributes => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).attributes(draft, filesystem, layer.node)
}

const lookupIn = (draft: Draft, layer: LayerRoot, name: string): Node | undefined => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).lookup(draft, filesystem, layer.node, name)
}

const isWhiteout = (attributes: Attributes): boolean =>
  attributes.type === "character" && attributes.major === 0 && attributes.minor === 0

const isOpaque = (draft: Draft, layer: LayerRoot): boolean => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).readAttribute(draft, filesystem, layer.node, opaqueAttribute) === "y"
}

/** What of `sources`, directories of several layers top first, is called `name`; none when it does not exist. */
const descend = (draft: Draft, sources: ReadonlyArray<Source>, name: string): ReadonlyArray<Source> => {
  const found: Array<Source> = []
  for (const source of sources) {
    const node = lookupIn(draft, source, name)
    if (node === undefined) continue
    const one: Source = { filesystem: source.filesystem, node, upper: source.upper }
    const attributes = attributesOf(draft, one)
    if (isWhiteout(attributes)) break
    if (attributes.type !== "directory") {
      if (found.length === 0) found.push(one)
      break
    }
    found.push(one)
    if (isOpaque(draft, one)) break
  }
  return found
}

/** The layers' nodes that make up a path, top first. */
const sourcesOf = (draft: Draft, overlay: Overlay, path: string): ReadonlyArray<Source> => {
  let sources: ReadonlyArray<Source> = [
    ...(overlay.upper === undefined ? [] : [{ ...overlay.upper, upper: true }]),
    ...overlay.lower.map((layer) => ({ ...layer, upper: false }))
  ]
  if (path === "") return sources
  for (const name of path.slice(1).split("/")) {
    sources = descend(draft, sources, name)
    if (sources.length === 0) break
  }
  return sources
}

const top = (draft: Draft, filesystem: Filesystem, path: Node): Source =>
  sourcesOf(draft, overlayOf(filesystem), path as string)[0] ?? fail("ENOENT")

const parentPath = (path: string): string => path.slice(0, path.lastIndexOf("/"))

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** The node in the upper layer, copied up with all directories above it when it is not there yet. */
const copyUp = (draft: Draft, filesystem: Filesystem, path: string): LayerRoot => {
  const source = top(draft, filesystem, path)
  if (source.upper) return source
  const directory = copyUp(draft, filesystem, parentPath(path))
  const from = filesystemOf(draft, source)
  const reader = driverOf(from)
  const attributes = reader.attributes(draft, from, source.node)
  const { mode, uid, gid, major, minor } = attributes
  const made: NewNode = attributes.type === "file"
    ? { type: "file", content: reader.read(draft, from, source.node), mode, uid, gid }
    : attributes.type === "symlink"
    ? { type: "symlink", target: attributes.target!, mode, uid, gid }
    : attributes.type === "block" || attributes.type === "character"
    ? { type: attributes.type, major, minor, mode, uid, gid }
    : attributes.type === "socket"
    ? { type: "socket", listener: 0, mode, uid, gid }
    : { type: attributes.type, mode, uid, gid }
  const upper = filesystemOf(draft, directory)
  const writer = driverOf(upper)
  const node = writer.create(draft, upper, directory.node, baseName(path), made)
  for (const name of reader.listAttributes(draft, from, source.node)) {
    if (name === opaqueAttribute) continue
    writer.writeAttribute(draft, upper, node, name, reader.readAttribute(draft, from, source.node, name)!)
  }
  if (attributes.type !== "directory") writer.change(draft, upper, node, { modified: attributes.modified })
  return { filesystem: upper.id, node }
}

const existsBelow = (draft: Draft, overlay: Overlay, directory: string, name: string): boolean =>
  descend(draft, sourcesOf(draft, overlay, directory).filter((source) => !source.upper), name).length > 0

/** Names of a merged directory, whiteouts taken away. */
const merged = (draft: Draft, sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const state = new Map<string, boolean>()
  for (const source of sources) {
    const filesystem = filesystemOf(draft, source)
    const driver = driverOf(filesystem)
    for (const name of driver.list(draft, filesystem, source.node)) {
      if (state.has(name)) continue
      const node = driver.lookup(draft, filesystem, source.node, name)
      state.set(name, node !== undefined && !isWhiteout(driver.attributes(draft, filesystem, node)))
    }
  }
  return [...state].filter(([, shown]) => shown).map(([name]) => name).sort()
}

/** Takes a whiteout out of the way; true when there was one. */
const dropWhiteout = (draft: Draft, directory: LayerRoot, name: string): boolean => {
  const filesystem = filesystemOf(draft, directory)
  const driver = driverOf(filesystem)
  const node = driver.lookup(draft, filesystem, directory.node, name)
  if (node === undefined || !isWhiteout(driver.attributes(draft, filesystem, node))) return false
  driver.remove(draft, filesystem, directory.node, name)
  return true
}

/** An id on disk as the kernel has it: through the mapped mounts of the layers. */
const fromDisk = (draft: Draft, overlay: Overlay, kind: "uidMap" | "gidMap", id: number): number =>
  overlay.idmap === 0 ? id : toHost(draft, overlay.idmap, kind, id) ?? overflowId

const toDisk = (draft: Draft, overlay: Overlay, kind: "uidMap" | "gidMap", id: number): number =>
  overlay.idmap === 0 ? id : toInside(draft, overlay.idmap, kind, id) ?? fail("EOVERFLOW")

const create: Driver["create"] = (draft, filesystem, directory, name, made) => {
  const overlay = overlayOf(filesystem)
  const uid = toDisk(draft, overlay, "uidMap", made.uid)
  const gid = toDisk(draft, overlay, "gidMap", made.gid)
  const upper = copyUp(draft, filesystem, directory as string)
  const hidden = dropWhiteout(draft, upper, name)
  const into = filesystemOf(draft, upper)
  const driver = driverOf(into)
  const node = driver.create(draft, into, upper.node, name, { ...made, uid, gid })
  if (hidden && made.type === "directory") driver.writeAttribute(draft, into, node, opaqueAttribute, "y")
  return `${directory}/${name}`
}

const remove: Driver["remove"] = (draft, filesystem, directory, name) => {
  const overlay = overlayOf(filesystem)
  const path = `${directory}/${name}`
  const sources = sourcesOf(draft, overlay, path)
  const first = sources[0] ?? fail("ENOENT")
  if (attributesOf(draft, first).type === "directory" && merged(draft, sources).length > 0) fail("ENOTEMPTY")
  const upper = copyUp(draft, filesystem, directory as string)
  const into = filesystemOf(draft, upper)
  const driver = driverOf(into)
  if (first.upper) {
    // An emptied directory may still hold whiteouts
    if (attributesOf(draft, first).type === "directory") {
      for (const left of driver.list(draft, into, first.node)) driver.remove(draft, into, first.node, left)
    }
    driver.remove(draft, into, upper.node, name)
  }
  if (existsBelow(draft, overlay, directory as string, name)) {
    driver.create(draft, into, upper.node, name, { type: "character", major: 0, minor: 0, mode: 0, uid: 0, gid: 0 })
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
    driver.writeAttribute(draft, upper, driver.lookup(draft, upper, target.node, newName)!, opaqueAttribute, "y")
  }
  if (existsBelow(draft, overlay, from as string, name)) {
    driver.create(draft, upper, source.node, name, { type: "character", major: 0, minor: 0, mode: 0, uid: 0, gid: 0 })
  }
}

/** Performs `body` on the node of the upper layer. */
const onUpper = (
  draft: Draft, filesystem: Filesystem, path: Node,
  body: (driver: Driver, upper: Filesystem, node: Node) => void
): void => {
  const layer = copyUp(draft, filesystem, path as string)
  const upper = filesystemOf(draft, layer)
  body(driverOf(upper), upper, layer.node)
}

/** Performs `body` on the topmost node. */
const onTop = <A>(
  draft: Draft, filesystem: Filesystem, path: Node,
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
  parent: (_draft, _filesystem, directory) => directory === "" ? "" : parentPath(directory as string),
  attributes: (draft, filesystem, node) => {
    const overlay = overlayOf(filesystem)
    const attributes = attributesOf(draft, top(draft, filesystem, node))
    if (overlay.idmap === 0) return attributes
    return {
      ...attributes, uid: fromDisk(draft, overlay, "uidMap", attributes.uid),
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
    onUpper(draft, filesystem, node, (driver, upper, inner) => driver.write(draft, upper, inner, content)),
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
    onUpper(draft, filesystem, node, (driver, upper, inner) => driver.change(draft, upper, inner, onDisk))
  },
  readAttribute: (draft, filesystem, node, name) => name.startsWith("trusted.overlay.")
    ? undefined
    : onTop(draft, filesystem, node, (driver, below, inner) => driver.readAttribute(draft, below, inner, name)),
  writeAttribute: (draft, filesystem, node, name, value) =>
    onUpper(draft, filesystem, node, (driver, upper, inner) => driver.writeAttribute(draft, upper, inner, name, value)),
  listAttributes: (draft, filesystem, node) =>
    onTop(draft, filesystem, node, (driver, below, inner) => driver.listAttributes(draft, below, inner))
      .filter((name) => !name.startsWith("trusted.overlay."))
}
