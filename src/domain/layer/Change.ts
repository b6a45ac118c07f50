/** What is different from one tree to another, in the order in which a layer says it. */
import { comparePaths } from "./nameOrder.ts"
import type { TreeEntry } from "./Tree.ts"

/**
 * A directory comes before what is in it, and what is gone from it before what is there.
 * `Unchanged`: a directory in which something changed, without which a layer that is unpacked by
 * itself could not tell the owner and mode of it.
 */
export type Change =
  | {
      readonly _tag: "Added" | "Modified" | "Unchanged"
      readonly path: string
      readonly entry: TreeEntry
      /** Path of an earlier change that is another name of the same file. */
      readonly linkTo: string | null
    }
  | { readonly _tag: "Deleted"; readonly path: string }
  /**
   * Of a directory: nothing that the lower tree has in it is there any more. All that it has follows.
   */
  | { readonly _tag: "Hidden"; readonly path: string }

export interface DiffRow {
  readonly kind: "A" | "C" | "D"
  /** Absolute. */
  readonly path: string
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")))

/**
 * The rows of `docker diff`, in the order of their paths: added, changed, deleted. As with Docker
 * the root has none, and a directory counts as changed when a name was added to it or deleted.
 */
export const diffRows = (changes: ReadonlyArray<Change>): ReadonlyArray<DiffRow> => {
  const touched = new Set(
    changes
      .filter(({ _tag }) => _tag === "Added" || _tag === "Deleted")
      .map((change) => parentOf(change.path))
  )
  const kinds = { Added: "A", Modified: "C", Unchanged: "C", Hidden: "C", Deleted: "D" } as const
  return changes
    .filter(({ _tag, path }) => path !== "" && _tag !== "Hidden" && (_tag !== "Unchanged" || touched.has(path)))
    .toSorted((left, right) => comparePaths(left.path, right.path))
    .map(({ _tag, path }) => ({ kind: kinds[_tag], path: `/${path}` }))
}
