/**
 * How overlayfs says in an upper directory what is gone, and that files belong to others below
 * (Documentation/filesystems/overlayfs.rst). Its attributes are in `trusted.overlay.`, or with the
 * mount option userxattr in `user.overlay.`.
 */
import type { TreeDirectory, TreeNode } from "./Tree.ts"

export const opaqueXattr = "trusted.overlay.opaque"
export const opaqueValue = Uint8Array.of(0x79)

const prefixes = ["trusted.overlay.", "user.overlay."] as const

const markOf = (node: TreeNode, name: string): string | undefined => {
  if (node.xattrs.size === 0) return undefined
  for (const prefix of prefixes) {
    const value = node.xattrs.get(prefix + name)
    if (value !== undefined) return String.fromCharCode(...value.subarray(0, 4096))
  }
  return undefined
}

/** Whether nothing of the lower directory shows through. */
export const isOpaque = (directory: TreeDirectory): boolean => markOf(directory, "opaque") === "y"

/**
 * Whether the node stands for nothing: the device 0/0, or, in a directory marked to hold such
 * (opaque "x"), an empty file with the attribute `whiteout`.
 */
export const isOverlayWhiteout = (directory: TreeDirectory, node: TreeNode): boolean =>
  isWhiteoutDevice(node) ||
  (node.type === "file" &&
    node.size === 0 &&
    markOf(node, "whiteout") !== undefined &&
    markOf(directory, "opaque") === "x")

export const isWhiteoutDevice = (node: {
  readonly type: string
  readonly devmajor?: number
  readonly devminor?: number
}): boolean => node.type === "char" && node.devmajor === 0 && node.devminor === 0

/**
 * The mark by which a file or directory is incomplete without others that lie below, or undefined.
 */
export const dependence = (node: TreeNode): "redirect" | "metacopy" | undefined =>
  (["redirect", "metacopy"] as const).find((name) => markOf(node, name) !== undefined)
