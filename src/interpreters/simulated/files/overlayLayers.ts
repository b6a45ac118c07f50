/** The layers of an overlay: what makes up a path, what is hidden, and how a file is copied up. */
import { type Draft, fail } from "../Draft.ts"
import { overflowId, toHost, toInside } from "../processes/credentials.ts"
import type { Filesystem, LayerRoot, Node } from "../World.ts"
import type { Attributes, NewNode } from "./Driver.ts"
import { driverOf } from "./drivers.ts"

/** The attribute of a directory that hides the layers below it. */
export const opaqueAttribute = "trusted.overlay.opaque"

export interface Overlay {
  readonly lower: ReadonlyArray<LayerRoot>
  readonly upper?: LayerRoot
  readonly idmap: number
}

/** A node of a layer; `upper` when it is in the upper one. */
export interface Source extends LayerRoot {
  readonly upper: boolean
}

export const overlayOf = (filesystem: Filesystem): Overlay =>
  filesystem.content._tag === "Overlay" ? filesystem.content : fail("EINVAL")

export const filesystemOf = (draft: Draft, layer: LayerRoot): Filesystem =>
  draft.filesystems.get(layer.filesystem) ?? fail("EIO")

export const attributesOf = (draft: Draft, layer: LayerRoot): Attributes => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).attributes(draft, filesystem, layer.node)
}

export const lookupIn = (draft: Draft, layer: LayerRoot, name: string): Node | undefined => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).lookup(draft, filesystem, layer.node, name)
}

export const isWhiteout = (attributes: Attributes): boolean =>
  attributes.type === "character" && attributes.major === 0 && attributes.minor === 0

export const isOpaque = (draft: Draft, layer: LayerRoot): boolean => {
  const filesystem = filesystemOf(draft, layer)
  return driverOf(filesystem).readAttribute(draft, filesystem, layer.node, opaqueAttribute) === "y"
}

/**
 * What of `sources`, directories of several layers top first, is called `name`; none when it does
 * not exist.
 */
export const descend = (
  draft: Draft,
  sources: ReadonlyArray<Source>,
  name: string
): ReadonlyArray<Source> => {
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
export const sourcesOf = (draft: Draft, overlay: Overlay, path: string): ReadonlyArray<Source> => {
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

export const top = (draft: Draft, filesystem: Filesystem, path: Node): Source =>
  sourcesOf(draft, overlayOf(filesystem), path as string)[0] ?? fail("ENOENT")

export const parentPath = (path: string): string => path.slice(0, path.lastIndexOf("/"))

export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/**
 * The node in the upper layer, copied up with all directories above it when it is not there yet.
 */
export const copyUp = (draft: Draft, filesystem: Filesystem, path: string): LayerRoot => {
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
    writer.writeAttribute(
      draft,
      upper,
      node,
      name,
      reader.readAttribute(draft, from, source.node, name)!
    )
  }
  if (attributes.type !== "directory") {
    writer.change(draft, upper, node, { modified: attributes.modified })
  }
  return { filesystem: upper.id, node }
}

export const existsBelow = (
  draft: Draft,
  overlay: Overlay,
  directory: string,
  name: string
): boolean =>
  descend(draft, sourcesOf(draft, overlay, directory).filter((source) => !source.upper), name)
    .length > 0

/** Names of a merged directory, whiteouts taken away. */
export const merged = (draft: Draft, sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
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
export const dropWhiteout = (draft: Draft, directory: LayerRoot, name: string): boolean => {
  const filesystem = filesystemOf(draft, directory)
  const driver = driverOf(filesystem)
  const node = driver.lookup(draft, filesystem, directory.node, name)
  if (node === undefined || !isWhiteout(driver.attributes(draft, filesystem, node))) return false
  driver.remove(draft, filesystem, directory.node, name)
  return true
}

/** An id on disk as the kernel has it: through the mapped mounts of the layers. */
export const fromDisk = (
  draft: Draft,
  overlay: Overlay,
  kind: "uidMap" | "gidMap",
  id: number
): number => overlay.idmap === 0 ? id : toHost(draft, overlay.idmap, kind, id) ?? overflowId

export const toDisk = (
  draft: Draft,
  overlay: Overlay,
  kind: "uidMap" | "gidMap",
  id: number
): number =>
  overlay.idmap === 0 ? id : toInside(draft, overlay.idmap, kind, id) ?? fail("EOVERFLOW")
