/**
 * Shared subtrees (Documentation/filesystems/sharedsubtree.rst): a mount made or taken away on a
 * shared mount also is on its peers and slaves, in whatever namespace they are.
 */
import type { Propagation } from "../../../domain/kernel/InitOp.ts"
import { type Draft, fail, takeId } from "../Draft.ts"
import type { Node, Place } from "../World.ts"
import { alterMount, cloneTree, drop, graft, isWithin, lift, mountAt, treeOf } from "./mountTree.ts"

interface Receiver {
  readonly mount: number
  readonly slave: boolean
}

/** Mounts that hear of what happens on a mount of the peer group. */
const receivers = (draft: Draft, group: number): ReadonlyArray<Receiver> => {
  const found: Array<Receiver> = []
  const groups = [{ group, slave: false }]
  for (let at = 0; at < groups.length; at++) {
    const { group: wanted, slave } = groups[at]!
    draft.mounts.forEach((mount) => {
      if (mount.namespace === 0) return
      if (mount.peers === wanted) found.push({ mount: mount.id, slave })
      else if (mount.master === wanted) {
        if (mount.peers === 0) found.push({ mount: mount.id, slave: true })
        else if (!groups.some((one) => one.group === mount.peers)) {
          groups.push({ group: mount.peers, slave: true })
        }
      }
    })
  }
  return found
}

/** Mounts a detached tree at a place, and copies of it wherever the place's mount propagates to. */
export const attach = (draft: Draft, tree: number, place: Place): void => {
  const { peers, filesystem } = mountAt(draft, place.mount)
  if (peers === 0) return graft(draft, tree, place.mount, place.node)
  const others = receivers(draft, peers).filter((one) =>
    one.mount !== place.mount &&
    isWithin(draft, filesystem, place.node, mountAt(draft, one.mount).root)
  )
  for (const one of treeOf(draft, tree)) {
    if (mountAt(draft, one).peers === 0) alterMount(draft, one, { peers: takeId(draft) })
  }
  graft(draft, tree, place.mount, place.node)
  for (const other of others) {
    const copy = cloneTree(draft, tree, { recursive: true, bind: false, slaves: other.slave })
    graft(draft, copy, other.mount, place.node)
  }
}

/** The mount on a node of a mount, not looking at what stands on that. */
const childAt = (draft: Draft, mount: number, at: Node): number | undefined =>
  mountAt(draft, mount).children.find((child) => mountAt(draft, child).at === at)

/** umount2(2) with MNT_DETACH: the tree goes here and wherever its mounts were propagated to. */
export const detach = (draft: Draft, tree: number): void => {
  for (const one of [...treeOf(draft, tree)].reverse()) {
    const { parent, at } = mountAt(draft, one)
    if (parent === 0) continue
    const { peers } = mountAt(draft, parent)
    if (peers === 0) continue
    for (const receiver of receivers(draft, peers)) {
      if (receiver.mount === parent) continue
      const twin = childAt(draft, receiver.mount, at)
      if (twin === undefined || mountAt(draft, twin).children.length > 0) continue
      lift(draft, twin)
      drop(draft, twin)
    }
  }
  lift(draft, tree)
  drop(draft, tree)
}

const setOne = (draft: Draft, id: number, kind: string): void => {
  const { peers, master } = mountAt(draft, id)
  switch (kind) {
    case "shared":
      return alterMount(draft, id, {
        peers: peers === 0 ? takeId(draft) : peers,
        unbindable: false
      })
    case "slave":
      // A group of one leaves no master behind
      return alterMount(
        draft,
        id,
        peers !== 0 && hasOthers(draft, id, peers)
          ? { peers: 0, master: peers, unbindable: false }
          : { peers: 0, master, unbindable: false }
      )
    case "private":
      return alterMount(draft, id, { peers: 0, master: 0, unbindable: false })
    case "unbindable":
      return alterMount(draft, id, { peers: 0, master: 0, unbindable: true })
    default:
      return fail("EINVAL")
  }
}

const hasOthers = (draft: Draft, id: number, peers: number): boolean =>
  draft.mounts.values().some((mount) => mount.id !== id && mount.peers === peers)

/**
 * mount(2) with a propagation flag: on the mount, with an `r` in front on all that stands on it.
 */
export const setPropagation = (draft: Draft, id: number, propagation: Propagation): void => {
  const recursive = propagation.startsWith("r")
  const kind = recursive ? propagation.slice(1) : propagation
  for (const one of recursive ? treeOf(draft, id) : [id]) setOne(draft, one, kind)
}
