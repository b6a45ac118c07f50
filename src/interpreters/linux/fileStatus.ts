/** The status of a file as operations give it, from the numbers of stat(2). */
import type { FileStatus } from "../../domain/kernel/KernelOp.ts"
import type { StatusNumbers } from "./addon.ts"

/** S_IFMT and its values, inode(7). */
const formatMask = 0o170000
const types: { readonly [format: number]: FileStatus["type"] } = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
  0o060000: "block",
  0o020000: "character",
  0o010000: "fifo",
  0o140000: "socket"
}

/** `mode` has the permission, set-id and sticky bits only. */
export const fileStatus = ([mode, uid, gid, size, major, minor, target]: StatusNumbers): FileStatus => {
  const type = types[mode & formatMask] ?? "file"
  const isDevice = type === "block" || type === "character"
  return {
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    size,
    major: isDevice ? major : 0,
    minor: isDevice ? minor : 0,
    ...(type === "symlink" ? { target } : {})
  }
}
