/**
 * From a path to a place, as path_resolution(7) says: links, mounts, `..`, search permission, and
 * the limits on lengths and links.
 */
import { current, type Draft, fail } from "../Draft.ts"
import type { Place } from "../World.ts"
import { attributesOf, execute, filesystemOf, mountOf, requireAccess } from "./access.ts"
import type { Attributes } from "./Driver.ts"
import { driverOf } from "./drivers.ts"
import { entryOf } from "./treeDriver.ts"

/**
 * PATH_MAX with its NUL, NAME_MAX (include/uapi/linux/limits.h), MAXSYMLINKS
 * (include/linux/namei.h).
 */
const pathLimit = 4096
const nameLimit = 255
const linkLimit = 40

export interface Walk {
  /** What `/` and `..` above it mean; the caller's root when absent. */
  readonly root?: Place
  readonly directory?: Place
  /** As openat2(2) RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS. */
  readonly noSymlinks?: boolean
  readonly noMagicLinks?: boolean
}

export interface Resolved {
  /**
   * The directory of the last component, and its name: "" when the path ends in `/`, `.` or `..`.
   */
  readonly parent: Place
  readonly name: string
  /** Absent when the last component does not exist. */
  readonly place?: Place
  readonly mustBeDirectory: boolean
}

/** The topmost mount that covers a place. */
export const cover = (draft: Draft, place: Place): Place => {
  let at = place
  for (;;) {
    const { children } = mountOf(draft, at)
    let over: Place | undefined
    for (const child of children) {
      const mount = draft.mounts.get(child)
      if (mount !== undefined && mount.at === at.node) over = { mount: child, node: mount.root }
    }
    if (over === undefined) return at
    at = over
  }
}

const same = (one: Place, other: Place): boolean =>
  one.mount === other.mount && one.node === other.node

/** The directory above, through mounts, but never above `root`. */
const above = (draft: Draft, root: Place, place: Place): Place => {
  let at = place
  for (;;) {
    if (same(at, root)) return at
    const mount = mountOf(draft, at)
    if (mount.root !== at.node) break
    if (mount.parent === 0) return at
    at = { mount: mount.parent, node: mount.at }
  }
  const filesystem = filesystemOf(draft, at)
  return cover(draft, {
    mount: at.mount,
    node: driverOf(filesystem).parent(draft, filesystem, at.node)
  })
}

const components = (path: string): Array<string> =>
  path.split("/").filter((name) => name !== "" && name !== ".").reverse()

/**
 * Follows the link at `link` from the directory `at`: the next place and the components still to be
 * walked.
 */
const followLink = (
  draft: Draft,
  walk: Walk,
  root: Place,
  at: Place,
  link: Place,
  attributes: Attributes,
  rest: Array<string>,
  path: string
): Place => {
  if (walk.noSymlinks === true || mountOf(draft, link).flags.nosymfollow) fail("ELOOP", path)
  const filesystem = filesystemOf(draft, link)
  const jump = driverOf(filesystem).jump?.(draft, filesystem, link.node)
  if (jump !== undefined) return walk.noMagicLinks === true ? fail("ELOOP", path) : jump
  const target = attributes.target!
  if (target === "") fail("ENOENT", path)
  rest.push(...components(target))
  return target.startsWith("/") ? root : at
}

/**
 * Resolves all but the last component, and looks the last one up; `follow`: a link there is
 * followed.
 */
export const resolveEntry = (
  draft: Draft,
  path: string,
  follow: boolean,
  walk: Walk = {}
): Resolved => {
  if (path === "") fail("ENOENT", path)
  if (Buffer.byteLength(path) >= pathLimit) fail("ENAMETOOLONG", path)
  const process = walk.root === undefined || walk.directory === undefined
    ? current(draft)
    : undefined
  const root = walk.root ?? process!.root
  const rest = components(path)
  const mustBeDirectory = /(^|\/)\.{0,2}$/.test(path)
  let at = path.startsWith("/") ? root : walk.directory ?? process!.directory
  let parent = at
  let name = ""
  let links = 0
  // Attributes of `at`, where they are known already
  let known: Attributes | undefined
  while (rest.length > 0) {
    const next = rest.pop()!
    const directory = known ?? attributesOf(draft, at)
    known = undefined
    if (directory.type !== "directory") fail("ENOTDIR", path)
    requireAccess(draft, directory, execute, path)
    parent = at
    name = ""
    if (next === "..") {
      at = above(draft, root, at)
      continue
    }
    if (Buffer.byteLength(next) > nameLimit) fail("ENAMETOOLONG", path)
    const filesystem = filesystemOf(draft, at)
    const node = driverOf(filesystem).lookup(draft, filesystem, at.node, next)
    if (node === undefined) {
      return rest.length === 0 ? { parent, name: next, mustBeDirectory } : fail("ENOENT", path)
    }
    const found = cover(draft, { mount: at.mount, node })
    const attributes = attributesOf(draft, found)
    if (attributes.type === "symlink" && (rest.length > 0 || follow || mustBeDirectory)) {
      if (++links > linkLimit) fail("ELOOP", path)
      at = followLink(draft, walk, root, at, found, attributes, rest, path)
      continue
    }
    name = next
    at = found
    known = attributes
  }
  if (mustBeDirectory && (known ?? attributesOf(draft, at)).type !== "directory") {
    fail("ENOTDIR", path)
  }
  return { parent, name, place: at, mustBeDirectory }
}

/** The place that a path names; ENOENT when there is none. */
export const resolve = (draft: Draft, path: string, follow = true, walk: Walk = {}): Place =>
  resolveEntry(draft, path, follow, walk).place ?? fail("ENOENT", path)

/** The directory that a path names, which the caller may search. */
export const resolveDirectory = (draft: Draft, path: string, walk: Walk = {}): Place => {
  const place = resolve(draft, path, true, walk)
  const attributes = attributesOf(draft, place)
  if (attributes.type !== "directory") fail("ENOTDIR", path)
  return place
}

/**
 * The path of a place as seen from `root`, as getcwd(2); `(unreachable)` in front when it is not
 * below.
 */
export const pathOf = (draft: Draft, place: Place, root: Place): string => {
  const names: Array<string> = []
  let at = place
  for (;;) {
    if (same(at, root)) return `/${names.reverse().join("/")}`
    const mount = mountOf(draft, at)
    if (mount.root === at.node) {
      if (mount.parent === 0) return `(unreachable)/${names.reverse().join("/")}`
      at = { mount: mount.parent, node: mount.at }
      continue
    }
    if (typeof at.node === "string") {
      names.push(at.node.slice(at.node.lastIndexOf("/") + 1))
      at = { mount: at.mount, node: at.node.slice(0, at.node.lastIndexOf("/")) }
      continue
    }
    const entry = entryOf(draft, filesystemOf(draft, at), at.node)
    if (entry === undefined) return `(unreachable)/${names.reverse().join("/")}`
    names.push(entry.name)
    at = { mount: at.mount, node: entry.directory }
  }
}
