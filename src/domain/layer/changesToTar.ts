/**
 * Changes as the entries of a layer's archive. Equal changes give equal entries, and by the encoder
 * equal bytes: names of users, link counts and times of whiteouts are not in them.
 */
import * as Result from "effect/Result"
import type { Change } from "./Change.ts"
import { LayerError, layerError } from "./LayerError.ts"
import { layerXattrs } from "./layerXattrs.ts"
import { isWhiteoutDevice } from "./OverlayMark.ts"
import type { EntryType, TarEntry } from "./TarEntry.ts"
import { impliedDirectory, type TreeEntry } from "./Tree.ts"
import { canBeHidden, opaqueMarker, whiteoutPrefix } from "./whiteout.ts"

/**
 * An entry of a layer with what its data are: `content` as in a tree, null where there are none.
 */
export interface LayerFile {
  readonly entry: TarEntry
  readonly content: string | null
}

/**
 * One entry for each change, in their order. `entry.size` bytes of the file at `entry.path` follow
 * each. Fails when no layer can hold one of them.
 */
export const changesToTar = (
  changes: ReadonlyArray<Change>
): Result.Result<ReadonlyArray<LayerFile>, LayerError> => {
  const files: Array<LayerFile> = []
  for (const change of changes) {
    const wrong = refusal(change)
    if (wrong !== undefined) return Result.fail(wrong)
    files.push(entryOf(change))
  }
  return Result.succeed(files)
}

const entryOf = (change: Change): LayerFile => {
  switch (change._tag) {
    case "Deleted":
      return markerOf(change.path, whiteoutPrefix + baseOf(change.path))
    case "Hidden":
      return markerOf(`${change.path}/`, opaqueMarker)
    default:
      return fileOf(change)
  }
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

const refusal = (change: Change): LayerError | undefined => {
  if (baseOf(change.path).startsWith(whiteoutPrefix)) {
    const reason = `no layer can hold a name that begins with ${whiteoutPrefix}`
    return layerError("whiteout", change.path, reason, "rename it or remove it")
  }
  if (change._tag === "Deleted" && !canBeHidden(baseOf(change.path))) {
    const reason = "it was deleted, and the name is too long for a layer to say so"
    return layerError("path", change.path, reason, "delete the directory that it was in, and make that anew")
  }
  if ("entry" in change && isWhiteoutDevice(change.entry)) {
    const reason = "the character device 0/0 would hide a file of a lower layer"
    return layerError("device", change.path, reason, "remove it")
  }
  return undefined
}

/** All that two markers could differ in is their path: `name` where the path is. */
const markerOf = (path: string, name: string): LayerFile => {
  const directory = path.slice(0, path.lastIndexOf("/") + 1)
  const { mtime, xattrs } = impliedDirectory
  return {
    entry: {
      ...entryWithout,
      path: directory === "/" ? name : directory + name,
      type: "file",
      mode: 0,
      uid: 0,
      gid: 0,
      mtime,
      xattrs
    },
    content: null
  }
}

const entryWithout = {
  uname: "",
  gname: "",
  size: 0,
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  sparse: null
} as const

const fileOf = (change: Extract<Change, { readonly entry: TreeEntry }>): LayerFile => {
  const { entry, linkTo } = change
  const { gid, mode, mtime, type, uid } = entry
  const facts = { ...entryWithout, path: change.path === "" ? "." : change.path, uid, gid, mtime }
  if (linkTo !== null) {
    // Attributes are the first name's; owner, mode and time are here for unpackers that set them.
    const link = { type: "hardlink", linkpath: linkTo, xattrs: impliedDirectory.xattrs } as const
    return { entry: { ...facts, ...link, mode: modeOf(entry) }, content: null }
  }
  const xattrs = layerXattrs(type, entry.xattrs)
  if (entry.type === "dir") {
    return { entry: { ...facts, type: "dir", mode, xattrs }, content: null }
  }
  const { devmajor, devminor, size, target } = entry
  const kind = { type: entry.type as EntryType, mode: modeOf(entry), xattrs }
  return {
    entry: { ...facts, ...kind, size, linkpath: target, devmajor, devminor },
    content: entry.content
  }
}

/** Linux has no mode of a symlink, tools write this one. */
const modeOf = (entry: TreeEntry): number => (entry.type === "symlink" ? 0o777 : entry.mode)
