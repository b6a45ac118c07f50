/**
 * The names by which a layer says that something of the layers below is gone (OCI image-spec,
 * layer.md, "Whiteouts"); they come from AUFS.
 */
import { encodeName } from "./tarName.ts"

export const whiteoutPrefix = ".wh."
/** Hides all that the layers below have in the directory it lies in. */
export const opaqueMarker = ".wh..wh..opq"
/** AUFS kept its own files under such names at the top; tools leave them out. */
const metadataPrefix = ".wh..wh."

/** The most bytes of a name that can be hidden by its own marker, which may have 255 (NAME_MAX, linux/limits.h). */
const longestHidden = 255 - whiteoutPrefix.length

/** Whether a marker of its own can say that the name is gone: else only that of all names of its directory. */
export const canBeHidden = (name: string): boolean =>
  name.length * 3 <= longestHidden || encodeName(name).length <= longestHidden

export type Marker =
  | { readonly _tag: "Plain" }
  | { readonly _tag: "Whiteout"; readonly hidden: string }
  | { readonly _tag: "Opaque" }
  /** Nothing that a layer wants made. */
  | { readonly _tag: "Metadata" }
  | { readonly _tag: "Impossible" }

const plain: Marker = { _tag: "Plain" }
const impossible: Marker = { _tag: "Impossible" }

/** What the last name of an entry's path means. */
export const readMarker = (name: string): Marker => {
  if (!name.startsWith(whiteoutPrefix)) return plain
  if (name === opaqueMarker) return { _tag: "Opaque" }
  if (name.startsWith(metadataPrefix)) return { _tag: "Metadata" }
  const hidden = name.slice(whiteoutPrefix.length)
  if (hidden === "" || hidden === "." || hidden === "..") return impossible
  return { _tag: "Whiteout", hidden }
}
