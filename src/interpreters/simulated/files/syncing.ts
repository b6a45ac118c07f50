/**
 * What a loss of power takes: data of files that were unpacked and never synced. As with the delayed allocation of ext4
 * and others the names are there, of the files nothing. Files that are written in other ways are taken to be on disk.
 */
import type { Draft } from "../Draft.ts"
import type { Table } from "../Table.ts"
import type { Inode, Place, World } from "../World.ts"

/** All files below a directory are only in memory. */
export const leaveUnsynced = (draft: Draft, { node }: Place): void => {
  const waiting = [node as number]
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const inode = draft.inodes.get(number)
    if (inode?.type === "directory") waiting.push(...inode.entries.values)
    if (inode?.type === "file") draft.inodes = draft.inodes.set(number, { ...inode, unsynced: true })
  }
}

const isUnsynced = (inode: Inode): boolean => inode.type === "file" && inode.unsynced === true

/** There is one disk. */
export const syncAll = (draft: Draft): void => {
  for (const [number, inode] of draft.inodes.entries()) {
    if (inode.type !== "file" || !isUnsynced(inode)) continue
    const { unsynced: _, ...synced } = inode
    draft.inodes = draft.inodes.set(number, synced)
  }
}

/** What is on disk, and how many bytes of the files have gone. */
export const withoutUnsynced = (
  inodes: World["inodes"]
): { readonly inodes: Table<Inode>; readonly lost: number } => {
  let lost = 0
  let left = inodes
  for (const [number, inode] of inodes.entries()) {
    if (inode.type !== "file" || !isUnsynced(inode)) continue
    const { unsynced: _, ...synced } = inode
    lost += inode.size
    left = left.set(number, { ...synced, content: "", size: 0 })
  }
  return { inodes: left, lost }
}
