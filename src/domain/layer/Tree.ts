/**
 * A file tree as data: what a model keeps and what a listing of a directory on disk gives. Contents
 * are not in it, only something to tell them apart by.
 */
import { layerXattrs, sameXattrs } from "./layerXattrs.ts"
import { compareNames } from "./nameOrder.ts"
import type { Timestamp } from "./TarEntry.ts"

export interface Facts {
  /** Permission bits and set-id and sticky bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: Timestamp
  readonly xattrs: ReadonlyMap<string, Uint8Array>
}

export interface DirectoryEntry extends Facts {
  readonly type: "dir"
}

/** Anything but a directory. Fields that do not belong to the type are 0, "" and null. */
export interface FileEntry extends Facts {
  readonly type: "file" | "symlink" | "char" | "block" | "fifo" | "socket"
  /** Bytes of a file with its holes. */
  readonly size: number
  /**
   * Of a file: equal means that the bytes are equal (a digest, the text itself in a model),
   * different that they may differ. null: nobody looked, and only size and time tell.
   */
  readonly content: string | null
  /** Of a symlink. */
  readonly target: string
  readonly devmajor: number
  readonly devminor: number
  /**
   * Names of one file have the same (device and inode of a listing); null: it has no other name.
   */
  readonly link: string | null
}

export type TreeEntry = DirectoryEntry | FileEntry

export interface TreeDirectory extends DirectoryEntry {
  /** By name; in any order. */
  readonly children: ReadonlyMap<string, TreeNode>
}

export type TreeNode = TreeDirectory | FileEntry

/** The directory at the top. Paths in a tree have no slash at either end; "" is the top. */
export type Tree = TreeDirectory

/** What directories are that no entry of an archive describes. */
export const impliedDirectory: DirectoryEntry = {
  type: "dir",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: new Map()
}

export const emptyTree: Tree = { ...impliedDirectory, children: new Map() }

/** Names of a directory in the order of their bytes. */
export const sortedNames = (directory: TreeDirectory): ReadonlyArray<string> =>
  [...directory.children.keys()].sort(compareNames)

export const joinPath = (directory: string, name: string): string =>
  directory === "" ? name : `${directory}/${name}`

/**
 * The tree of a listing in any order. Directories that it does not mention are implied; what lies
 * below something that is no directory is an error of the caller.
 */
export const treeOf = (listing: Iterable<readonly [path: string, entry: TreeEntry]>): Tree => {
  const root: Growing = { entry: impliedDirectory, children: new Map() }
  for (const [path, entry] of listing) {
    let node = root
    for (const name of path === "" ? [] : path.split("/")) {
      const child = node.children.get(name) ?? { entry: impliedDirectory, children: new Map() }
      node.children.set(name, child)
      node = child
    }
    node.entry = entry
  }
  return grown(root) as Tree
}

interface Growing {
  entry: TreeEntry
  readonly children: Map<string, Growing>
}

const grown = ({ children, entry }: Growing): TreeNode => {
  if (entry.type === "dir") {
    return { ...entry, children: new Map([...children].map(([name, one]) => [name, grown(one)])) }
  }
  if (children.size > 0) throw new Error(`a ${entry.type} of the listing has names below it`)
  return entry
}

/** An entry without what is in it. */
export const entryOf = (node: TreeNode): TreeEntry => {
  if (node.type !== "dir") return node
  const { children: _children, ...entry } = node
  return entry
}

/** Every path with its entry, in the order of a walk: parents first, names by their bytes. */
export function* entriesOf(
  tree: Tree,
  path = ""
): Generator<readonly [path: string, entry: TreeEntry]> {
  yield [path, entryOf(tree)]
  for (const name of sortedNames(tree)) {
    const child = tree.children.get(name)!
    if (child.type === "dir") yield* entriesOf(child, joinPath(path, name))
    else yield [joinPath(path, name), child]
  }
}

/** What has the path; symlinks are not followed. */
export const nodeAt = (tree: Tree, path: string): TreeNode | undefined => {
  let node: TreeNode | undefined = tree
  for (const name of path === "" ? [] : path.split("/")) {
    node = node?.type === "dir" ? node.children.get(name) : undefined
  }
  return node
}

/** The tree with something said of the contents of some files: the same text for equal ones. */
export const withContents = (tree: Tree, paths: ReadonlySet<string>, content: string): Tree => {
  const inside = (node: TreeNode, path: string): TreeNode =>
    node.type !== "dir" ? (paths.has(path) ? { ...node, content } : node) : directory(node, path)
  const directory = (node: Tree, path: string): Tree => ({
    ...node, children: new Map([...node.children].map(([name, child]) => [name, inside(child, joinPath(path, name))]))
  })
  return paths.size === 0 ? tree : directory(tree, "")
}

/** Whether two entries are the same to a layer, whatever other names they have. */
export const sameEntry = (left: TreeEntry, right: TreeEntry): boolean =>
  sameFacts(left, right) && (left.type === "dir" || right.type === "dir" || sameFile(left, right))

const sameFacts = (left: TreeEntry, right: TreeEntry): boolean =>
  left.type === right.type &&
  // Linux has no mode of a symlink.
  (left.mode === right.mode || left.type === "symlink") &&
  left.uid === right.uid &&
  left.gid === right.gid &&
  left.mtime.seconds === right.mtime.seconds &&
  left.mtime.nanoseconds === right.mtime.nanoseconds &&
  sameXattrs(layerXattrs(left.type, left.xattrs), layerXattrs(right.type, right.xattrs))

const sameFile = (left: FileEntry, right: FileEntry): boolean =>
  left.size === right.size &&
  left.target === right.target &&
  left.devmajor === right.devmajor &&
  left.devminor === right.devminor &&
  (left.content === right.content || left.content === null || right.content === null)

/**
 * All of a tree that layers carry, in a form that equal trees share: names of one file have the
 * path of the first as their `link`, sockets and foreign attributes are left out.
 */
export const portableListing = (
  tree: Tree
): ReadonlyArray<readonly [path: string, entry: TreeEntry]> => {
  const names = new Map<string, { readonly first: string; count: number }>()
  const entries = [...entriesOf(tree)].filter(([, entry]) => entry.type !== "socket")
  for (const [path, entry] of entries) {
    if (entry.type === "dir" || entry.link === null) continue
    const known = names.get(entry.link)
    if (known === undefined) names.set(entry.link, { first: path, count: 1 })
    else known.count++
  }
  return entries.map(([path, entry]) => {
    const xattrs = layerXattrs(entry.type, entry.xattrs)
    if (entry.type === "dir") return [path, { ...entry, xattrs }]
    const group = entry.link === null ? undefined : names.get(entry.link)
    const link = group === undefined || group.count === 1 ? null : group.first
    const mode = entry.type === "symlink" ? 0o777 : entry.mode
    return [path, { ...entry, mode, xattrs, link }]
  })
}
