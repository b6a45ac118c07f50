/**
 * One entry of an archive made below a directory. Archive and directory are strangers' both:
 * parents are resolved inside the root and may not leave the directory, and nothing is written
 * through a link.
 */
import type { TarEntry } from "../../../domain/layer/TarEntry.ts"
import { type Draft, fail, Failure } from "../Draft.ts"
import { attributesOf, filesystemOf, requireWritable } from "../files/access.ts"
import type { NewNode } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { removeTree } from "../files/entryCalls.ts"
import { pathOf, resolve, resolveDirectory, type Walk } from "../files/resolve.ts"
import type { Place } from "../World.ts"
import { entryComponents, type UnpackTarget } from "./unpack.ts"

const isRoot = ({ root, directory }: UnpackTarget): boolean =>
  root.mount === directory.mount && root.node === directory.node

/**
 * Absolute links mean the root when that is unpacked into; elsewhere they would lead out
 * (RESOLVE_BENEATH).
 */
const walkOf = (target: UnpackTarget): Walk => ({
  root: target.directory,
  directory: target.directory,
  noMagicLinks: true
})

const resolveBelow = (
  draft: Draft,
  target: UnpackTarget,
  components: ReadonlyArray<string>
): Place => {
  if (components.length === 0) return target.directory
  if (!isRoot(target)) requireBeneath(draft, target, components)
  return resolveDirectory(draft, `/${components.join("/")}`, walkOf(target))
}

/** EXDEV where a link on the way is absolute. */
const requireBeneath = (
  draft: Draft,
  target: UnpackTarget,
  components: ReadonlyArray<string>
): void => {
  for (let count = 1; count <= components.length; count++) {
    const path = `/${components.slice(0, count).join("/")}`
    let link: string | undefined
    try {
      link = attributesOf(draft, resolve(draft, path, false, walkOf(target))).target
    } catch (failure) {
      if (failure instanceof Failure && failure.errno === "ENOENT") return
      throw failure
    }
    if (link?.startsWith("/") === true) fail("EXDEV", path)
  }
}

const ownerOf = (
  target: UnpackTarget,
  entry: TarEntry
): { readonly uid: number; readonly gid: number } =>
  target.owner ?? { uid: entry.uid, gid: entry.gid }

/**
 * The directory of an entry, made with its parents when missing (0755, the owner of the whole
 * archive or root).
 */
const makeParents = (
  draft: Draft,
  target: UnpackTarget,
  components: ReadonlyArray<string>
): Place => {
  try {
    return resolveBelow(draft, target, components)
  } catch (failure) {
    if (!(failure instanceof Failure && failure.errno === "ENOENT")) throw failure
  }
  const above = makeParents(draft, target, components.slice(0, -1))
  const { uid, gid } = target.owner ?? { uid: 0, gid: 0 }
  make(draft, above, components.at(-1)!, { type: "directory", mode: 0o755, uid, gid })
  return resolveBelow(draft, target, components)
}

const make = (draft: Draft, directory: Place, name: string, made: NewNode): Place => {
  requireWritable(draft, directory, name)
  const filesystem = filesystemOf(draft, directory)
  return {
    mount: directory.mount,
    node: driverOf(filesystem).create(draft, filesystem, directory.node, name, made)
  }
}

const childOf = (draft: Draft, directory: Place, name: string): Place | undefined => {
  const filesystem = filesystemOf(draft, directory)
  const node = driverOf(filesystem).lookup(draft, filesystem, directory.node, name)
  return node === undefined ? undefined : { mount: directory.mount, node }
}

/** Takes away what an entry replaces; true when a directory stays for a directory. */
const makeRoom = (
  draft: Draft,
  target: UnpackTarget,
  directory: Place,
  name: string,
  isDirectory: boolean
): boolean => {
  const there = childOf(draft, directory, name)
  if (there === undefined) return false
  const found = attributesOf(draft, there).type === "directory"
  if (found && isDirectory) return true
  if (found !== isDirectory && target.noOverwriteDirNonDir) {
    fail(isDirectory ? "ENOTDIR" : "EISDIR", name)
  }
  const walk = walkOf(target)
  removeTree(
    draft,
    `${pathOf(draft, directory, target.directory)}/${name}`.replace("//", "/"),
    walk
  )
  return false
}

const newNode = (
  entry: TarEntry,
  owner: { readonly uid: number; readonly gid: number },
  content: Uint8Array
): NewNode => {
  const common = { mode: entry.mode, ...owner }
  switch (entry.type) {
    case "dir":
      return { ...common, type: "directory" }
    case "symlink":
      return { ...common, type: "symlink", target: entry.linkpath, mode: 0o777 }
    case "char":
      return { ...common, type: "character", major: entry.devmajor, minor: entry.devminor }
    case "block":
      return { ...common, type: "block", major: entry.devmajor, minor: entry.devminor }
    case "fifo":
      return { ...common, type: "fifo" }
    default:
      return {
        ...common,
        type: "file",
        content: isText(content) ? new TextDecoder().decode(content) : content
      }
  }
}

/** Plain ASCII is kept as text: worlds are then easier to read, and smaller as JSON. */
const isText = (content: Uint8Array): boolean =>
  content.length < 65_536 && content.every((byte) => byte < 128 && byte !== 0)

const isWanted = (name: string): boolean =>
  name === "security.capability" || name.startsWith("system.posix_acl_") ||
  (name.startsWith("user.") && !name.startsWith("user.overlay."))

const micros = (entry: TarEntry): number =>
  entry.mtime.seconds * 1e6 + Math.floor(entry.mtime.nanoseconds / 1000)

const keepFacts = (
  draft: Draft,
  place: Place,
  entry: TarEntry,
  owner: { readonly uid: number; readonly gid: number }
): void => {
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  driver.change(draft, filesystem, place.node, {
    ...owner,
    ...(entry.type === "symlink" ? {} : { mode: entry.mode }),
    ...(entry.type === "dir" ? {} : { modified: micros(entry) })
  })
  if (entry.type !== "file" && entry.type !== "dir") return
  for (const [name, value] of entry.xattrs) {
    if (isWanted(name)) {
      driver.writeAttribute(
        draft,
        filesystem,
        place.node,
        name,
        Buffer.from(value).toString("latin1")
      )
    }
  }
}

const placeLink = (
  draft: Draft,
  target: UnpackTarget,
  entry: TarEntry,
  directory: Place,
  name: string
): void => {
  const components = entryComponents(entry.linkpath)
  const other = resolveBelow(draft, target, components.slice(0, -1))
  const source = childOf(draft, other, components.at(-1) ?? "") ?? fail("ENOENT", entry.linkpath)
  if (components.join("/") === entryComponents(entry.path).join("/")) return
  makeRoom(draft, target, directory, name, false)
  const filesystem = filesystemOf(draft, directory)
  if (attributesOf(draft, source).type === "directory") fail("EPERM", entry.linkpath)
  driverOf(filesystem).link(draft, filesystem, directory.node, name, source.node)
}

/** Makes one entry with its content. */
export const placeEntry = (
  draft: Draft,
  target: UnpackTarget,
  entry: TarEntry,
  content: Uint8Array
): void => {
  draft.syscall = "openat2"
  const components = entryComponents(entry.path)
  const name = components.at(-1)
  if (name === undefined) {
    if (entry.type !== "dir") fail("EISDIR", entry.path)
    return keepFacts(draft, target.directory, entry, ownerOf(target, entry))
  }
  const directory = makeParents(draft, target, components.slice(0, -1))
  if (entry.type === "hardlink") return placeLink(draft, target, entry, directory, name)
  const stays = makeRoom(draft, target, directory, name, entry.type === "dir")
  const place = stays
    ? childOf(draft, directory, name)!
    : make(draft, directory, name, newNode(entry, ownerOf(target, entry), content))
  keepFacts(draft, place, entry, ownerOf(target, entry))
}

/** The time of a directory, when all is in it; one that a later entry replaced is passed over. */
export const setTimes = (draft: Draft, target: UnpackTarget, entry: TarEntry): void => {
  try {
    const place = resolveBelow(draft, target, entryComponents(entry.path))
    const filesystem = filesystemOf(draft, place)
    driverOf(filesystem).change(draft, filesystem, place.node, { modified: micros(entry) })
  } catch (failure) {
    if (!(failure instanceof Failure && ["ENOENT", "ENOTDIR", "ELOOP"].includes(failure.errno))) {
      throw failure
    }
  }
}
