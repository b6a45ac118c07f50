/** InitOps that make the container's tree of mounts. */
import { current, type Draft, fail } from "../Draft.ts"
import { attributesOf, filesystemOf, mountOf } from "../files/access.ts"
import { driverOf } from "../files/drivers.ts"
import { resolve } from "../files/resolve.ts"
import { openFilesystem } from "../mounts/filesystemTypes.ts"
import {
  alterMount, cloneTree, drop, mountAt, noFlags, treeOf, withAttributes
} from "../mounts/mountTree.ts"
import { mappedTree, openOverlay } from "../mounts/overlay.ts"
import { pivotRoot } from "../mounts/pivotRoot.ts"
import { attach, setPropagation } from "../mounts/propagation.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import { namespaceAt } from "../processes/namespaces.ts"
import type { Place } from "../World.ts"
import { alterInit, initTask, type Op, supervisorOf } from "./InitState.ts"
import { lookFor, reach } from "./reach.ts"
import { openTerminal } from "./terminalOps.ts"

/** may_mount(): CAP_SYS_ADMIN over the owner of the mount namespace. */
const requireMount = (draft: Draft): void => {
  const process = current(draft)
  requireCapability(
    draft,
    process,
    capability.sysAdmin,
    namespaceAt(draft, "mnt", process.namespaces.mnt).owner || draft.initial.user
  )
}

/** move_mount(2) of a detached tree onto a place: a directory on a directory, a file on a file. */
export const moveOnto = (draft: Draft, tree: number, target: Place, path: string): void => {
  draft.syscall = "move_mount"
  requireMount(draft)
  const mount = mountAt(draft, tree)
  const isDirectory = (place: Place) => attributesOf(draft, place).type === "directory"
  if (isDirectory({ mount: tree, node: mount.root }) !== isDirectory(target)) fail("ENOTDIR", path)
  attach(draft, tree, target)
}

/** mount_setattr(2) of the attributes, then of the propagation. */
export const setAttributes = (
  draft: Draft,
  tree: number,
  attributes: Op<"MountTree">["attributes"],
  propagation: Op<"MountTree">["propagation"] | undefined
): void => {
  draft.syscall = "mount_setattr"
  for (const one of attributes.includes("recursive") ? treeOf(draft, tree) : [tree]) {
    alterMount(draft, one, { flags: withAttributes(mountAt(draft, one).flags, attributes) })
  }
  if (propagation !== undefined) setPropagation(draft, tree, propagation)
}

export const mountPropagation = (
  draft: Draft,
  { path, propagation }: Op<"MountPropagation">
): void => {
  draft.syscall = "mount"
  requireMount(draft)
  const place = resolve(draft, path, true)
  // Only a whole mount has a propagation
  if (mountOf(draft, place).root !== place.node) fail("EINVAL", path)
  setPropagation(draft, place.mount, propagation)
}

/** open_tree(2) with OPEN_TREE_CLONE. */
export const openTree = (draft: Draft, place: Place, recursive: boolean, path: string): number => {
  draft.syscall = "open_tree"
  requireMount(draft)
  const mount = mountOf(draft, place)
  if (mount.unbindable) fail("EINVAL", path)
  return cloneTree(draft, place.mount, {
    recursive,
    bind: true,
    ...(mount.root === place.node ? {} : { root: place.node })
  })
}

export const treeOpen = (
  draft: Draft,
  { slot, source, recursive, within }: Op<"TreeOpen">
): void => {
  draft.syscall = "open_tree"
  const place = ((): Place => {
    if (within === undefined) return resolve(draft, source, true)
    const other = draft.processes.get(within.pid)
    draft.syscall = "pidfd_open"
    if (other === undefined || other.state === "zombie" || other.startTime !== within.startTime) {
      return fail("ESRCH", source)
    }
    draft.syscall = "open_tree"
    return resolve(draft, source, true, { root: other.root, directory: other.root })
  })()
  const tree = openTree(draft, place, recursive, source)
  const { slots } = initTask(draft)
  const before = slots[slot]
  if (before !== undefined) drop(draft, before)
  alterInit(draft, { slots: { ...slots, [slot]: tree } })
}

export const rootOverlay = (draft: Draft, op: Op<"RootOverlay">): void => {
  // In a user namespace the supervisor makes it, with ids mapped through that namespace
  const spec = supervisorOf(draft)?.spec
  const idmap = spec?.namespaces.includes("user") === true ? current(draft).namespaces.user : 0
  const mount = openOverlay(draft, {
    lower: op.lower,
    upper: op.upper,
    work: op.work,
    volatile: op.volatile,
    idmap
  }, op.at)
  draft.syscall = "move_mount"
  moveOnto(draft, mount, resolve(draft, op.at, true), op.at)
}

/** In a user namespace a layer's own mapping of ids stands for that of the mount: an overlay of the tree alone. */
export const rootBind = (draft: Draft, { at, source }: Op<"RootBind">): void => {
  draft.syscall = "open_tree"
  const place = resolve(draft, source, true)
  const isMapped = supervisorOf(draft)?.spec.namespaces.includes("user") === true
  const mount = isMapped
    ? mappedTree(draft, place, current(draft).namespaces.user)
    : openTree(draft, place, false, source)
  if (!isMapped) setPropagation(draft, mount, "private")
  moveOnto(draft, mount, resolve(draft, at, true), at)
}

export const pivot = (draft: Draft, { at }: Op<"PivotRoot">): void => {
  draft.syscall = "chdir"
  if (attributesOf(draft, resolve(draft, at, true)).type !== "directory") fail("ENOTDIR", at)
  draft.syscall = "pivot_root"
  requireMount(draft)
  pivotRoot(draft, at)
}

export const mountTree = (
  draft: Draft,
  { slot, target, attributes, propagation }: Op<"MountTree">
): void => {
  draft.syscall = "move_mount"
  const { slots } = initTask(draft)
  const tree = slots[slot] ?? fail("EBADF", target)
  setAttributes(draft, tree, attributes, propagation)
  const directory =
    attributesOf(draft, { mount: tree, node: mountAt(draft, tree).root }).type === "directory"
  const place = reach(draft, target, {
    kind: directory ? "directory" : "file",
    mode: directory ? 0o755 : 0o644,
    strict: false
  })
  const { [slot]: _taken, ...others } = slots
  moveOnto(draft, tree, place, target)
  alterInit(draft, { slots: others })
}

/** Copies what `from` holds into another directory: links as links, owners and modes kept. */
const copyTree = (draft: Draft, from: Place, to: Place): void => {
  const source = filesystemOf(draft, from)
  const reader = driverOf(source)
  const target = filesystemOf(draft, to)
  const writer = driverOf(target)
  for (const name of reader.list(draft, source, from.node)) {
    const node = reader.lookup(draft, source, from.node, name)!
    const { type, mode, uid, gid, major, minor, target: link, modified } = reader.attributes(
      draft,
      source,
      node
    )
    const common = { mode, uid, gid }
    const made = type === "file"
      ? writer.create(draft, target, to.node, name, {
        ...common,
        type,
        content: reader.read(draft, source, node)
      })
      : type === "symlink"
      ? writer.create(draft, target, to.node, name, { ...common, type, target: link! })
      : type === "block" || type === "character"
      ? writer.create(draft, target, to.node, name, { ...common, type, major, minor })
      : writer.create(
        draft,
        target,
        to.node,
        name,
        type === "socket" ? { ...common, type, listener: 0 } : { ...common, type }
      )
    if (type === "directory") {
      copyTree(draft, { mount: from.mount, node }, { mount: to.mount, node: made })
    } else writer.change(draft, target, made, { modified })
  }
}

const copyUp = (draft: Draft, op: Op<"MountFilesystem">, hidden: Place, tree: number): void => {
  draft.syscall = "copy-up"
  const root: Place = { mount: tree, node: mountAt(draft, tree).root }
  const { mode, uid, gid } = attributesOf(draft, hidden)
  const has = (key: string) => op.options.some((option) => option.key === key)
  const filesystem = filesystemOf(draft, root)
  driverOf(filesystem).change(draft, filesystem, root.node, {
    ...(has("mode") ? {} : { mode }),
    ...(has("uid") ? {} : { uid }),
    ...(has("gid") ? {} : { gid })
  })
  copyTree(draft, hidden, root)
}

export const mountFilesystem = (draft: Draft, op: Op<"MountFilesystem">): void => {
  const target = reach(draft, op.target, { kind: "directory", mode: 0o755, strict: op.strict })
  requireMount(draft)
  const tree = openFilesystem(
    draft,
    op.type,
    op.source,
    op.options,
    withAttributes(noFlags, op.attributes),
    op.target
  )
  if (op.copyUp) copyUp(draft, op, target, tree)
  moveOnto(draft, tree, target, op.target)
}

export const mountDevpts = (draft: Draft, op: Op<"MountDevpts">): void => {
  const target = reach(draft, op.target, { kind: "directory", mode: 0o755, strict: true })
  requireMount(draft)
  const tree = openFilesystem(
    draft,
    "devpts",
    "devpts",
    op.options,
    withAttributes(noFlags, ["nosuid", "noexec"]),
    op.target
  )
  if (op.console) openTerminal(draft, { mount: tree, node: mountAt(draft, tree).root })
  moveOnto(draft, tree, target, op.target)
}

export const mountAttributes = (
  draft: Draft,
  { attributes, path, propagation }: Op<"MountAttributes">
): void => {
  const at = path === "/" ? current(draft).root : lookFor(draft, path, true)
  draft.syscall = "mount_setattr"
  if (at === undefined) return fail("ENOENT", path)
  requireMount(draft)
  setAttributes(draft, at.mount, attributes, propagation)
}
