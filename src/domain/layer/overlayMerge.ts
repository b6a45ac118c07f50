/**
 * Layers over one another, as a mount of overlayfs shows them, and what a layer that was unpacked
 * by itself still needs of those below before it can be mounted.
 */
import * as Result from "effect/Result"
import type { LayerError } from "./LayerError.ts"
import { isOpaque, isOverlayWhiteout } from "./OverlayMark.ts"
import { type DirectoryEntry, entryOf, type Tree, type TreeNode } from "./Tree.ts"
import { symlinkBelow } from "./unpackFaults.ts"

/**
 * What the mount shows. Marks of overlayfs itself are left in the attributes of what is from above.
 */
export const mergeOverlay = (lower: Tree, upper: Tree): Tree =>
  merge(apart(lower, "lower"), apart(upper, "upper")) as Tree

const merge = (lower: TreeNode | undefined, upper: TreeNode): TreeNode => {
  if (upper.type !== "dir") return upper
  const below = lower?.type === "dir" && !isOpaque(upper) ? lower : undefined
  const children = new Map(below?.children)
  for (const [name, node] of upper.children) {
    if (isOverlayWhiteout(upper, node)) children.delete(name)
    else children.set(name, merge(below?.children.get(name), node))
  }
  return { ...upper, children }
}

/** Files of two file systems are never the same, whatever their numbers. */
const apart = (node: TreeNode, side: string): TreeNode => {
  if (node.type !== "dir") {
    return node.link === null ? node : { ...node, link: `${side} ${node.link}` }
  }
  const children = [...node.children].map(([name, child]) => [name, apart(child, side)] as const)
  return { ...node, children: new Map(children) }
}

export interface ImpliedFacts {
  readonly path: string
  readonly entry: DirectoryEntry
}

/**
 * The facts that implied directories of a layer get from the layers below (`lower`: what they show,
 * at least at these paths). Where these have no directory, what is implied stays. A symlink there
 * is an error (`notDirectory`): only a layer unpacked over the others can follow it.
 */
export const settleImplied = (
  upper: Tree,
  implied: ReadonlyArray<string>,
  lower: Tree
): Result.Result<ReadonlyArray<ImpliedFacts>, LayerError> => {
  const facts: Array<ImpliedFacts> = []
  for (const path of implied) {
    const below = shownBelow(upper, lower, path)
    if (below?.type === "symlink") return Result.fail(symlinkBelow(path))
    if (below?.type === "dir") facts.push({ path, entry: entryOf(below) as DirectoryEntry })
  }
  return Result.succeed(facts)
}

/** What the lower tree has at the path, as long as the upper one lets it show. */
const shownBelow = (upper: Tree, lower: Tree, path: string): TreeNode | undefined => {
  let above: TreeNode | undefined = upper
  let below: TreeNode | undefined = lower
  for (const name of path === "" ? [] : path.split("/")) {
    if (above?.type !== "dir" || isOpaque(above) || below?.type !== "dir") return undefined
    above = above.children.get(name)
    below = below.children.get(name)
  }
  return below
}

/** The tree with the facts given to these directories. */
export const withFacts = (tree: Tree, facts: ReadonlyArray<ImpliedFacts>): Tree =>
  facts.reduce<Tree>((whole, { entry, path }) => {
    const change = (node: TreeNode, names: ReadonlyArray<string>): TreeNode => {
      if (node.type !== "dir") return node
      const [name, ...rest] = names
      if (name === undefined) {
        const own = [...node.xattrs].filter(([key]) => key.includes(".overlay."))
        return { ...node, ...entry, xattrs: new Map([...entry.xattrs, ...own]) }
      }
      const child = node.children.get(name)
      if (child === undefined) return node
      return { ...node, children: new Map(node.children).set(name, change(child, rest)) }
    }
    return change(whole, path === "" ? [] : path.split("/")) as Tree
  }, tree)
