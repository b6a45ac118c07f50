/** Operations on files of the store and of the volatile directory, by the engine. */
import type { FileStatus } from "../../../domain/kernel/KernelOp.ts"
import { current, type Draft, fail, Failure, notYet } from "../Draft.ts"
import {
  attributesOf, filesystemOf, read, requireAccess, requireEntryChange
} from "../files/access.ts"
import { type Attributes, bytesOf, textOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { remove, removeTree } from "../files/entryCalls.ts"
import { createAt, list, readFile, status } from "../files/fileCalls.ts"
import { resolve, resolveEntry } from "../files/resolve.ts"
import { syncAll } from "../files/syncing.ts"
import type { Node, Place } from "../World.ts"
import type { Handlers } from "./Step.ts"

export const fileStatus = (
  { type, mode, uid, gid, size, major, minor, target }: Attributes
): FileStatus => ({
  type,
  mode,
  uid,
  gid,
  size,
  major,
  minor,
  ...(target === undefined ? {} : { target })
})

/** A number that names a node as st_ino does: that of the tree, else one made of its path. */
export const inodeNumber = (node: Node): number => {
  if (typeof node === "number") return node
  let hash = 2166136261
  for (let at = 0; at < node.length; at++) hash = Math.imul(hash ^ node.charCodeAt(at), 16777619)
  return 2 ** 32 + (hash >>> 0)
}

const isMissing = (failure: unknown): boolean =>
  failure instanceof Failure && failure.errno === "ENOENT"

/** mkdir(2) with exactly this mode: the umask is given back. */
const makeDirectory = (draft: Draft, path: string, mode: number): void => {
  const { uid, gid } = current(draft)
  draft.syscall = "mkdir"
  createAt(draft, resolveEntry(draft, path, false), path, {
    type: "directory",
    mode: mode & 0o7777,
    uid,
    gid
  })
}

const parentOf = (path: string): string => path.replace(/\/+$/, "").replace(/\/+[^/]*$/, "")

export const ensureDirectory = (draft: Draft, path: string, mode: number): void => {
  try {
    return makeDirectory(draft, path, mode)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    const { errno } = failure
    if (errno === "EEXIST") {
      draft.syscall = "stat"
      const existing = attributesOf(draft, resolve(draft, path, true))
      draft.syscall = "mkdir"
      return existing.type === "directory" ? undefined : fail("EEXIST", path)
    }
    const parent = parentOf(path)
    if (errno !== "ENOENT" || parent === "" || parent === path) throw failure
    ensureDirectory(draft, parent, mode)
    ensureDirectory(draft, path, mode)
  }
}

/** Written beside and renamed over: a new inode under the name. */
const replaceFile = (draft: Draft, path: string, mode: number, text: string): void => {
  draft.syscall = "openat"
  const found = resolveEntry(draft, path, false)
  if (found.name === "" || found.mustBeDirectory) fail("EISDIR", path)
  requireEntryChange(draft, found.parent, path)
  const { uid, gid } = current(draft)
  const filesystem = filesystemOf(draft, found.parent)
  const driver = driverOf(filesystem)
  if (found.place !== undefined) {
    draft.syscall = "rename"
    if (attributesOf(draft, found.place).type === "directory") fail("EISDIR", path)
    if (found.place.mount !== found.parent.mount) fail("EBUSY", path)
    driver.remove(draft, filesystem, found.parent.node, found.name)
  }
  driver.create(draft, filesystem, found.parent.node, found.name, {
    type: "file",
    content: text,
    mode: mode & 0o7777,
    uid,
    gid
  })
}

const regularFile = (
  draft: Draft,
  path: string
): { readonly place: Place; readonly attributes: Attributes } => {
  draft.syscall = "open"
  const place = resolve(draft, path, true)
  const attributes = attributesOf(draft, place)
  requireAccess(draft, attributes, read, path)
  draft.syscall = "read"
  if (attributes.type === "directory") fail("EISDIR", path)
  if (attributes.type !== "file") {
    fail(attributes.type === "socket" ? "ENXIO" : "EINVAL", path, "not a regular file")
  }
  return { place, attributes }
}

const readRange = (
  draft: Draft,
  path: string,
  wanted: number,
  offset: number,
  limit: number
): { readonly data: Uint8Array; readonly inode: number } => {
  const { place } = regularFile(draft, path)
  const inode = inodeNumber(place.node)
  if (wanted !== 0 && wanted !== inode) fail("ESTALE", path, "the name has gone to another file")
  const filesystem = filesystemOf(draft, place)
  const bytes = bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))
  return { data: bytes.slice(offset, offset + limit), inode }
}

const hasChanged = (draft: Draft, path: string, inode: number, size: number): boolean => {
  draft.syscall = "stat"
  try {
    const place = resolve(draft, path, true)
    return inodeNumber(place.node) !== inode || attributesOf(draft, place).size > size
  } catch (failure) {
    if (isMissing(failure)) return true
    throw failure
  }
}

/** Bytes of the regular files of a tree, each inode once, other mounts left out. */
const treeSize = (draft: Draft, top: Place): number => {
  const filesystem = filesystemOf(draft, top)
  const driver = driverOf(filesystem)
  const seen = new Set<Node>()
  const sum = (node: Node): number => {
    const { type, size, links } = driver.attributes(draft, filesystem, node)
    if (type === "file") {
      if (links > 1 && seen.has(node)) return 0
      seen.add(node)
      return size
    }
    if (type !== "directory") return 0
    let bytes = 0
    for (const name of driver.list(draft, filesystem, node)) {
      const child = driver.lookup(draft, filesystem, node, name)
      if (child !== undefined) bytes += sum(child)
    }
    return bytes
  }
  return sum(top.node)
}

type Tags =
  | "DirMake"
  | "DirEnsure"
  | "DirList"
  | "FileWrite"
  | "FileRead"
  | "FileReadRange"
  | "FileAwait"
  | "FileStat"
  | "FileRemove"
  | "TreeRemove"
  | "TreeSize"
  | "FilesystemSync"

export const fileSteps: Handlers<Tags> = {
  DirMake: (draft, { path, mode }) => makeDirectory(draft, path, mode),
  DirEnsure: (draft, { path, mode }) => ensureDirectory(draft, path, mode),
  DirList: (draft, { path }) => {
    draft.syscall = "scandir"
    return [...list(draft, path)].sort()
  },
  FileWrite: (draft, { path, mode, text }) => replaceFile(draft, path, mode, text),
  FileRead: (draft, { path, limit }) => {
    regularFile(draft, path)
    const content = readFile(draft, path)
    if ((typeof content === "string" ? Buffer.byteLength(content) : content.length) > limit) {
      fail("EFBIG", path, `it has more than the ${limit} bytes allowed`)
    }
    return textOf(content)
  },
  FileReadRange: (draft, { path, inode, offset, limit }) =>
    readRange(draft, path, inode, offset, limit),
  FileAwait: (draft, { path, inode, size }) =>
    hasChanged(draft, path, inode, size) ? undefined : notYet,
  FileStat: (draft, { path, follow }) => {
    draft.syscall = follow ? "stat" : "lstat"
    return fileStatus(status(draft, path, follow))
  },
  FileRemove: (draft, { path }) => {
    draft.syscall = "unlink"
    try {
      remove(draft, path, false)
    } catch (failure) {
      if (!isMissing(failure)) throw failure
    }
  },
  TreeRemove: (draft, { path }) => {
    draft.syscall = "unlinkat"
    const trimmed = path.replace(/\/+$/, "")
    if (/(^|\/)\.{0,2}$/.test(trimmed)) fail("EINVAL", path)
    try {
      removeTree(draft, trimmed)
    } catch (failure) {
      if (!isMissing(failure)) throw failure
    }
  },
  FilesystemSync: (draft, { path }) => {
    draft.syscall = "openat"
    resolve(draft, path, true)
    syncAll(draft)
  },
  TreeSize: (draft, { path }) => {
    draft.syscall = "lstat"
    return treeSize(draft, resolve(draft, path, false))
  }
}
