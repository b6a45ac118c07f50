/**
 * What changed from one tree to another, as a layer has to say it. Sockets are no part of a layer:
 * one is the same as nothing.
 */
import type { Change } from "./Change.ts"
import { findPairs, type Pair, type Reading } from "./findPairs.ts"
import { entriesOf, entryOf, type FileEntry, joinPath, nodeAt, sameEntry, type Tree } from "./Tree.ts"
import { canBeHidden } from "./whiteout.ts"

const wholeTree: Reading = { isWhole: () => true, isWhiteout: () => false, isComplete: true }

/**
 * The ordered changes that make `upper` of `lower`: none when both are the same. Names of one file
 * that are new or changed are all in it, also those that stayed, so that no layer links to another.
 */
export const diff = (lower: Tree, upper: Tree): ReadonlyArray<Change> =>
  diffHiding(lower, upper, noPaths)

const noPaths: ReadonlySet<string> = new Set()

/**
 * The same, but that of the directories `hidden`, which are in both trees, all is said anew: nothing
 * of the lower tree is to show through in them.
 */
export const diffHiding = (
  lower: Tree,
  upper: Tree,
  hidden: ReadonlySet<string>
): ReadonlyArray<Change> =>
  changesOf(findPairs(emptied(lower, "", hidden), upper, wholeTree), wholeTree, hidden)

const emptied = (directory: Tree, path: string, hidden: ReadonlySet<string>): Tree => {
  if (hidden.size === 0) return directory
  if (hidden.has(path)) return { ...directory, children: new Map() }
  const children = [...directory.children].map(([name, child]) =>
    [name, child.type === "dir" ? emptied(child, joinPath(path, name), hidden) : child] as const)
  return { ...directory, children: new Map(children) }
}

/** Directories in which names were deleted that no marker can tell of: there all must be said anew. */
export const unspeakable = (changes: ReadonlyArray<Change>): ReadonlySet<string> =>
  new Set(
    changes
      .filter(({ _tag, path }) => _tag === "Deleted" && !canBeHidden(path.slice(path.lastIndexOf("/") + 1)))
      .map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/"))))
  )

/**
 * Files of which a listing without contents can't tell whether they changed: size and time are the
 * same, and the time is one of whole seconds, as archives have it. Their contents must be given to
 * both trees for `diff` to be certain; it takes them for unchanged.
 */
export const undecidedContents = (lower: Tree, upper: Tree): ReadonlyArray<string> =>
  [...entriesOf(upper)]
    .filter(([path, entry]) => {
      if (entry.type !== "file" || entry.size === 0 || entry.mtime.nanoseconds !== 0) return false
      const other = nodeAt(lower, path)
      const isUnknown = other?.type === "file" && (other.content === null || entry.content === null)
      return isUnknown && sameEntry(other, entry)
    })
    .map(([path]) => path)

/** The changes that what was found comes to. */
export const changesOf = (
  found: ReadonlyArray<Pair>,
  reading: Reading,
  hidden: ReadonlySet<string> = noPaths
): ReadonlyArray<Change> => {
  const relinked = findRelinked(found, reading)
  const changes: Array<Change> = []
  const sources = new Map<string, string>()
  /** The directories above, outermost first, and whether their change is written. */
  const above: Array<{ readonly change: Change; isWritten: boolean }> = []
  const write = (change: Change): void => {
    for (const directory of above) {
      if (!directory.isWritten) changes.push(directory.change)
      directory.isWritten = true
    }
    changes.push(change)
  }
  for (const pair of found) {
    above.length = pair.depth
    const { lower, path, upper } = pair
    if (upper === undefined) {
      write({ _tag: "Deleted", path })
      continue
    }
    const tag = lower === undefined ? "Added" : "Modified"
    if (upper.type !== "dir") {
      if (isSame(pair, reading) && !relinked.has(path)) continue
      const linkTo = upper.link === null ? null : (sources.get(upper.link) ?? null)
      if (upper.link !== null && linkTo === null) sources.set(upper.link, path)
      write({ _tag: tag, path, entry: upper, linkTo })
      continue
    }
    const entry = entryOf(upper)
    const stays = lower !== undefined && sameEntry(entryOf(lower), entry)
    const change: Change = { _tag: stays ? "Unchanged" : tag, path, entry, linkTo: null }
    if (!stays) write(change)
    // Every unpacking has a root already.
    above.push({ change, isWritten: !stays || path === "" })
    // Within another one there is nothing left of the lower tree
    if (hidden.has(path) && lower !== undefined) write({ _tag: "Hidden", path })
  }
  return changes
}

const isSame = ({ lower, upper }: Pair, reading: Reading): boolean => {
  if (lower === undefined || upper === undefined || !sameEntry(lower, upper)) return false
  if (lower.type !== "file" || upper.type !== "file" || reading.isComplete) return true
  return lower.content !== null && upper.content !== null
}

/**
 * Paths of files to be written because of the names they share, if for nothing else. A group of
 * names may stay only when all its files do and were of one group, and of the groups that one group
 * fell into only the first.
 */
const findRelinked = (found: ReadonlyArray<Pair>, reading: Reading): ReadonlySet<string> => {
  const groups = new Map<string, Array<Pair>>()
  for (const pair of found) {
    if (pair.upper === undefined || pair.upper.type === "dir") continue
    const { link } = pair.upper
    if (link === null && linkBelow(pair) === null) continue
    const key = link === null ? `alone ${pair.path}` : `link ${link}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [pair])
    else group.push(pair)
  }
  const kept = new Set<string>()
  const relinked = new Set<string>()
  for (const group of groups.values()) {
    const below = linkBelow(group[0]!)
    const stays =
      // A directory of overlayfs shows nothing of the names that stayed below it.
      reading.isComplete &&
      group.every((pair) => isSame(pair, reading) && linkBelow(pair) === below) &&
      (below === null ? group.length === 1 : !kept.has(below))
    if (stays && below !== null) kept.add(below)
    if (!stays) for (const { path } of group) relinked.add(path)
  }
  return relinked
}

const linkBelow = ({ lower }: Pair): FileEntry["link"] =>
  lower === undefined || lower.type === "dir" ? null : lower.link
