/**
 * What changed in a mount of overlayfs, read from its upper directory: of the lower tree only that
 * is needed of which the upper directory has something to say.
 */
import * as Result from "effect/Result"
import type { Change } from "./Change.ts"
import { changesOf } from "./diff.ts"
import { findPairs, type Reading } from "./findPairs.ts"
import { LayerError, layerError } from "./LayerError.ts"
import { dependence, isOpaque, isOverlayWhiteout } from "./OverlayMark.ts"
import { joinPath, sortedNames, type Tree, type TreeDirectory } from "./Tree.ts"

const overUpper: Reading = { isWhole: isOpaque, isWhiteout: isOverlayWhiteout, isComplete: false }

/**
 * The same changes as `diff` finds between `lower` and the mount, but that a file which was copied
 * up is taken for changed unless both contents are known to be equal. `upper` is a listing of the
 * upper directory with all its attributes; of `lower` at least what `lowerNeeds` names must be
 * there. Fails where the upper directory has redirected directories or files without data.
 */
export const overlayDiff = (
  upper: Tree,
  lower: Tree
): Result.Result<ReadonlyArray<Change>, LayerError> => {
  const wrong = findDependent(upper, "")
  return wrong === undefined
    ? Result.succeed(changesOf(findPairs(lower, upper, overUpper), overUpper))
    : Result.fail(wrong)
}

export interface LowerNeed {
  readonly path: string
  /** Whether all names in the directory are wanted, each with what it is. */
  readonly list: boolean
}

/**
 * What has to be looked up in the lower tree: the paths that the upper directory has, and the names
 * in the directories that it hides.
 */
export const lowerNeeds = (upper: Tree): ReadonlyArray<LowerNeed> => {
  const needs: Array<LowerNeed> = []
  const visit = (directory: TreeDirectory, path: string, isWithinWhole: boolean): void => {
    const list = isWithinWhole || isOpaque(directory)
    needs.push({ path, list })
    for (const name of sortedNames(directory)) {
      const child = directory.children.get(name)!
      if (child.type === "dir") visit(child, joinPath(path, name), list)
      else if (!list) needs.push({ path: joinPath(path, name), list: false })
    }
  }
  visit(upper, "", false)
  return needs
}

const findDependent = (directory: TreeDirectory, path: string): LayerError | undefined => {
  for (const [name, child] of directory.children) {
    const at = joinPath(path, name)
    const mark = dependence(child)
    if (mark !== undefined) return dependent(at, mark)
    const below = child.type === "dir" ? findDependent(child, at) : undefined
    if (below !== undefined) return below
  }
  return undefined
}

const dependent = (path: string, mark: "redirect" | "metacopy"): LayerError =>
  layerError(
    "redirect",
    path,
    `the upper directory has it marked ${mark}: it is not whole without what lies below`,
    `mount the overlay with ${mark === "redirect" ? "redirect_dir=off" : "metacopy=off"}, ` +
      "and copy what was changed under the other option"
  )
