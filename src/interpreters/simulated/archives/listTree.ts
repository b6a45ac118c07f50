/** Trees of the world as the domain has them: what listings say, and what layers are unpacked over. */
import type { FileEntry, TreeEntry } from "../../../domain/layer/Tree.ts"
import type { Draft } from "../Draft.ts"
import { attributesOf, filesystemOf } from "../files/access.ts"
import { type Attributes, bytesOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { cover } from "../files/resolve.ts"
import type { Place } from "../World.ts"
import { identityOf, isKernelView } from "./packTree.ts"

export type Listing = Array<readonly [path: string, entry: TreeEntry]>

const types: { readonly [type: string]: FileEntry["type"] } = {
  file: "file", symlink: "symlink", block: "block", character: "char", fifo: "fifo", socket: "socket"
}

const isListed = (name: string): boolean =>
  name === "security.capability" || name.startsWith("system.posix_acl_") || name.startsWith("user.") ||
  name.startsWith("trusted.overlay.")

const xattrsOf = (draft: Draft, place: Place): ReadonlyMap<string, Uint8Array> => {
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  const names = driver.listAttributes(draft, filesystem, place.node).filter(isListed)
  return new Map(names.map((name) => {
    const value = driver.readAttribute(draft, filesystem, place.node, name) ?? ""
    return [name, new Uint8Array(Buffer.from(value, "latin1"))]
  }))
}

/** Microseconds since the epoch as a time of an entry. */
const timeOf = (micros: number): TreeEntry["mtime"] => {
  const seconds = Math.floor(micros / 1e6)
  return { seconds, nanoseconds: (micros - seconds * 1e6) * 1000 }
}

/** The bytes of a file as text, one character each: how trees keep contents. */
const contentOf = (draft: Draft, place: Place): string => {
  const filesystem = filesystemOf(draft, place)
  return Buffer.from(bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))).toString("latin1")
}

const entryOf = (
  draft: Draft,
  place: Place,
  { gid, links, major, minor, mode, modified, size, target, type, uid }: Attributes,
  withContents: boolean
): TreeEntry => {
  const facts = { mode, uid, gid, mtime: timeOf(modified) }
  if (type === "directory") return { type: "dir", ...facts, xattrs: xattrsOf(draft, place) }
  const isFile = type === "file"
  return {
    type: types[type]!,
    ...facts,
    xattrs: isFile ? xattrsOf(draft, place) : new Map(),
    size: isFile ? size : 0,
    content: isFile && withContents ? contentOf(draft, place) : null,
    target: target ?? "",
    devmajor: major,
    devminor: minor,
    link: links > 1 ? identityOf(draft, place) : null
  }
}

/**
 * Enters what is at the place, called `path`, and below it `levels` levels of directories, parents
 * first.
 */
export const listTree = (
  draft: Draft,
  place: Place,
  path: string,
  levels: number,
  withContents: boolean,
  listing: Listing
): void => {
  const attributes = attributesOf(draft, place)
  listing.push([path, entryOf(draft, place, attributes, withContents)])
  if (attributes.type !== "directory" || levels === 0 || isKernelView(draft, place)) return
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  for (const name of driver.list(draft, filesystem, place.node)) {
    const node = driver.lookup(draft, filesystem, place.node, name)
    if (node === undefined) continue
    const child = cover(draft, { mount: place.mount, node })
    listTree(draft, child, path === "" ? name : `${path}/${name}`, levels - 1, withContents, listing)
  }
}
