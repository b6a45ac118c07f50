/** Whole trees made at once: copies, and subvolumes of a root file system that is btrfs. */
import { notBtrfs } from "../../../domain/layer/StorageDriver.ts"
import { current, type Draft, fail } from "../Draft.ts"
import { copyLooks, copyTree } from "../archives/copyTree.ts"
import { attributesOf, filesystemOf } from "../files/access.ts"
import { driverOf } from "../files/drivers.ts"
import { createAt } from "../files/fileCalls.ts"
import { resolve, resolveDirectory, resolveEntry } from "../files/resolve.ts"
import type { Place } from "../World.ts"
import type { Handlers } from "./Step.ts"

const isBtrfs = (draft: Draft, place: Place): boolean => filesystemOf(draft, place).type === "btrfs"

/** The root of the file system is one, too. */
const isSubvolume = (draft: Draft, place: Place): boolean => {
  const inode = draft.inodes.get(place.node as number)
  return place.node === filesystemOf(draft, place).root || (inode?.type === "directory" && inode.subvolume === true)
}

/** Makes the directory, which must not be there yet. */
const makeDirectory = (draft: Draft, path: string): Place => {
  const { gid, uid } = current(draft)
  return createAt(draft, resolveEntry(draft, path, false), path, { type: "directory", mode: 0o755, uid, gid })
}

const makeSubvolume = (draft: Draft, path: string): Place => {
  const place = makeDirectory(draft, path)
  const inode = draft.inodes.get(place.node as number)
  if (inode?.type === "directory") draft.inodes = draft.inodes.set(place.node as number, { ...inode, subvolume: true })
  return place
}

const liesIn = (draft: Draft, path: string, from: Place): boolean => {
  const { parent } = resolveEntry(draft, path, false)
  if (parent.mount !== from.mount) return false
  const filesystem = filesystemOf(draft, parent)
  for (let node = parent.node;;) {
    if (node === from.node) return true
    const above = driverOf(filesystem).parent(draft, filesystem, node)
    if (above === node) return false
    node = above
  }
}

/** One that is empty and has no permissions was left by an engine that died over it. */
const isHalfMade = (draft: Draft, place: Place): boolean => {
  const filesystem = filesystemOf(draft, place)
  return attributesOf(draft, place).mode === 0 && driverOf(filesystem).list(draft, filesystem, place.node).length === 0
}

const ensureLike = (draft: Draft, path: string, like: string): void => {
  draft.syscall = "mkdir"
  const { place } = resolveEntry(draft, path, false)
  if (place !== undefined && attributesOf(draft, resolve(draft, path, true)).type !== "directory") fail("EEXIST", path)
  const existing = place === undefined ? undefined : resolveDirectory(draft, path)
  if (existing !== undefined && !isHalfMade(draft, existing)) return
  draft.syscall = "openat"
  const source = resolveDirectory(draft, like)
  draft.syscall = "mkdir"
  copyLooks(draft, source, existing ?? makeDirectory(draft, path))
}

export const copySteps: Handlers<"DirEnsureLike" | "TreeCopy" | "SubvolumeMake" | "SubvolumeSnapshot"> = {
  DirEnsureLike: (draft, { like, path }) => ensureLike(draft, path, like),
  TreeCopy: (draft, { from, to }) => {
    draft.syscall = "openat"
    const source = resolveDirectory(draft, from)
    draft.syscall = "mkdirat"
    if (liesIn(draft, to, source)) fail("EINVAL", to)
    copyTree(draft, source, makeDirectory(draft, to), () => false)
  },
  SubvolumeMake: (draft, { path }) => {
    draft.syscall = "ioctl"
    if (!isBtrfs(draft, resolveEntry(draft, path, false).parent)) fail("ENOTTY", path, notBtrfs)
    makeSubvolume(draft, path)
  },
  SubvolumeSnapshot: (draft, { from, to }) => {
    draft.syscall = "openat"
    const source = resolveDirectory(draft, from)
    draft.syscall = "ioctl"
    if (!isBtrfs(draft, source)) fail("ENOTTY", to, notBtrfs)
    if (filesystemOf(draft, resolveEntry(draft, to, false).parent) !== filesystemOf(draft, source)) fail("EXDEV", to)
    if (!isSubvolume(draft, source)) fail("EINVAL", to)
    const inSubvolume = (node: Place["node"]) => isSubvolume(draft, { mount: source.mount, node })
    copyTree(draft, source, makeSubvolume(draft, to), inSubvolume)
  }
}
