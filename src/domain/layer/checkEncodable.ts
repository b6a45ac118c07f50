/**
 * Whether a tar archive can hold an entry. The encoder writes nothing that a reader would take for
 * something else.
 */
import type { Fragment, TarEntry } from "./TarEntry.ts"
import { blockSize } from "./TarHeader.ts"
import { fitsOctal } from "./tarNumber.ts"

/** Why no archive can hold the entry, or undefined when one can. */
export const checkEncodable = (entry: TarEntry): string | undefined => {
  const texts = [entry.path, entry.linkpath, entry.uname, entry.gname]
  if (texts.some((text) => text.includes("\0"))) return "a name contains a NUL"
  if (entry.path === "") return "the entry has no path"
  if (entry.type !== "dir" && entry.path.endsWith("/")) {
    return "only the path of a directory may end with a slash"
  }
  if ((entry.type === "symlink" || entry.type === "hardlink") === (entry.linkpath === "")) {
    return entry.linkpath === "" ? "a link has no target" : "only a link has a target"
  }
  const numbers = [entry.mode, entry.uid, entry.gid, entry.size, entry.devmajor, entry.devminor]
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    return "a number is negative or not whole"
  }
  if (entry.mode > 0o7777) return "the mode has more than permission bits"
  if (entry.size > 0 && entry.type !== "file") {
    return `a ${entry.type} has no data, but the size is ${entry.size}`
  }
  if (!fitsOctal(Math.max(entry.devmajor, entry.devminor), 8)) {
    return "the device number is too great"
  }
  const { nanoseconds, seconds } = entry.mtime
  if (
    !Number.isSafeInteger(seconds) ||
    !Number.isInteger(nanoseconds) ||
    nanoseconds < 0 ||
    nanoseconds >= 1e9
  ) {
    return "the time of modification is malformed"
  }
  if (entry.sparse !== null && entry.type !== "file") return `a ${entry.type} is not sparse`
  if (entry.sparse !== null && !isEncodableMap(entry.sparse, entry.size)) {
    return "the parts of the sparse file are not in order, or not whole blocks of 512 bytes"
  }
  for (const name of entry.xattrs.keys()) {
    if (name === "" || name.includes("\0")) return "an extended attribute has an impossible name"
  }
  return undefined
}

/**
 * GNU tar takes each part to begin with a block of the archive, other readers right after the part
 * before.
 */
const isEncodableMap = (fragments: ReadonlyArray<Fragment>, size: number): boolean => {
  let end = 0
  for (const [index, { length, offset }] of fragments.entries()) {
    const isWhole = length % blockSize === 0 || index === fragments.length - 1
    if (!Number.isSafeInteger(offset) || !(length > 0) || offset < end || !isWhole) return false
    end = offset + length
  }
  return end <= size
}
