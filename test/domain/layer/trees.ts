/** Random trees for the tests, small and alike, so that two of them have much in common. */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { applyLayer, unpackLayer, type Unpacked } from "../../../src/domain/layer/apply.ts"
import type { Change } from "../../../src/domain/layer/Change.ts"
import { changesToTar, type LayerFile } from "../../../src/domain/layer/changesToTar.ts"
import type { LayerError } from "../../../src/domain/layer/LayerError.ts"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import {
  type DirectoryEntry,
  type FileEntry,
  portableListing,
  type Tree,
  type TreeDirectory,
  type TreeNode
} from "../../../src/domain/layer/Tree.ts"
import { ascii, concat } from "./archives.ts"

export const names = ["a", "b", "c", "é", "\u{1f600}", "\udcff", "long ".repeat(30)] as const

const facts = fc.record({
  mode: fc.constantFrom(0o755, 0o4711),
  uid: fc.constantFrom(0, 0, 2 ** 22),
  gid: fc.constant(0),
  mtime: fc.record({ seconds: fc.constantFrom(1, -1), nanoseconds: fc.constantFrom(0, 0, 5) }),
  xattrs: fc.constantFrom(
    new Map<string, Uint8Array>(),
    new Map<string, Uint8Array>(),
    new Map([["user.a", Uint8Array.of(1)]]),
    new Map([
      ["user.b", Uint8Array.of(0, 0xff)],
      ["security.capability", Uint8Array.of(2)]
    ])
  )
})

const nothing = { size: 0, content: null, target: "", devmajor: 0, devminor: 0 }

const file: fc.Arbitrary<FileEntry> = fc
  .tuple(
    facts,
    fc.oneof(
      fc.constantFrom("", "one", "two").map((content) => ({
        ...nothing,
        type: "file" as const,
        content,
        size: content.length
      })),
      fc.constantFrom("a", "../b", "/a/b").map((target) => ({
        ...nothing,
        type: "symlink" as const,
        target
      })),
      fc.constant({ ...nothing, type: "char" as const, devmajor: 1, devminor: 3 }),
      fc.constant({ ...nothing, type: "fifo" as const })
    ),
    fc.constantFrom(null, null, "1", "2")
  )
  .map(([shared, kind, link]) => {
    const plain = kind.type === "file"
    return {
      ...shared,
      ...kind,
      link,
      mode: kind.type === "symlink" ? 0o777 : shared.mode,
      xattrs: plain ? shared.xattrs : new Map()
    }
  })

const { node } = fc.letrec<{ node: TreeNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    file,
    fc
      .tuple(
        facts,
        fc.uniqueArray(fc.tuple(fc.constantFrom(...names), tie("node")), {
          maxLength: 4,
          selector: ([name]) => name
        })
      )
      .map(([shared, children]) => directory(shared, children))
  )
}))

const directory = (
  shared: Omit<DirectoryEntry, "type">,
  children: ReadonlyArray<readonly [string, TreeNode]>
): TreeDirectory => ({ ...shared, type: "dir", children: new Map(children) })

/** Names with one link are one file: the facts of the first. */
const linked = (tree: Tree): Tree => {
  const first = new Map<string, FileEntry>()
  const visit = (node: TreeNode): TreeNode => {
    if (node.type === "dir") {
      const children = [...node.children].map(([name, child]) => [name, visit(child)] as const)
      return { ...node, children: new Map(children) }
    }
    if (node.link === null) return node
    const known = first.get(node.link)
    if (known === undefined) first.set(node.link, node)
    return known ?? node
  }
  return visit(tree) as Tree
}

/** A tree of up to four levels, with hard links and every type of file but sockets. */
export const tree: fc.Arbitrary<Tree> = fc
  .tuple(
    facts,
    fc.uniqueArray(fc.tuple(fc.constantFrom(...names), node), {
      maxLength: 5,
      selector: ([name]) => name
    })
  )
  .map(([shared, children]) => linked(directory(shared, children)))

/** The same tree, its maps filled in the other order. */
export const reversed = (tree: Tree): Tree => {
  const visit = (node: TreeNode): TreeNode =>
    node.type === "dir"
      ? {
          ...node,
          xattrs: new Map([...node.xattrs].reverse()),
          children: new Map(
            [...node.children].reverse().map(([name, child]) => [name, visit(child)])
          )
        }
      : { ...node, xattrs: new Map([...node.xattrs].reverse()) }
  return visit(tree) as Tree
}

/** What to compare trees by. */
export const seen = (tree: Tree) => portableListing(tree)

export const filesOf = (changes: ReadonlyArray<Change>): ReadonlyArray<LayerFile> =>
  Result.getOrThrow(changesToTar(changes))

export const applied = (lower: Tree, files: Iterable<LayerFile>): Unpacked =>
  Result.getOrThrow(applyLayer(lower, files))

export const unpackedAlone = (files: Iterable<LayerFile>): Unpacked =>
  Result.getOrThrow(unpackLayer(files))

export const failureOf = (result: Result.Result<unknown, LayerError>): LayerError => {
  if (Result.isSuccess(result)) throw new Error("it did not fail")
  return result.failure
}

/** The archive of a layer; contents are what the tree says they are. */
export const archiveOf = (files: ReadonlyArray<LayerFile>): Uint8Array =>
  concat(
    ...files.flatMap(({ content, entry }) => [
      Result.getOrThrow(encodeHeader(entry)),
      ascii(content ?? ""),
      padding(entry.size)
    ]),
    endOfArchive
  )
