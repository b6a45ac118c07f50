/** InitOps that make directories, links, devices and FIFOs in the container's root. */
import { current, type Draft, fail } from "../Draft.ts"
import { attributesOf, filesystemOf, mountOf } from "../files/access.ts"
import { driverOf } from "../files/drivers.ts"
import { changeOwner, makeNode } from "../files/fileCalls.ts"
import { toHost } from "../processes/credentials.ts"
import type { Op } from "./InitState.ts"
import { reach, reachParent } from "./reach.ts"

export const dirMake = (draft: Draft, { path, mode }: Op<"DirMake">): void => {
  reach(draft, path, { kind: "directory", mode, strict: false })
}

/** What the image brought at this place is kept. */
export const symlinkMake = (draft: Draft, { target, path }: Op<"SymlinkMake">): void => {
  const found = reachParent(draft, path)
  if (found.place !== undefined) return
  draft.syscall = "symlinkat"
  const { uid, gid } = current(draft)
  const filesystem = filesystemOf(draft, found.parent)
  if (mountOf(draft, found.parent).flags.ro || filesystem.readOnly) fail("EROFS", path)
  driverOf(filesystem).create(draft, filesystem, found.parent.node, found.name, {
    type: "symlink",
    target,
    mode: 0o777,
    uid,
    gid
  })
}

const nodeTypes = { b: "block", c: "character", p: "fifo" } as const

export const nodeMake = (draft: Draft, op: Op<"NodeMake">): void => {
  const found = reachParent(draft, op.path)
  const { user } = current(draft).namespaces
  draft.syscall = "mknodat"
  if (found.place !== undefined) {
    draft.syscall = "unlinkat"
    if (attributesOf(draft, found.place).type === "directory") fail("EISDIR", op.path)
    if (found.place.mount !== found.parent.mount) fail("EBUSY", op.path)
    const filesystem = filesystemOf(draft, found.parent)
    if (mountOf(draft, found.parent).flags.ro || filesystem.readOnly) fail("EROFS", op.path)
    driverOf(filesystem).remove(draft, filesystem, found.parent.node, found.name)
    draft.syscall = "mknodat"
  }
  const type = nodeTypes[op.type]
  const { uid, gid, umask } = current(draft)
  const mode = op.mode & ~umask & 0o7777
  makeNode(
    draft,
    op.path,
    type === "fifo"
      ? { type, mode, uid, gid }
      : { type, mode, uid, gid, major: op.major, minor: op.minor }
  )
  if (op.uid === 0 && op.gid === 0) return
  draft.syscall = "fchownat"
  changeOwner(
    draft,
    op.path,
    toHost(draft, user, "uidMap", op.uid) ?? fail("EINVAL", op.path),
    toHost(draft, user, "gidMap", op.gid) ?? fail("EINVAL", op.path)
  )
}
