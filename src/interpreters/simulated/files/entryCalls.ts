/** The system calls on entries of directories: rename(2), unlink(2), rmdir(2), and rm -rf. */
import { current, type Draft, fail } from "../Draft.ts"
import { capability, hasCapability } from "../processes/credentials.ts"
import { attributesOf, filesystemOf, requireEntryChange } from "./access.ts"
import type { Attributes } from "./Driver.ts"
import { driverOf } from "./drivers.ts"
import { list } from "./fileCalls.ts"
import { type Resolved, resolveEntry, type Walk } from "./resolve.ts"

/** The mount on a place in the caller's namespace, which must go before the entry can. */
const isCovered = (found: Resolved): boolean => found.place!.mount !== found.parent.mount

/** With the sticky bit only the owner of the file or of the directory may (path_resolution(7)). */
const requireSticky = (draft: Draft, parent: Attributes, entry: Attributes, path: string): void => {
  const process = current(draft)
  if ((parent.mode & 0o1000) === 0 || process.uid === entry.uid || process.uid === parent.uid) {
    return
  }
  if (!hasCapability(draft, process, capability.fowner, process.namespaces.user)) {
    fail("EPERM", path)
  }
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
  // A directory can't go into itself
  for (let at = target.parent.node; directory; at = driver.parent(draft, filesystem, at)) {
    if (at === moved.node) fail("EINVAL", to)
    if (driver.parent(draft, filesystem, at) === at) break
  }
  if (target.place !== undefined) {
    if (isCovered(target)) fail("EBUSY", to)
    const replaced = attributesOf(draft, target.place).type === "directory"
    if (directory && !replaced) fail("ENOTDIR", to)
    if (!directory && replaced) fail("EISDIR", to)
    if (replaced && driver.list(draft, filesystem, target.place.node).length > 0) {
      fail("ENOTEMPTY", to)
    }
  }
  driver.rename(draft, filesystem, source.parent.node, source.name, target.parent.node, target.name)
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
