/**
 * Walks an upper tree beside a lower one. The upper one may be all there is, or only what a mount
 * of overlayfs has put over the lower.
 */
import { compareNames } from "./nameOrder.ts"
import { joinPath, sortedNames, type Tree, type TreeDirectory, type TreeNode } from "./Tree.ts"

/** How the upper tree is to be read. */
export interface Reading {
  /** Whether the lower tree shows through nowhere in the directory and below it. */
  readonly isWhole: (directory: TreeDirectory) => boolean
  /** Whether what the directory has there only says that the lower tree's is gone. */
  readonly isWhiteout: (directory: TreeDirectory, node: TreeNode) => boolean
  /**
   * Whether the upper tree is all there is. Otherwise what is in it was made or copied up, and is
   * taken for changed unless its content is known to be the same.
   */
  readonly isComplete: boolean
}

/** One path: in both trees, in one of them, or (without `upper`) gone. */
export interface Pair {
  readonly path: string
  /** Names in the path. */
  readonly depth: number
  readonly upper: TreeNode | undefined
  readonly lower: TreeNode | undefined
}

/**
 * What the upper tree has to say, in the order of changes: a directory, what is gone from it, what
 * is in it.
 */
export const findPairs = (lower: Tree, upper: Tree, reading: Reading): ReadonlyArray<Pair> => {
  const found: Array<Pair> = []
  const visit = (pair: Pair, isWithinWhole: boolean): void => {
    found.push(pair)
    const { depth, lower, path, upper } = pair
    if (upper?.type !== "dir") return
    const isWhole = isWithinWhole || reading.isWhole(upper)
    const below = lower?.type === "dir" ? lower : undefined
    for (const name of goneNames(below, upper, isWhole, reading)) {
      const gone = below!.children.get(name)
      found.push({ path: joinPath(path, name), depth: depth + 1, upper: undefined, lower: gone })
    }
    for (const name of sortedNames(upper)) {
      if (!isThere(upper, name, reading)) continue
      const next = { path: joinPath(path, name), depth: depth + 1, upper: upper.children.get(name) }
      visit({ ...next, lower: lowerOf(below, name) }, isWhole)
    }
  }
  visit({ path: "", depth: 0, upper, lower }, false)
  return found
}

const lowerOf = (directory: TreeDirectory | undefined, name: string): TreeNode | undefined => {
  const node = directory?.children.get(name)
  return node?.type === "socket" ? undefined : node
}

const isThere = (directory: TreeDirectory, name: string, reading: Reading): boolean => {
  const node = directory.children.get(name)
  return node !== undefined && node.type !== "socket" && !reading.isWhiteout(directory, node)
}

const goneNames = (
  lower: TreeDirectory | undefined,
  upper: TreeDirectory,
  isWhole: boolean,
  reading: Reading
): ReadonlyArray<string> => {
  if (lower === undefined) return []
  const candidates = isWhole ? lower.children.keys() : upper.children.keys()
  return [...candidates]
    .filter((name) => lowerOf(lower, name) !== undefined && !isThere(upper, name, reading))
    .sort(compareNames)
}
