/**
 * flock(2) on files of the store. A lock belongs to its handle, and goes with the engine that holds
 * it.
 */
import { current, type Draft, fail, notYet } from "../Draft.ts"
import { attributesOf, mountOf } from "../files/access.ts"
import { createAt } from "../files/fileCalls.ts"
import { resolveEntry } from "../files/resolve.ts"
import { addHandle, closeIfOpen } from "../processes/handles.ts"
import type { Place } from "../World.ts"
import type { Handlers } from "./Step.ts"

/** The lock file, made when missing; a link is refused (O_NOFOLLOW). */
const openLock = (draft: Draft, path: string): Place => {
  draft.syscall = "open"
  const found = resolveEntry(draft, path, false)
  if (found.place === undefined) {
    const { uid, gid } = current(draft)
    return createAt(draft, found, path, { type: "file", content: "", mode: 0o600, uid, gid })
  }
  const { type } = attributesOf(draft, found.place)
  if (type === "symlink") fail("ELOOP", path)
  if (type === "directory") fail("EISDIR", path)
  return found.place
}

/** The handle of the lock, or `undefined` while another holds it. */
const tryLock = (draft: Draft, path: string, shared: boolean): number | undefined => {
  const place = openLock(draft, path)
  draft.syscall = "flock"
  const { filesystem } = mountOf(draft, place)
  let taken = false
  draft.handles.forEach((handle) => {
    if (
      handle._tag === "Lock" && handle.filesystem === filesystem && handle.node === place.node &&
      !(shared && handle.shared)
    ) {
      taken = true
    }
  })
  return taken
    ? undefined
    : addHandle(draft, {
      _tag: "Lock", owner: draft.current, filesystem, node: place.node, shared, path
    })
}

export const lockSteps: Handlers<"LockAcquire" | "LockTry" | "LockRelease"> = {
  LockAcquire: (draft, { path, shared }) => tryLock(draft, path, shared) ?? notYet,
  LockTry: (draft, { path }) => tryLock(draft, path, false),
  LockRelease: (draft, { handle }) => {
    draft.syscall = "close"
    closeIfOpen(draft, draft.current, handle, ["Lock"])
  }
}
