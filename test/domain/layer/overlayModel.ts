/**
 * What overlayfs writes into its upper directory while files change in the mount, and apart from
 * that what the mount shows: two accounts of the same edits, to be compared.
 */
import * as fc from "fast-check"
import type { DirectoryEntry, FileEntry, Tree, TreeNode } from "../../../src/domain/layer/Tree.ts"
import { impliedDirectory } from "../../../src/domain/layer/Tree.ts"
import { names } from "./trees.ts"

export type Edit =
  | { readonly _tag: "Write"; readonly path: ReadonlyArray<string>; readonly content: string }
  | { readonly _tag: "Symlink"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "MakeDirectory"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Remove"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "SetMode"; readonly path: ReadonlyArray<string>; readonly mode: number }
  | {
      readonly _tag: "Link"
      readonly path: ReadonlyArray<string>
      readonly from: ReadonlyArray<string>
    }

const path = fc.array(fc.constantFrom(...names.slice(0, 4)), { minLength: 1, maxLength: 3 })

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ _tag: fc.constant("Write" as const), path, content: fc.constantFrom("one", "new") }),
  fc.record({ _tag: fc.constant("Symlink" as const), path }),
  fc.record({ _tag: fc.constant("MakeDirectory" as const), path }),
  fc.record({ _tag: fc.constant("Remove" as const), path }),
  fc.record({ _tag: fc.constant("SetMode" as const), path, mode: fc.constantFrom(0o700, 0o755) }),
  fc.record({ _tag: fc.constant("Link" as const), path, from: path })
)

interface File {
  entry: FileEntry
  /** Whether only lower directories have it. */
  readonly isLower: boolean
}
interface Directory {
  entry: DirectoryEntry
  readonly children: Map<string, Directory | File>
  /** Whether a lower directory has it too, so that names in it may show through. */
  readonly isMerged: boolean
  isOpaque: boolean
}
type Node = Directory | File

const isDirectory = (node: Node | undefined): node is Directory =>
  node !== undefined && "children" in node

const empty: FileEntry = {
  ...impliedDirectory,
  type: "file",
  mode: 0o644,
  size: 0,
  content: "",
  target: "",
  devmajor: 0,
  devminor: 0,
  link: null
}
const symlink: FileEntry = { ...empty, type: "symlink", mode: 0o777, content: null, target: "a" }
const whiteout: FileEntry = { ...empty, type: "char", mode: 0, content: null }

/** A mount over `lower`, all of its edits done: its upper directory and what it shows. */
export const edited = (
  lower: Tree,
  edits: ReadonlyArray<Edit>
): { readonly upper: Tree; readonly shown: Tree } => {
  const shown = thaw(lower, new Map()) as Directory
  const upper: Directory = { ...shown, children: new Map() }
  for (const edit of edits) apply(shown, upper, edit)
  return { upper: freeze(upper), shown: freeze(shown) }
}

const thaw = (node: TreeNode, files: Map<string, File>): Node => {
  if (node.type === "dir") {
    const { children, ...entry } = node
    const nodes = [...children].map(([name, child]) => [name, thaw(child, files)] as const)
    return { entry, children: new Map(nodes), isMerged: true, isOpaque: false }
  }
  const known = node.link === null ? undefined : files.get(node.link)
  const file = known ?? { entry: node, isLower: true }
  if (node.link !== null) files.set(node.link, file)
  return file
}

const freeze = (root: Directory): Tree => {
  const links = new Map<Node, string>()
  const visit = (node: Node): TreeNode => {
    if (!isDirectory(node)) {
      const link = links.get(node) ?? `inode ${links.size}`
      links.set(node, link)
      return { ...node.entry, link }
    }
    const children = [...node.children].map(([name, child]) => [name, visit(child)] as const)
    const xattrs = new Map(node.entry.xattrs).set("trusted.overlay.origin", Uint8Array.of(1))
    if (node.isOpaque) xattrs.set("trusted.overlay.opaque", Uint8Array.of(0x79))
    return { ...node.entry, xattrs, children: new Map(children) }
  }
  return visit(root) as Tree
}

const find = (root: Directory, path: ReadonlyArray<string>): Node | undefined =>
  path.reduce<Node | undefined>(
    (node, name) => (isDirectory(node) ? node.children.get(name) : undefined),
    root
  )

/** The upper directory of a path that the mount shows as one, copied up with those above it. */
const copyUp = (shown: Directory, upper: Directory, path: ReadonlyArray<string>): Directory => {
  let up = upper
  let here = shown
  for (const name of path) {
    here = here.children.get(name) as Directory
    const there = up.children.get(name)
    const next = isDirectory(there)
      ? there
      : { entry: here.entry, children: new Map(), isMerged: true, isOpaque: false }
    up.children.set(name, next)
    up = next
  }
  return up
}

const apply = (shown: Directory, upper: Directory, edit: Edit): void => {
  const above = edit.path.slice(0, -1)
  const name = edit.path.at(-1)!
  const parent = find(shown, above)
  if (!isDirectory(parent)) return
  const found = parent.children.get(name)
  const put = (node: Node): void => {
    parent.children.set(name, node)
    copyUp(shown, upper, above).children.set(name, node)
  }
  /** The file copied up under this one name, whatever others it had. */
  const own = (file: File, at: ReadonlyArray<string>): File => {
    if (!file.isLower) return file
    const copy: File = { entry: file.entry, isLower: false }
    const last = at.at(-1)!
    ;(find(shown, at.slice(0, -1)) as Directory).children.set(last, copy)
    copyUp(shown, upper, at.slice(0, -1)).children.set(last, copy)
    return copy
  }
  switch (edit._tag) {
    case "Write": {
      if (isDirectory(found)) return
      const entry = { ...empty, content: edit.content, size: edit.content.length }
      if (found === undefined || found.entry.type !== "file") return put({ entry, isLower: false })
      const file = own(found, edit.path)
      file.entry = { ...file.entry, content: edit.content, size: edit.content.length }
      return
    }
    case "Symlink":
      if (found !== undefined) return
      return put({ entry: symlink, isLower: false })
    case "MakeDirectory": {
      if (found !== undefined) return
      const made = { entry: impliedDirectory, isMerged: false }
      parent.children.set(name, { ...made, children: new Map(), isOpaque: false })
      const up = copyUp(shown, upper, above)
      up.children.set(name, { ...made, children: new Map(), isOpaque: up.isMerged })
      return
    }
    case "Remove": {
      if (found === undefined) return
      parent.children.delete(name)
      const up = copyUp(shown, upper, above)
      // Also where no lower directory has the name: a whiteout of nothing does no harm.
      if (up.isMerged) up.children.set(name, { entry: whiteout, isLower: false })
      else up.children.delete(name)
      return
    }
    case "SetMode": {
      if (found === undefined) return
      if (isDirectory(found)) {
        found.entry = { ...found.entry, mode: edit.mode }
        copyUp(shown, upper, edit.path).entry = found.entry
        return
      }
      if (found.entry.type === "symlink") return
      const file = own(found, edit.path)
      file.entry = { ...file.entry, mode: edit.mode }
      return
    }
    case "Link": {
      const from = find(shown, edit.from)
      if (found !== undefined || from === undefined || isDirectory(from)) return
      return put(own(from, edit.from))
    }
  }
}
