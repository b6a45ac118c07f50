import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Change } from "../../../src/domain/layer/Change.ts"
import { diff } from "../../../src/domain/layer/diff.ts"
import { lowerNeeds, overlayDiff } from "../../../src/domain/layer/overlayDiff.ts"
import { mergeOverlay } from "../../../src/domain/layer/overlayMerge.ts"
import {
  entriesOf,
  entryOf,
  type FileEntry,
  impliedDirectory,
  nodeAt,
  sortedNames,
  type Tree,
  type TreeEntry,
  treeOf
} from "../../../src/domain/layer/Tree.ts"
import { type Edit, edit, edited } from "./overlayModel.ts"
import { applied, failureOf, filesOf, seen, tree } from "./trees.ts"

const changesOf = (upper: Tree, lower: Tree): ReadonlyArray<Change> =>
  Result.getOrThrow(overlayDiff(upper, lower))

/** Only what is asked for. */
const restricted = (lower: Tree, upper: Tree): Tree => {
  const listing = lowerNeeds(upper).flatMap(({ list, path }) => {
    const node = nodeAt(lower, path)
    if (node === undefined) return []
    const names = list && node.type === "dir" ? sortedNames(node) : []
    return [
      [path, entryOf(node)] as const,
      ...names.map((name) => {
        const child = path === "" ? name : `${path}/${name}`
        return [child, entryOf(nodeAt(lower, child)!)] as const
      })
    ]
  })
  return treeOf(listing)
}

/** A lower tree, and edits some of which begin where the tree has something. */
const session: fc.Arbitrary<readonly [Tree, ReadonlyArray<Edit>]> = tree.chain((lower) => {
  const all = [...entriesOf(lower)].map(([path]) => path.split("/"))
  const paths = all.filter(([name]) => name !== "")
  const aimed =
    paths.length === 0
      ? edit
      : fc.tuple(edit, fc.constantFrom(...paths)).map(([edit, path]) => ({ ...edit, path }))
  /** A directory removed with all in it, and made again with those on the way to the path. */
  const renewed =
    paths.length === 0
      ? fc.constant([])
      : fc.constantFrom(...paths).map((path): ReadonlyArray<Edit> => [
          { _tag: "Remove", path: path.slice(0, 1) },
          ...path.map((_, at) => ({ _tag: "MakeDirectory", path: path.slice(0, at + 1) }) as const)
        ])
  const single = fc.oneof(edit, aimed).map((edit): ReadonlyArray<Edit> => [edit])
  const edits = fc.array(fc.oneof({ weight: 6, arbitrary: single }, renewed), { maxLength: 12 })
  return fc.tuple(fc.constant(lower), edits.map((edits) => edits.flat()))
})

describe("the model of overlayfs", () => {
  it("shows of the two directories what the edits made", () => {
    fc.assert(
      fc.property(session, ([lower, edits]) => {
        const { shown, upper } = edited(lower, edits)
        expect(seen(mergeOverlay(lower, upper))).toEqual(seen(shown))
      }),
      { numRuns: 1000 }
    )
  })
})

describe("the changes in an upper directory", () => {
  it("made again of the lower tree are what the mount showed", () => {
    fc.assert(
      fc.property(session, ([lower, edits]) => {
        const { shown, upper } = edited(lower, edits)
        expect(seen(applied(lower, filesOf(changesOf(upper, lower))).tree)).toEqual(seen(shown))
      }),
      { numRuns: 1000 }
    )
  })

  it("are those between the lower tree and what the mount showed, without hard links", () => {
    const alone = (tree: Tree): Tree =>
      treeOf([...entriesOf(tree)].map(([path, entry]) =>
        entry.type === "dir" ? [path, entry] : [path, { ...entry, link: null }] as const))
    fc.assert(
      fc.property(session, ([tree, edits]) => {
        const lower = alone(tree)
        const { shown, upper } = edited(lower, edits.filter(({ _tag }) => _tag !== "Link"))
        const plain = (changes: ReadonlyArray<Change>) =>
          changes.map((change) => change._tag === "Deleted" ? change : [change._tag, change.path])
        expect(plain(changesOf(alone(upper), lower))).toEqual(plain(diff(lower, alone(shown))))
      }),
      { numRuns: 1000 }
    )
  })

  it("need of the lower tree only what is asked for", () => {
    fc.assert(
      fc.property(session, ([lower, edits]) => {
        const { upper } = edited(lower, edits)
        expect(changesOf(upper, restricted(lower, upper))).toEqual(changesOf(upper, lower))
      })
    )
    const lower = treeOf([["a/b/c/d", file()], ["e/f", file()]])
    const upper = treeOf([["a/new", file()]])
    expect(lowerNeeds(upper).map(({ path }) => path)).toEqual(["", "a", "a/new"])
    expect([...entriesOf(restricted(lower, upper))]).toHaveLength(2)
  })
})

const file = (over: Partial<FileEntry> = {}): FileEntry => ({
  ...impliedDirectory,
  type: "file",
  size: 3,
  content: null,
  target: "",
  devmajor: 0,
  devminor: 0,
  link: null,
  ...over
})
const marked = (name: string, value: string): Pick<FileEntry, "xattrs"> => ({
  xattrs: new Map([[name, new TextEncoder().encode(value)]])
})
const of = (files: Readonly<Record<string, TreeEntry>>): Tree => treeOf(Object.entries(files))
const outline = (upper: Tree, lower: Tree) =>
  changesOf(upper, lower).map(({ _tag, path }) => `${_tag} ${path}`)

describe("an upper directory", () => {
  const lower = of({ "d/a": file(), "d/b": file() })

  it("hides also below the directories in an opaque one", () => {
    const opaque = { ...impliedDirectory, ...marked("trusted.overlay.opaque", "y") }
    const deep = of({ "d/e/f": file() })
    expect(outline(of({ d: opaque, "d/e": impliedDirectory }), deep)).toEqual([
      "Unchanged d",
      "Unchanged d/e",
      "Deleted d/e/f"
    ])
  })

  const marks = ["trusted.overlay.opaque", "user.overlay.opaque"]
  it.each(marks)("with %s hides what is below", (name) => {
    const upper = of({ d: { ...impliedDirectory, ...marked(name, "y") }, "d/b": file({ uid: 1 }) })
    expect(outline(upper, lower)).toEqual(["Unchanged d", "Deleted d/a", "Modified d/b"])
  })

  it("with an empty file marked whiteout hides its name, if the directory says it has such", () => {
    const gone = file({ size: 0, ...marked("user.overlay.whiteout", "") })
    const says = { ...impliedDirectory, ...marked("user.overlay.opaque", "x") }
    expect(outline(of({ d: says, "d/a": gone }), lower)).toEqual(["Unchanged d", "Deleted d/a"])
    const full = of({ d: says, "d/a": { ...gone, size: 3 } })
    expect(outline(full, lower)).toEqual(["Unchanged d", "Modified d/a"])
    expect(outline(of({ "d/a": gone }), lower)).toEqual(["Unchanged d", "Modified d/a"])
  })

  it("has a file that was copied up changed, unless its content is known to be the same", () => {
    expect(outline(of({ "d/a": file() }), lower)).toEqual(["Unchanged d", "Modified d/a"])
    const known = file({ content: "sha256:1" })
    expect(outline(of({ "d/a": known }), of({ "d/a": known }))).toEqual([])
  })

  it("has nothing of overlayfs's own attributes in the changes", () => {
    const upper = of({ d: { ...impliedDirectory, ...marked("trusted.overlay.impure", "y") } })
    expect(outline(upper, lower)).toEqual([])
    const made = of({ e: { ...impliedDirectory, ...marked("trusted.overlay.origin", "y") } })
    expect(filesOf(changesOf(made, lower))[0]!.entry.xattrs.size).toBe(0)
  })

  it.each([
    ["redirect", { ...impliedDirectory, ...marked("trusted.overlay.redirect", "/other") }],
    ["metacopy", file(marked("user.overlay.metacopy", ""))]
  ])("with a %s is refused, with the option to mount it by", (option, entry) => {
    const error = failureOf(overlayDiff(of({ "d/x": entry }), lower))
    expect(error).toMatchObject({ kind: "redirect", path: "d/x" })
    expect(error.hint).toContain(option)
  })
})
