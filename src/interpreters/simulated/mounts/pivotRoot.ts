/**
 * pivot_root(2) of a directory onto itself, and the lazy detach of the old root that follows it.
 */
import { current, type Draft, fail } from "../Draft.ts"
import { resolve } from "../files/resolve.ts"
import type { NamespaceOf, Place } from "../World.ts"
import { alterMount, graft, lift, mountAt } from "./mountTree.ts"
import { detach } from "./propagation.ts"

/** Makes the mount at `path` the root of the mount namespace; the old root is left nowhere. */
export const pivotRoot = (draft: Draft, path: string): void => {
  const process = current(draft)
  const place = resolve(draft, path, true)
  draft.syscall = "pivot_root"
  const fresh = mountAt(draft, place.mount)
  const old = mountAt(draft, process.root.mount)
  if (fresh.root !== place.node || fresh.parent === 0) fail("EINVAL", path)
  if (fresh.id === old.id) fail("EBUSY", path)
  // The new root holds the old one for a moment: it and both parents must not propagate that
  if (fresh.peers !== 0 || mountAt(draft, fresh.parent).peers !== 0) fail("EINVAL", path)
  if (old.parent !== 0 && mountAt(draft, old.parent).peers !== 0) fail("EINVAL", path)
  if (old.root !== process.root.node) fail("EINVAL", path)
  const namespace = draft.namespaces.get(process.namespaces.mnt) as NamespaceOf<"mnt">
  lift(draft, fresh.id)
  alterMount(draft, fresh.id, { namespace: namespace.id })
  for (const child of mountAt(draft, fresh.id).children) adopt(draft, child, namespace.id)
  draft.namespaces = draft.namespaces.set(namespace.id, { ...namespace, root: fresh.id })
  graft(draft, old.id, fresh.id, fresh.root)
  const root: Place = { mount: fresh.id, node: fresh.root }
  // chroot_fs_refs: every process of the namespace that stood at the old root stands at the new one
  draft.processes.forEach((one, pid) => {
    if (one.namespaces.mnt !== namespace.id) return
    const at = (where: Place) => where.mount === old.id && where.node === old.root
    if (!at(one.root) && !at(one.directory) && pid !== process.pid) return
    draft.processes = draft.processes.set(pid, {
      ...one,
      root: at(one.root) ? root : one.root,
      directory: at(one.directory) || pid === process.pid ? root : one.directory
    })
  })
  draft.syscall = "umount2"
  detach(draft, old.id)
}

const adopt = (draft: Draft, mount: number, namespace: number): void => {
  alterMount(draft, mount, { namespace })
  for (const child of mountAt(draft, mount).children) adopt(draft, child, namespace)
}
