/**
 * Which extended attributes a layer carries: those that mean the same on another host. The others
 * are the host's own (labels of its security modules) or overlayfs's, whose attributes in a
 * stranger's layer would redirect directories and take data from elsewhere.
 */
import { compareNames } from "./nameOrder.ts"

const none: ReadonlyMap<string, Uint8Array> = new Map()

/**
 * Whether a layer carries the attribute; the kernel keeps `user.` only on files and directories.
 */
export const isLayerXattr = (name: string): boolean =>
  name === "security.capability" ||
  name === "system.posix_acl_access" ||
  name === "system.posix_acl_default" ||
  (name.startsWith("user.") && !name.startsWith("user.overlay."))

/** The attributes that a layer carries of these, in the order of their names. */
export const layerXattrs = (
  type: string,
  xattrs: ReadonlyMap<string, Uint8Array>
): ReadonlyMap<string, Uint8Array> => {
  if (xattrs.size === 0 || (type !== "file" && type !== "dir")) return none
  const names = [...xattrs.keys()].filter(isLayerXattr).sort(compareNames)
  return names.length === 0 ? none : new Map(names.map((name) => [name, xattrs.get(name)!]))
}

/** Whether both have the same names with the same values. */
export const sameXattrs = (
  left: ReadonlyMap<string, Uint8Array>,
  right: ReadonlyMap<string, Uint8Array>
): boolean => {
  if (left.size !== right.size) return false
  for (const [name, value] of left) {
    const other = right.get(name)
    if (other === undefined || other.length !== value.length) return false
    if (!value.every((byte, at) => byte === other[at])) return false
  }
  return true
}
