/** Leaves out of a container's changes what the engine has made to mount on: docker keeps that in a layer of its own. */
import type { Change } from "./Change.ts"
import { type DirectoryEntry, nodeAt, type Tree, type TreeEntry } from "./Tree.ts"

const files: ReadonlySet<string> = new Set(["etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console"])
const directories: ReadonlySet<string> = new Set(["etc", "dev", "dev/pts", "dev/shm", "dev/mqueue", "proc", "sys"])
const above: ReadonlySet<string> = new Set(["", "etc", "dev"])

const isMountPoint = ({ _tag, path }: Change, entry: TreeEntry | undefined, lower: Tree): boolean =>
  _tag === "Added" && nodeAt(lower, path) === undefined &&
  ((files.has(path) && entry?.type === "file" && entry.size === 0) || (directories.has(path) && entry?.type === "dir"))

/** What a directory is but for its time, which every name made in it changes. */
const sameButTime = (one: DirectoryEntry, other: TreeEntry | undefined): boolean =>
  other?.type === "dir" && one.mode === other.mode && one.uid === other.uid && one.gid === other.gid

/** `lower`: the tree below, at least with the directories that were changed. */
export const withoutMountPoints = (changes: ReadonlyArray<Change>, lower: Tree): ReadonlyArray<Change> => {
  const entryOf = (change: Change) => "entry" in change ? change.entry : undefined
  const isKept = (path: string, kept: ReadonlyArray<Change>): boolean =>
    kept.some((one) => path === "" ? one.path !== "" : one.path.startsWith(`${path}/`))
  const kept = changes.filter((change) => {
    const made = isMountPoint(change, entryOf(change), lower)
    // A directory that was made to mount on counts when something else is in it
    return !made || changes.some((other) =>
      other.path.startsWith(`${change.path}/`) && !isMountPoint(other, entryOf(other), lower))
  })
  if (kept.length === changes.length) return changes
  return kept.filter((change, _, all) => {
    const entry = entryOf(change)
    if (!above.has(change.path) || entry?.type !== "dir" || change._tag === "Added") return true
    return all.some(({ _tag, path }) => _tag === "Hidden" && path === change.path) ||
      isKept(change.path, all.filter(({ path }) => path !== change.path && !above.has(path) || isKept(path, all))) ||
      !sameButTime(entry, nodeAt(lower, change.path))
  })
}
