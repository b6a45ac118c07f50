/**
 * The system calls on files, as any process of the simulated host makes them. Each fails with the errno
 * its man page gives for the case.
 */
import { current, type Draft, fail } from "../Draft.ts"
import { capability, hasCapability, mapsToInside, requireCapability } from "../processes/credentials.ts"
import type { Content, Place } from "../World.ts"
import {
  attributesOf, filesystemOf, mountOf, read, requireAccess, requireEntryChange, requireOwner, requireWritable, write
} from "./access.ts"
import { type Attributes, concatenate, type NewNode } from "./Driver.ts"
import { driverOf } from "./drivers.ts"
import { type Resolved, resolve, resolveEntry, type Walk } from "./resolve.ts"

/** A new entry where `found` says; EEXIST when there is one. */
export const createAt = (draft: Draft, found: Resolved, path: string, made: NewNode): Place => {
  if (found.place !== undefined) return fail("EEXIST", path)
  if (found.mustBeDirectory && made.type !== "directory") fail("ENOENT", path)
  requireEntryChange(draft, found.parent, path)
  const filesystem = filesystemOf(draft, found.parent)
  const node = driverOf(filesystem).create(draft, filesystem, found.parent.node, found.name, made)
  return { mount: found.parent.mount, node }
}

/** mkdir(2) */
export const makeDirectory = (draft: Draft, path: string, mode: number, walk: Walk = {}): Place => {
  const { uid, gid, umask } = current(draft)
  const found = resolveEntry(draft, path, false, walk)
  return createAt(draft, found, path, { type: "directory", mode: mode & ~umask & 0o1777, uid, gid })
}

/** mkdir -p: an existing directory is left as it is, ENOTDIR or EEXIST where something else stands. */
export const ensureDirectory = (draft: Draft, path: string, mode: number, walk: Walk = {}): Place => {
  const found = ((): Resolved | undefined => {
    try {
      return resolveEntry(draft, path, true, walk)
    } catch (failure) {
      if ((failure as { errno?: string }).errno !== "ENOENT" || path === "" || path === "/") throw failure
      return undefined
    }
  })()
  if (found?.place !== undefined) {
    if (attributesOf(draft, found.place).type !== "directory") fail("EEXIST", path)
    return found.place
  }
  if (found === undefined) {
    const trimmed = path.replace(/\/+$/, "")
    ensureDirectory(draft, trimmed.slice(0, trimmed.lastIndexOf("/")) || "/", mode, walk)
  }
  return makeDirectory(draft, path, mode, walk)
}

/** mknod(2): EPERM for devices without CAP_MKNOD in the first user namespace. */
export const makeNode = (
  draft: Draft, path: string, made: NewNode, walk: Walk = {}
): Place => {
  if (made.type === "block" || made.type === "character") {
    requireCapability(draft, current(draft), capability.mknod, draft.initial.user)
  }
  return createAt(draft, resolveEntry(draft, path, false, walk), path, made)
}

/** symlink(2) */
export const makeSymlink = (draft: Draft, target: string, path: string, walk: Walk = {}): Place => {
  const { uid, gid } = current(draft)
  if (target === "") fail("ENOENT", path)
  return createAt(draft, resolveEntry(draft, path, false, walk), path, { type: "symlink", target, mode: 0o777, uid, gid })
}

/** link(2), which does not follow `from`. */
export const makeLink = (draft: Draft, from: string, to: string, walk: Walk = {}): void => {
  const source = resolve(draft, from, false, walk)
  const found = resolveEntry(draft, to, false, walk)
  if (found.place !== undefined) fail("EEXIST", to)
  if (source.mount !== found.parent.mount) fail("EXDEV", to)
  if (attributesOf(draft, source).type === "directory") fail("EPERM", from)
  requireEntryChange(draft, found.parent, to)
  const filesystem = filesystemOf(draft, source)
  driverOf(filesystem).link(draft, filesystem, found.parent.node, found.name, source.node)
}

/** The mount on a place in the caller's namespace, which must go before the entry can. */
const isCovered = (found: Resolved): boolean => found.place!.mount !== found.parent.mount

/** With the sticky bit only the owner of the file or of the directory may (path_resolution(7)). */
const requireSticky = (draft: Draft, parent: Attributes, entry: Attributes, path: string): void => {
  const process = current(draft)
  if ((parent.mode & 0o1000) === 0 || process.uid === entry.uid || process.uid === parent.uid) return
  if (!hasCapability(draft, process, capability.fowner, process.namespaces.user)) fail("EPERM", path)
}

/** Takes an entry away; `directory` says which of unlink(2) and rmdir(2) it is. */
export const remove = (draft: Draft, path: string, directory: boolean, walk: Walk = {}): void => {
  const found = resolveEntry(draft, path, false, walk)
  const place = found.place ?? fail("ENOENT", path)
  if (found.name === "") fail(directory ? "EBUSY" : "EISDIR", path)
  const attributes = attributesOf(draft, place)
  const parent = attributesOf(draft, found.parent)
  requireEntryChange(draft, found.parent, path)
  requireSticky(draft, parent, attributes, path)
  if (directory && attributes.type !== "directory") fail("ENOTDIR", path)
  if (!directory && attributes.type === "directory") fail("EISDIR", path)
  if (isCovered(found)) fail("EBUSY", path)
  const filesystem = filesystemOf(draft, found.parent)
  driverOf(filesystem).remove(draft, filesystem, found.parent.node, found.name)
}

/** rename(2) */
export const rename = (draft: Draft, from: string, to: string, walk: Walk = {}): void => {
  const source = resolveEntry(draft, from, false, walk)
  const target = resolveEntry(draft, to, false, walk)
  const moved = source.place ?? fail("ENOENT", from)
  if (source.name === "" || target.name === "") fail("EBUSY", from)
  if (source.parent.mount !== target.parent.mount) fail("EXDEV", to)
  if (isCovered(source)) fail("EBUSY", from)
  requireEntryChange(draft, source.parent, from)
  requireEntryChange(draft, target.parent, to)
  // Two names of one file: nothing is done
  if (target.place?.node === moved.node) return
  const directory = attributesOf(draft, moved).type === "directory"
  const filesystem = filesystemOf(draft, source.parent)
  const driver = driverOf(filesystem)
  if (target.place !== undefined) {
    if (isCovered(target)) fail("EBUSY", to)
    const replaced = attributesOf(draft, target.place).type === "directory"
    if (directory && !replaced) fail("ENOTDIR", to)
    if (!directory && replaced) fail("EISDIR", to)
    if (replaced && driver.list(draft, filesystem, target.place.node).length > 0) fail("ENOTEMPTY", to)
  }
  // A directory can't go into itself
  for (let at = target.parent.node; directory; at = driver.parent(draft, filesystem, at)) {
    if (at === moved.node) fail("EINVAL", to)
    if (driver.parent(draft, filesystem, at) === at) break
  }
  driver.rename(draft, filesystem, source.parent.node, source.name, target.parent.node, target.name)
}

/** Content of a regular file (open(2), read(2)); a FIFO would block: EINVAL, as does a device. */
export const readFile = (draft: Draft, path: string, walk: Walk = {}): Content => {
  const place = resolve(draft, path, true, walk)
  const attributes = attributesOf(draft, place)
  requireAccess(draft, attributes, read, path)
  if (attributes.type === "directory") fail("EISDIR", path)
  if (attributes.type === "socket") fail("ENXIO", path)
  const filesystem = filesystemOf(draft, place)
  return driverOf(filesystem).read(draft, filesystem, place.node)
}

/** Replaces the content (O_TRUNC), or adds to it; made with `mode` when missing unless `create` is false. */
export const writeFile = (
  draft: Draft, path: string, content: Content,
  options: { readonly mode: number; readonly append?: boolean; readonly create?: boolean }, walk: Walk = {}
): Place => {
  const found = resolveEntry(draft, path, true, walk)
  if (found.place === undefined) {
    if (options.create === false) fail("ENOENT", path)
    if (found.mustBeDirectory) fail("EISDIR", path)
    const { uid, gid, umask } = current(draft)
    return createAt(draft, found, path, { type: "file", content, mode: options.mode & ~umask & 0o7777, uid, gid })
  }
  const attributes = attributesOf(draft, found.place)
  if (attributes.type === "directory") fail("EISDIR", path)
  requireAccess(draft, attributes, write, path)
  if (attributes.type === "socket" || attributes.type === "fifo") fail("ENXIO", path)
  writeTo(draft, found.place, attributes, content, options.append === true, path)
  return found.place
}

/** Major 1 of Documentation/admin-guide/devices.txt: null, zero, full, random, urandom. */
const memoryDevices = 1
const fullDevice = 7

const writeTo = (
  draft: Draft, place: Place, attributes: Attributes, content: Content, append: boolean, path: string
): void => {
  if (attributes.type === "character" || attributes.type === "block") {
    if (mountOf(draft, place).flags.nodev) fail("EACCES", path)
    if (attributes.major === memoryDevices && attributes.minor === fullDevice) fail("ENOSPC", path)
    return
  }
  requireWritable(draft, place, path)
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  driver.write(draft, filesystem, place.node, append
    ? concatenate(driver.read(draft, filesystem, place.node), content)
    : content)
}

export const changeMode = (draft: Draft, path: string, mode: number, walk: Walk = {}): void => {
  const place = resolve(draft, path, true, walk)
  requireOwner(draft, attributesOf(draft, place), path)
  requireWritable(draft, place, path)
  const filesystem = filesystemOf(draft, place)
  driverOf(filesystem).change(draft, filesystem, place.node, { mode: mode & 0o7777 })
}

/** lchown(2): ids of the host. CAP_CHOWN, and ids that the caller's namespace knows. */
export const changeOwner = (draft: Draft, path: string, uid: number, gid: number, walk: Walk = {}): void => {
  const place = resolve(draft, path, false, walk)
  const process = current(draft)
  const attributes = attributesOf(draft, place)
  const ownGroup = process.uid === attributes.uid && uid === attributes.uid &&
    (process.gid === gid || process.groups.includes(gid))
  const user = process.namespaces.user
  if (!ownGroup && !(hasCapability(draft, process, capability.chown, user) && mapsToInside(draft, user, uid, gid))) {
    fail("EPERM", path)
  }
  requireWritable(draft, place, path)
  const filesystem = filesystemOf(draft, place)
  driverOf(filesystem).change(draft, filesystem, place.node, { uid, gid })
}

/** stat(2), or lstat(2) without `follow`. */
export const status = (draft: Draft, path: string, follow: boolean, walk: Walk = {}): Attributes =>
  attributesOf(draft, resolve(draft, path, follow, walk))

export const list = (draft: Draft, path: string, walk: Walk = {}): ReadonlyArray<string> => {
  const place = resolve(draft, path, true, walk)
  const attributes = attributesOf(draft, place)
  if (attributes.type !== "directory") fail("ENOTDIR", path)
  requireAccess(draft, attributes, read, path)
  const filesystem = filesystemOf(draft, place)
  return driverOf(filesystem).list(draft, filesystem, place.node)
}

/** TreeRemove: rm -rf that never follows a link; EBUSY at a mount. A missing tree is no error. */
export const removeTree = (draft: Draft, path: string, walk: Walk = {}): void => {
  const found = resolveEntry(draft, path, false, walk)
  if (found.place === undefined) return
  if (found.name === "" || isCovered(found)) fail("EBUSY", path)
  const attributes = attributesOf(draft, found.place)
  requireEntryChange(draft, found.parent, path)
  requireSticky(draft, attributesOf(draft, found.parent), attributes, path)
  if (attributes.type === "directory") {
    for (const name of list(draft, path, walk)) removeTree(draft, `${path}/${name}`, walk)
  }
  const filesystem = filesystemOf(draft, found.parent)
  driverOf(filesystem).remove(draft, filesystem, found.parent.node, found.name)
}
