/** Mounts that an archive is being unpacked onto: they are open, and outlive their namespace until it is closed. */
import type { Draft } from "../Draft.ts"
import type { Place } from "../World.ts"
import { graft, makeMount, mountAt, treeOf } from "./mountTree.ts"

/** No node: what stands there is not come across by any path. */
const nowhere = -1

/** The same place on a detached mount of its own, without what stands on it. */
const detached = (draft: Draft, { mount, node }: Place): Place => {
  const { filesystem, flags, root, source } = mountAt(draft, mount)
  return { mount: makeMount(draft, filesystem, root, flags, source), node }
}

/** Before a tree of mounts goes with its namespace. */
export const keepOpened = (draft: Draft, tree: number): void => {
  const going = new Set(treeOf(draft, tree))
  for (const handle of draft.handles.values()) {
    if (handle._tag !== "ArchiveWrite" || !going.has(handle.unpack.target.root.mount)) continue
    const { target } = handle.unpack
    const root = detached(draft, target.root)
    let directory = { mount: root.mount, node: target.directory.node }
    if (target.directory.mount !== target.root.mount) {
      directory = detached(draft, target.directory)
      graft(draft, directory.mount, root.mount, nowhere)
    }
    draft.handles = draft.handles.set(handle.id, {
      ...handle, ownMount: root.mount, unpack: { ...handle.unpack, target: { ...target, root, directory } }
    })
  }
}
