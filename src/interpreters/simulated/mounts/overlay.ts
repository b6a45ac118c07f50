/**
 * fsopen("overlay"): what the layers must be, and the marks that the kernel leaves in the work
 * directory.
 */
import { type Draft, fail, Failure } from "../Draft.ts"
import { attributesOf, filesystemOf, mountOf } from "../files/access.ts"
import { driverOf } from "../files/drivers.ts"
import { resolve } from "../files/resolve.ts"
import type { LayerRoot, Place } from "../World.ts"
import { alterMount, cloneTree, makeFilesystem, makeMount, mountAt, noFlags } from "./mountTree.ts"

/** OVL_MAX_STACK of fs/overlayfs/params.c: lower layers at most. */
const layerLimit = 500

export interface OverlayPaths {
  /** Top first. */
  readonly lower: ReadonlyArray<string>
  /** "": read-only. */
  readonly upper: string
  readonly work: string
  readonly volatile: boolean
  /** Ids of the layers are seen through this user namespace; 0: as they are. */
  readonly idmap: number
}

const layerAt = (draft: Draft, path: string): Place => {
  const place = resolve(draft, path, true)
  if (attributesOf(draft, place).type !== "directory") fail("ENOTDIR", path)
  return place
}

const rootOf = (draft: Draft, place: Place): LayerRoot => ({
  filesystem: mountOf(draft, place).filesystem,
  node: place.node
})

/** The directory and those above it within its file system. */
const isBelow = (draft: Draft, place: Place, top: Place): boolean => {
  const filesystem = filesystemOf(draft, place)
  for (let node = place.node;;) {
    if (node === top.node) return true
    const parent = driverOf(filesystem).parent(draft, filesystem, node)
    if (parent === node) return false
    node = parent
  }
}

/** The child directory of a name, made when it is not there. */
const child = (draft: Draft, directory: LayerRoot, name: string, mode: number): LayerRoot => {
  const filesystem = draft.filesystems.get(directory.filesystem)!
  const driver = driverOf(filesystem)
  const node = driver.lookup(draft, filesystem, directory.node, name) ??
    driver.create(draft, filesystem, directory.node, name, {
      type: "directory",
      mode,
      uid: 0,
      gid: 0
    })
  return { filesystem: directory.filesystem, node }
}

/**
 * ovl_workdir_create(): a directory `work` inside; a mark of an earlier volatile mount refuses the
 * new one.
 */
const prepareWork = (draft: Draft, work: LayerRoot, isVolatile: boolean, path: string): void => {
  const filesystem = draft.filesystems.get(work.filesystem)!
  const driver = driverOf(filesystem)
  const inner = driver.lookup(draft, filesystem, work.node, "work")
  const marks = inner === undefined
    ? undefined
    : driver.lookup(draft, filesystem, inner, "incompat")
  if (marks !== undefined && driver.list(draft, filesystem, marks).length > 0) {
    fail(
      "EINVAL",
      path,
      "the work directory was left by a volatile mount: remove work/incompat/volatile first"
    )
  }
  const made = child(draft, work, "work", 0)
  if (isVolatile) child(draft, child(draft, made, "incompat", 0o700), "volatile", 0o700)
}

const checkUpper = (draft: Draft, upper: Place, work: Place, paths: OverlayPaths): void => {
  if (upper.mount !== work.mount) fail("EINVAL", paths.work)
  if (isBelow(draft, upper, work) || isBelow(draft, work, upper)) fail("EINVAL", paths.work)
  if (mountOf(draft, upper).flags.ro || filesystemOf(draft, upper).readOnly) {
    fail("EROFS", paths.upper)
  }
  // overlayfs can't be an upper layer: it has no whiteouts of its own
  if (filesystemOf(draft, upper).content._tag !== "Tree") fail("EINVAL", paths.upper)
}

/**
 * A detached mount of an overlay; one lower layer alone is a read-only clone of it, since overlayfs
 * wants two.
 */
export const openOverlay = (draft: Draft, paths: OverlayPaths, at: string): number => {
  draft.syscall = "fsconfig"
  if (paths.lower.length > layerLimit) fail("EINVAL", at)
  const lower = paths.lower.map((path) => layerAt(draft, path))
  if (paths.upper === "" && lower.length === 1 && paths.idmap === 0) {
    const clone = cloneTree(draft, lower[0]!.mount, {
      recursive: false,
      bind: true,
      root: lower[0]!.node
    })
    alterMount(draft, clone, { flags: { ...mountAt(draft, clone).flags, ro: true } })
    return clone
  }
  const shown = [`lowerdir=${paths.lower.join(":")}`]
  let upper: LayerRoot | undefined
  if (paths.upper !== "") {
    const top = layerAt(draft, paths.upper)
    const work = layerAt(draft, paths.work)
    checkUpper(draft, top, work, paths)
    prepareWork(draft, rootOf(draft, work), paths.volatile, paths.work)
    upper = rootOf(draft, top)
    shown.push(`upperdir=${paths.upper}`, `workdir=${paths.work}`)
    if (paths.volatile) shown.push("volatile")
  }
  const filesystem = makeFilesystem(draft, {
    type: "overlay",
    source: "overlay",
    options: shown.join(","),
    root: "",
    readOnly: upper === undefined,
    content: {
      _tag: "Overlay",
      lower: lower.map((place) => rootOf(draft, place)),
      idmap: paths.idmap,
      ...(upper === undefined ? {} : { upper })
    }
  })
  draft.syscall = "fsmount"
  return makeMount(draft, filesystem, "", noFlags)
}

/** A detached mount of a directory, ids mapped: there is nothing below it, so all is done in it. */
export const mappedTree = (draft: Draft, place: Place, idmap: number): number =>
  makeMount(
    draft,
    makeFilesystem(draft, {
      type: "overlay",
      source: "overlay",
      options: "",
      root: "",
      readOnly: false,
      content: { _tag: "Overlay", lower: [], upper: rootOf(draft, place), idmap }
    }),
    "",
    noFlags
  )

/**
 * What the engine does before it mounts an upper layer again: the mark of a volatile mount goes.
 */
export const clearVolatile = (draft: Draft, work: string): void => {
  try {
    const place = resolve(draft, `${work}/work/incompat`, false)
    const filesystem = filesystemOf(draft, place)
    const driver = driverOf(filesystem)
    for (const name of driver.list(draft, filesystem, place.node)) {
      driver.remove(draft, filesystem, place.node, name)
    }
  } catch (failure) {
    if (
      !(failure instanceof Failure && (failure.errno === "ENOENT" || failure.errno === "ENOTDIR"))
    ) throw failure
  }
}
