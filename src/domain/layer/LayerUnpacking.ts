/**
 * A layer's entries, as they come, made operations for who unpacks it: checked against limits, with
 * safe paths, and whiteouts as the storage driver has them. Nothing is remembered of what was made:
 * what a whiteout finds in its place is seen where it is.
 *
 * Paths follow containerd: absolute ones count from the root, symlinks on the way are followed
 * inside the root, missing directories are made. Unlike there, and as in Docker, a path that climbs
 * out of the root is refused and not bent back.
 */
import * as Result from "effect/Result"
import { type EntryPath, resolveEntryPath } from "./entryPath.ts"
import { LayerError, layerError, type LayerErrorKind } from "./LayerError.ts"
import { defaultLayerLimits, type LayerLimits } from "./LayerLimits.ts"
import { layerXattrs } from "./layerXattrs.ts"
import { isWhiteoutDevice } from "./OverlayMark.ts"
import type { TarEntry } from "./TarEntry.ts"
import { encodeName } from "./tarName.ts"
import { type Marker, readMarker, whiteoutPrefix } from "./whiteout.ts"

/**
 * `overlay`: into an empty directory, to be a lower one of overlayfs. `flat`: over a copy of the
 * layers below (vfs, btrfs).
 */
export type LayerForm = "overlay" | "flat"

/**
 * Every path but its last name is resolved inside the root, at most 40 symlinks on the way.
 * Directories missing on it are made as `impliedDirectory`, also in the place of a file of the
 * layers below; a file of this layer on it is an error. No operation changes the time of a
 * directory that was there.
 */
export type UnpackOperation =
  /**
   * Makes the entry. A directory over a directory gives it its facts; anything else removes what is
   * there first. `link`, of a hard link, is resolved as `path` is and must be there. In the form
   * `overlay` a directory in the place of anything else (a whiteout, too) is made opaque: what is
   * below was hidden already.
   */
  | {
      readonly _tag: "Make"
      readonly path: EntryPath
      readonly entry: TarEntry
      readonly link: EntryPath | null
    }
  /**
   * Form `overlay`. Where nothing is, the device 0/0; a directory that this layer made is marked
   * opaque (and is no longer implied); other things of this layer stay as they are.
   */
  | { readonly _tag: "MakeWhiteout"; readonly path: EntryPath }
  /**
   * Form `overlay`. The directory, all names of `path` resolved, gets the attribute opaque. With
   * the path [] the layer hides all layers below it: overlayfs knows no such mark of a root, so
   * whoever mounts leaves these out.
   */
  | { readonly _tag: "MarkOpaque"; readonly path: EntryPath }
  /**
   * Form `flat`. Removes what is there, but for what this layer made, with the directories above
   * that; these, when it did not make them, become as implied ones are. Once for a directory.
   */
  | { readonly _tag: "RemoveLower"; readonly path: EntryPath }
  /**
   * Form `flat`. The same for what is in the directory, all names of `path` resolved. Directories
   * that were cleared before are passed over with all that is in them.
   */
  | { readonly _tag: "ClearLower"; readonly path: EntryPath }

/** An unpacking between two entries. */
export interface LayerUnpacking {
  readonly form: LayerForm
  readonly limits: LayerLimits
  readonly entries: number
  readonly expandedBytes: number
}

export const startLayer = (
  form: LayerForm,
  limits: LayerLimits = defaultLayerLimits
): LayerUnpacking => ({ form, limits, entries: 0, expandedBytes: 0 })

export interface LayerStep {
  /** In order. None: the entry and its data are passed over. */
  readonly operations: ReadonlyArray<UnpackOperation>
  readonly unpacking: LayerUnpacking
}

/** What an entry comes to, and the unpacking for the next. */
export const stepLayer = (
  unpacking: LayerUnpacking,
  entry: TarEntry
): Result.Result<LayerStep, LayerError> => {
  const entries = unpacking.entries + 1
  const expandedBytes = unpacking.expandedBytes + entry.size
  const { limits } = unpacking
  if (entries > limits.entries) {
    return refuse(beyond("entries", "", "entries", limits.entries, "entries"))
  }
  if (expandedBytes > limits.expandedBytes) {
    const { expandedBytes: most } = limits
    return refuse(beyond("expandedSize", entry.path, "bytes of files", most, "expandedBytes"))
  }
  const path = safePath(entry.path, limits)
  if (Result.isFailure(path)) return refuse(path.failure)
  const operations = operationsOf(unpacking, entry, path.success)
  if (Result.isFailure(operations)) return refuse(operations.failure)
  return Result.succeed({
    operations: operations.success,
    unpacking: { ...unpacking, entries, expandedBytes }
  })
}

/**
 * The error of an archive of which `compressedBytes` have come to `archiveBytes`, or undefined when
 * that is within the limits. To be asked after each piece, before it is unpacked.
 */
export const checkRatio = (
  limits: LayerLimits,
  compressedBytes: number,
  archiveBytes: number
): LayerError | undefined =>
  archiveBytes > limits.ratioFloor && archiveBytes > limits.ratio * compressedBytes
    ? beyond("ratio", "", "bytes for each compressed byte", limits.ratio, "ratio")
    : undefined

/** How many directories may be above a file is for who resolves symlinks to say again. */
export const tooDeep = (path: string, limits: LayerLimits): LayerError =>
  beyond("depth", path, "directories above it", limits.depth, "depth")

const refuse = (error: LayerError): Result.Result<never, LayerError> => Result.fail(error)

const beyond = (
  kind: LayerErrorKind,
  path: string,
  what: string,
  most: number,
  limit: keyof LayerLimits
): LayerError =>
  layerError(
    kind,
    path,
    `${what}: more than the ${most} allowed`,
    `if the layer is to be trusted, raise the limit ${limit}`
  )

const safePath = (
  path: string,
  limits: LayerLimits
): Result.Result<EntryPath, LayerError> => {
  if (isTooLong(path, limits)) return refuse(tooLong(path, limits))
  const resolved = resolveEntryPath(path)
  if (Result.isFailure(resolved)) return refuse(layerError("path", path, resolved.failure.reason))
  const names = resolved.success
  if (names.length - 1 > limits.depth) return refuse(tooDeep(path.slice(0, 100), limits))
  if (names.slice(0, -1).some(isReserved) && !isMetadata(names)) {
    const reason = `a directory can't have a name that begins with ${whiteoutPrefix}`
    return refuse(layerError("whiteout", path, reason))
  }
  return Result.succeed(names)
}

const isReserved = (name: string): boolean => name.startsWith(whiteoutPrefix)

const isTooLong = (path: string, limits: LayerLimits): boolean =>
  // A character is at most three bytes: most paths need not be encoded to be measured.
  path.length * 3 > limits.pathBytes && encodeName(path).length > limits.pathBytes

const tooLong = (path: string, limits: LayerLimits): LayerError =>
  beyond("pathLength", path.slice(0, 100), "bytes of its path", limits.pathBytes, "pathBytes")

/** AUFS's own files at the top, which no layer means to have made. */
const isMetadata = (names: EntryPath): boolean =>
  names.length > 0 && readMarker(names[0]!)._tag === "Metadata"

const nothing: Result.Result<ReadonlyArray<UnpackOperation>, LayerError> = Result.succeed([])

const operationsOf = (
  unpacking: LayerUnpacking,
  entry: TarEntry,
  path: EntryPath
): Result.Result<ReadonlyArray<UnpackOperation>, LayerError> => {
  const name = path.at(-1)
  if (name === undefined) {
    if (entry.type === "dir") return makeOf(unpacking, entry, path)
    return refuse(layerError("root", entry.path, `the root can't be a ${entry.type}`))
  }
  if (isMetadata(path)) return nothing
  const marker = readMarker(name)
  if (marker._tag === "Plain") return makeOf(unpacking, entry, path)
  return hideOf(unpacking.form, entry, path.slice(0, -1), marker)
}

/** AUFS made of its whiteouts hard links to one another. */
const isWhiteoutType = (entry: TarEntry): boolean =>
  entry.type === "file" || entry.type === "hardlink"

const hideOf = (
  form: LayerForm,
  entry: TarEntry,
  directory: EntryPath,
  marker: Marker
): Result.Result<ReadonlyArray<UnpackOperation>, LayerError> => {
  if (marker._tag === "Metadata") return nothing
  if (!isWhiteoutType(entry)) {
    const reason = `a whiteout is an empty file, this is a ${entry.type}`
    return refuse(layerError("whiteout", entry.path, reason))
  }
  if (marker._tag === "Opaque") {
    return one({ _tag: form === "overlay" ? "MarkOpaque" : "ClearLower", path: directory })
  }
  if (marker._tag !== "Whiteout") {
    return refuse(layerError("whiteout", entry.path, "it is a whiteout of no name that could be"))
  }
  const path = [...directory, marker.hidden]
  return one({ _tag: form === "overlay" ? "MakeWhiteout" : "RemoveLower", path })
}

const one = (operation: UnpackOperation): typeof nothing => Result.succeed([operation])

/**
 * MINORBITS, linux/kdev_t.h: 12 bits of a device number are the major, 20 the minor. What is beyond
 * would be cut off, and could come to 0/0.
 */
const mostMajor = 0xfff
const mostMinor = 0xfffff

const makeOf = (
  { limits }: LayerUnpacking,
  entry: TarEntry,
  path: EntryPath
): Result.Result<ReadonlyArray<UnpackOperation>, LayerError> => {
  if (isWhiteoutDevice(entry)) {
    const reason = "the character device 0/0 is how overlayfs marks a file as gone"
    return refuse(layerError("device", entry.path, reason))
  }
  if (entry.devmajor > mostMajor || entry.devminor > mostMinor) {
    return refuse(layerError("device", entry.path, "Linux has no device of this number"))
  }
  const safe = { ...entry, xattrs: layerXattrs(entry.type, entry.xattrs) }
  if (entry.type === "symlink" && isTooLong(entry.linkpath, limits)) {
    return refuse(tooLong(entry.linkpath, limits))
  }
  if (entry.type !== "hardlink") return one({ _tag: "Make", path, entry: safe, link: null })
  const link = safePath(entry.linkpath, limits)
  if (Result.isFailure(link)) return refuse(link.failure)
  if (link.success.length === 0) {
    return refuse(layerError("link", entry.path, "it is a hard link to the root"))
  }
  return one({ _tag: "Make", path, entry: safe, link: link.success })
}
