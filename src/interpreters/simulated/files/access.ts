/**
 * Who may do what with a file: permission bits, capabilities of capabilities(7), read-only mounts.
 */
import { current, type Draft, fail } from "../Draft.ts"
import { capability, hasCapability, mapsToInside } from "../processes/credentials.ts"
import type { Filesystem, Mount, Place } from "../World.ts"
import type { Attributes } from "./Driver.ts"
import { driverOf } from "./drivers.ts"

export const mountOf = (draft: Draft, place: Place): Mount =>
  draft.mounts.get(place.mount) ?? fail("ENOENT")

export const filesystemOf = (draft: Draft, place: Place): Filesystem =>
  draft.filesystems.get(mountOf(draft, place).filesystem) ?? fail("EIO")

export const attributesOf = (draft: Draft, place: Place): Attributes => {
  const filesystem = filesystemOf(draft, place)
  return driverOf(filesystem).attributes(draft, filesystem, place.node)
}

export const read = 4
export const write = 2
export const execute = 1

/**
 * Whether the calling process may, by the bits of owner, group and others, and by its capabilities.
 */
export const mayAccess = (draft: Draft, attributes: Attributes, wanted: number): boolean => {
  const process = current(draft)
  const { uid, gid, mode, type } = attributes
  const shift = process.uid === uid
    ? 6
    : process.gid === gid || process.groups.includes(gid)
    ? 3
    : 0
  if (((mode >> shift) & wanted) === wanted) return true
  const user = process.namespaces.user
  // capable_wrt_inode_uidgid: the owner must exist in the caller's user namespace
  if (!mapsToInside(draft, user, uid, gid)) return false
  const anyExecute = type === "directory" || (mode & 0o111) !== 0
  if (hasCapability(draft, process, capability.dacOverride, user)) {
    return (wanted & execute) === 0 || anyExecute
  }
  const reads = type === "directory" ? read | execute : read
  return (wanted & ~reads) === 0 && hasCapability(draft, process, capability.dacReadSearch, user)
}

export const requireAccess = (
  draft: Draft,
  attributes: Attributes,
  wanted: number,
  path: string
): void => {
  if (!mayAccess(draft, attributes, wanted)) fail("EACCES", path)
}

/** EROFS where the mount or the file system is read-only. */
export const requireWritable = (draft: Draft, place: Place, path: string): void => {
  const mount = mountOf(draft, place)
  if (mount.flags.ro || draft.filesystems.get(mount.filesystem)?.readOnly === true) {
    fail("EROFS", path)
  }
}

/** Entries of a directory may be made and removed. The mount is asked first: mnt_want_write(). */
export const requireEntryChange = (draft: Draft, directory: Place, path: string): void => {
  requireWritable(draft, directory, path)
  requireAccess(draft, attributesOf(draft, directory), write | execute, path)
}

/** The owner of a file, or whoever may act as one (CAP_FOWNER). */
export const requireOwner = (draft: Draft, attributes: Attributes, path: string): void => {
  const process = current(draft)
  if (process.uid === attributes.uid) return
  if (!hasCapability(draft, process, capability.fowner, process.namespaces.user)) {
    fail("EPERM", path)
  }
}
