/**
 * The system calls on files, as any process of the simulated host makes them. Each fails with the
 * errno its man page gives for the case.
 */
import { current, type Draft, fail } from "../Draft.ts"
import {
  capability, hasCapability, mapsToInside, requireCapability
} from "../processes/credentials.ts"
import type { Content, Place } from "../World.ts"
import {
  attributesOf, filesystemOf, mountOf, read, requireAccess, requireEntryChange, requireOwner,
  requireWritable, write
} from "./access.ts"
import { type Attributes, concatenate, type NewNode } from "./Driver.ts"
import { driverOf } from "./drivers.ts"
import { resolve, type Resolved, resolveEntry, type Walk } from "./resolve.ts"

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

/**
 * mkdir -p: an existing directory is left as it is, ENOTDIR or EEXIST where something else stands.
 */
export const ensureDirectory = (
  draft: Draft,
  path: string,
  mode: number,
  walk: Walk = {}
): Place => {
  const found = ((): Resolved | undefined => {
    try {
      return resolveEntry(draft, path, true, walk)
    } catch (failure) {
      if ((failure as { errno?: string }).errno !== "ENOENT" || path === "" || path === "/") {
        throw failure
      }
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
export const makeNode = (draft: Draft, path: string, made: NewNode, walk: Walk = {}): Place => {
  if (made.type === "block" || made.type === "character") {
    requireCapability(draft, current(draft), capability.mknod, draft.initial.user)
  }
  return createAt(draft, resolveEntry(draft, path, false, walk), path, made)
}

/** symlink(2) */
export const makeSymlink = (draft: Draft, target: string, path: string, walk: Walk = {}): Place => {
  const { uid, gid } = current(draft)
  if (target === "") fail("ENOENT", path)
  return createAt(draft, resolveEntry(draft, path, false, walk), path, {
    type: "symlink",
    target,
    mode: 0o777,
    uid,
    gid
  })
}

/** link(2), which does not follow `from`. */
export const makeLink = (draft: Draft, from: string, to: string, walk: Walk = {}): void => {
  const source = resolve(draft, from, false, walk)
  const found = resolveEntry(draft, to, false, walk)
  if (found.place !== undefined) fail("EEXIST", to)
  requireWritable(draft, found.parent, to)
  if (source.mount !== found.parent.mount) fail("EXDEV", to)
  requireEntryChange(draft, found.parent, to)
  if (attributesOf(draft, source).type === "directory") fail("EPERM", from)
  const filesystem = filesystemOf(draft, source)
  driverOf(filesystem).link(draft, filesystem, found.parent.node, found.name, source.node)
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

/**
 * Replaces the content (O_TRUNC), or adds to it; made with `mode` when missing unless `create` is
 * false.
 */
export const writeFile = (
  draft: Draft,
  path: string,
  content: Content,
  options: { readonly mode: number; readonly append?: boolean; readonly create?: boolean },
  walk: Walk = {}
): Place => {
  const found = resolveEntry(draft, path, true, walk)
  if (found.place === undefined) {
    if (options.create === false) fail("ENOENT", path)
    if (found.mustBeDirectory) fail("EISDIR", path)
    const { uid, gid, umask } = current(draft)
    return createAt(draft, found, path, {
      type: "file",
      content,
      mode: options.mode & ~umask & 0o7777,
      uid,
      gid
    })
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
  draft: Draft,
  place: Place,
  attributes: Attributes,
  content: Content,
  append: boolean,
  path: string
): void => {
  if (attributes.type === "character" || attributes.type === "block") {
    if (mountOf(draft, place).flags.nodev) fail("EACCES", path)
    if (attributes.major === memoryDevices && attributes.minor === fullDevice) fail("ENOSPC", path)
    return
  }
  requireWritable(draft, place, path)
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  driver.write(
    draft,
    filesystem,
    place.node,
    append
      ? concatenate(driver.read(draft, filesystem, place.node), content)
      : content
  )
}

export const changeMode = (draft: Draft, path: string, mode: number, walk: Walk = {}): void => {
  const place = resolve(draft, path, true, walk)
  requireWritable(draft, place, path)
  requireOwner(draft, attributesOf(draft, place), path)
  const filesystem = filesystemOf(draft, place)
  driverOf(filesystem).change(draft, filesystem, place.node, { mode: mode & 0o7777 })
}

/** lchown(2): ids of the host. CAP_CHOWN, and ids that the caller's namespace knows. */
export const changeOwner = (
  draft: Draft,
  path: string,
  uid: number,
  gid: number,
  follow = true
): void => {
  const place = resolve(draft, path, follow)
  requireWritable(draft, place, path)
  const process = current(draft)
  const attributes = attributesOf(draft, place)
  const ownGroup = process.uid === attributes.uid && uid === attributes.uid &&
    (process.gid === gid || process.groups.includes(gid))
  const user = process.namespaces.user
  if (
    !ownGroup &&
    !(hasCapability(draft, process, capability.chown, user) && mapsToInside(draft, user, uid, gid))
  ) {
    fail("EPERM", path)
  }
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
