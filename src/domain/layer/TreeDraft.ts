/**
 * A tree while a layer is unpacked into it: nodes that change in place, with what the layer has
 * done to each, and paths resolved as the kernel does inside a root.
 */
import type { EntryPath } from "./entryPath.ts"
import type { LayerError } from "./LayerError.ts"
import type { LayerLimits } from "./LayerLimits.ts"
import { tooDeep } from "./LayerUnpacking.ts"
import { isWhiteoutDevice, opaqueValue, opaqueXattr } from "./OverlayMark.ts"
import { encodeName } from "./tarName.ts"
import {
  type DirectoryEntry,
  entryOf,
  type FileEntry,
  impliedDirectory,
  joinPath,
  type Tree,
  type TreeDirectory
} from "./Tree.ts"
import { mostSymlinks, nameTooLong, notDirectory, reservedName, tooManyLinks } from "./unpackFaults.ts"
import { whiteoutPrefix } from "./whiteout.ts"

export interface DraftDirectory {
  readonly type: "dir"
  entry: DirectoryEntry
  readonly children: Map<string, DraftNode>
  /** Whether it or something in it is of this layer. */
  isTouched: boolean
  /**
   * Whether its facts are what this layer wants, and not only implied or those of a lower layer.
   */
  isSettled: boolean
  /** Whether nothing of a lower layer is in it, nor will be. */
  isCleared: boolean
  isOpaque: boolean
}

/** One object for all names of a file. */
export interface DraftFile {
  readonly type: FileEntry["type"]
  readonly entry: FileEntry
  isTouched: boolean
}

export type DraftNode = DraftDirectory | DraftFile

/** NAME_MAX, linux/limits.h */
const nameMax = 255

/** A directory of this layer. */
export const newDirectory = (entry: DirectoryEntry, isSettled: boolean): DraftDirectory => ({
  type: "dir",
  entry,
  children: new Map(),
  isTouched: true,
  isSettled,
  isCleared: true,
  isOpaque: false
})

/** The draft that begins with a tree, which stays as it is. */
export const draftOf = (tree: Tree): DraftDirectory => {
  const files = new Map<string, DraftFile>()
  const fileOf = (entry: FileEntry): DraftFile => {
    const known = entry.link === null ? undefined : files.get(entry.link)
    if (known !== undefined) return known
    const file: DraftFile = { type: entry.type, entry, isTouched: false }
    if (entry.link !== null) files.set(entry.link, file)
    return file
  }
  const directoryOf = (directory: TreeDirectory): DraftDirectory => {
    const draft: DraftDirectory = {
      ...newDirectory(entryOf(directory) as DirectoryEntry, false),
      isTouched: false,
      isCleared: false
    }
    for (const [name, node] of directory.children) {
      draft.children.set(name, node.type === "dir" ? directoryOf(node) : fileOf(node))
    }
    return draft
  }
  return directoryOf(tree)
}

export interface DraftResult {
  readonly tree: Tree
  /** Directories that this layer has in it but says nothing of, parents first. */
  readonly implied: ReadonlyArray<string>
}

/** The tree that a draft has become. */
export const treeOfDraft = (root: DraftDirectory): DraftResult => {
  const names = new Map<DraftFile, { readonly link: string; count: number }>()
  const implied: Array<string> = []
  const count = (directory: DraftDirectory, path: string): void => {
    if (directory.isTouched && !directory.isSettled) implied.push(path)
    for (const [name, node] of directory.children) {
      if (node.type === "dir") count(node, joinPath(path, name))
      else if (names.has(node)) names.get(node)!.count++
      else names.set(node, { link: joinPath(path, name), count: 1 })
    }
  }
  const fileOf = (file: DraftFile): FileEntry => {
    const { count, link } = names.get(file)!
    return { ...file.entry, link: count > 1 ? link : null }
  }
  const directoryOf = ({ children, entry, isOpaque }: DraftDirectory): TreeDirectory => ({
    ...entry,
    xattrs: isOpaque ? new Map([...entry.xattrs, [opaqueXattr, opaqueValue]]) : entry.xattrs,
    children: new Map(
      [...children].map(([name, node]) => [
        name,
        node.type === "dir" ? directoryOf(node) : fileOf(node)
      ])
    )
  })
  count(root, "")
  return { tree: directoryOf(root), implied }
}

/** The directory that was meant, with those above it, the root first. */
export type Stack = ReadonlyArray<DraftDirectory>

/**
 * Resolves the directory with this path inside the root. When `makes`, something of this layer will
 * be in it: what is missing on it is made; otherwise that gives undefined. Calls `visited` for each
 * name.
 */
export const resolveDirectory = (
  root: DraftDirectory,
  path: EntryPath,
  options: {
    readonly makes: boolean
    readonly limits: LayerLimits
    readonly visited: () => void
  }
): Stack | LayerError | undefined => {
  const shown = path.join("/")
  const stack: Array<DraftDirectory> = [root]
  const left = path.toReversed()
  let symlinks = 0
  if (options.makes) root.isTouched = true
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    options.visited()
    if (name === "" || name === ".") continue
    if (name === "..") {
      // The root is above itself.
      if (stack.length > 1) stack.pop()
      continue
    }
    const above = stack.at(-1)!
    const found = above.children.get(name)
    if (found === undefined || isGone(found) || isInTheWay(found)) {
      if (!options.makes) return undefined
      const wrong = wrongName(shown, name)
      if (wrong !== undefined) return wrong
      const made = newDirectory(impliedDirectory, found !== undefined)
      made.isOpaque = found !== undefined && isGone(found)
      above.children.set(name, made)
      stack.push(made)
    } else if (found.type === "dir") {
      if (options.makes) found.isTouched = true
      stack.push(found)
    } else if (found.type === "symlink") {
      if (++symlinks > mostSymlinks) return tooManyLinks(shown)
      const { target } = found.entry
      if (target.startsWith("/")) stack.length = 1
      left.push(...target.split("/").reverse())
    } else {
      return notDirectory(shown, name)
    }
    if (stack.length - 1 > options.limits.depth) return tooDeep(shown.slice(0, 100), options.limits)
  }
  return stack
}

/** Whether the node is a whiteout that this layer left: no tree has others. */
export const isGone = (node: DraftNode): boolean =>
  node.type === "char" && isWhiteoutDevice(node.entry)

/** A file of a lower layer gives way to a directory of this one; its symlinks are followed. */
const isInTheWay = (node: DraftNode): boolean =>
  !node.isTouched && node.type !== "dir" && node.type !== "symlink"

/** Names of an entry's path were looked at before; these are of a symlink's target. */
const wrongName = (path: string, name: string): LayerError | undefined => {
  if (encodeName(name).length > nameMax) return nameTooLong(path, nameMax)
  return name.startsWith(whiteoutPrefix) ? reservedName(path, whiteoutPrefix) : undefined
}
