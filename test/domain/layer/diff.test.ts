import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Change, diffRows } from "../../../src/domain/layer/Change.ts"
import { changesToTar } from "../../../src/domain/layer/changesToTar.ts"
import { diff, diffHiding, undecidedContents, unspeakable } from "../../../src/domain/layer/diff.ts"
import { mergeOverlay, settleImplied, withFacts } from "../../../src/domain/layer/overlayMerge.ts"
import {
  emptyTree,
  type FileEntry,
  impliedDirectory,
  type Tree,
  type TreeEntry,
  treeOf
} from "../../../src/domain/layer/Tree.ts"
import * as Result from "effect/Result"
import { decode } from "./archives.ts"
import {
  applied,
  archiveOf,
  failureOf,
  filesOf,
  reversed,
  seen,
  tree,
  unpackedAlone
} from "./trees.ts"

const text = (content: string, over: Partial<FileEntry> = {}): FileEntry => ({
  ...impliedDirectory,
  type: "file",
  mode: 0o644,
  size: content.length,
  content,
  target: "",
  devmajor: 0,
  devminor: 0,
  link: null,
  ...over
})
const link = (target: string): FileEntry => ({
  ...text(""),
  type: "symlink",
  content: null,
  target
})
const of = (files: Readonly<Record<string, TreeEntry>>): Tree => treeOf(Object.entries(files))
const dir = impliedDirectory

/** A line for each change: the first letter, the path, and what it is another name of. */
const outline = (changes: ReadonlyArray<Change>): ReadonlyArray<string> =>
  changes.map((change) => {
    const other = "linkTo" in change && change.linkTo !== null ? ` = ${change.linkTo}` : ""
    return `${change._tag[0]} ${change.path}${other}`
  })

describe("the difference of two trees", () => {
  it("made again of the lower one is the upper one", () => {
    fc.assert(
      fc.property(tree, tree, (lower, upper) => {
        const changes = diff(lower, upper)
        expect(seen(applied(lower, filesOf(changes)).tree)).toEqual(seen(upper))
      }),
      { numRuns: 400 }
    )
  })

  it("is the same to a layer unpacked by itself and mounted over the lower one", () => {
    fc.assert(
      fc.property(tree, tree, (lower, upper) => {
        const { implied, tree } = unpackedAlone(filesOf(diff(lower, upper)))
        // Parents are all in a layer of ours; only the root may be unsaid.
        expect(implied.filter((path) => path !== "")).toEqual([])
        const facts = Result.getOrThrow(settleImplied(tree, implied, lower))
        expect(seen(mergeOverlay(lower, withFacts(tree, facts)))).toEqual(seen(upper))
      }),
      { numRuns: 400 }
    )
  })

  it("may say of a directory all anew, which comes to the same tree and names nothing that is gone from it", () => {
    const directories = (one: Tree, path: string): ReadonlyArray<string> => [
      path,
      ...[...one.children].flatMap(([name, child]) =>
        child.type === "dir" ? directories(child, path === "" ? name : `${path}/${name}`) : [])
    ]
    fc.assert(
      fc.property(tree, tree, fc.nat(), (lower, upper, which) => {
        const both = directories(lower, "").filter((path) => directories(upper, "").includes(path))
        const hidden = both[which % both.length]!
        const changes = diffHiding(lower, upper, new Set([hidden]))
        const inside = (path: string) => hidden === "" ? path !== "" : path.startsWith(`${hidden}/`)
        expect(changes.filter(({ _tag }) => _tag === "Hidden").map(({ path }) => path)).toEqual([hidden])
        expect(changes.filter(({ _tag, path }) => _tag === "Deleted" && inside(path))).toEqual([])
        const files = filesOf(changes)
        expect(seen(applied(lower, files).tree)).toEqual(seen(upper))
        const alone = unpackedAlone(files)
        const facts = Result.getOrThrow(settleImplied(alone.tree, alone.implied, lower))
        expect(seen(mergeOverlay(lower, withFacts(alone.tree, facts)))).toEqual(seen(upper))
      }),
      { numRuns: 300 }
    )
  })

  it("names each name that is gone by a marker of its own, as far as one can be as long", () => {
    const long = (length: number) => "é".repeat(length >> 1) + "x".repeat(length % 2)
    const [fits, above] = [long(251), long(252)]
    const lower = of({ [`d/${fits}`]: text("1"), [`d/${above}`]: text("1"), "d/e/f": text("1"), "other/x": text("1") })
    const upper = of({ "d/e/f": text("1"), "other/x": text("1") })
    const changes = diff(lower, upper)
    expect([...unspeakable(changes)]).toEqual(["d"])
    expect(Result.isFailure(changesToTar(changes))).toBe(true)
    expect(unspeakable(diff(of({ [fits]: text("1") }), of({})))).toEqual(new Set())
    const anew = diffHiding(lower, upper, unspeakable(changes))
    expect(outline(anew)).toEqual(["U d", "H d", "A d/e", "A d/e/f"])
    expect(filesOf(anew).map(({ entry }) => entry.path)).toEqual(["d", "d/.wh..wh..opq", "d/e", "d/e/f"])
    expect(filesOf(diffHiding(lower, upper, new Set([""])))[0]!.entry.path).toBe(".wh..wh..opq")
  })

  it("of a tree and itself is empty", () => {
    fc.assert(
      fc.property(tree, (one) => {
        expect(diff(one, reversed(one))).toEqual([])
      })
    )
  })

  it("has nothing in it that is the same, but parents and names of one file", () => {
    fc.assert(
      fc.property(tree, tree, (lower, upper) => {
        const changes = diff(lower, upper)
        const again = diff(applied(lower, filesOf(changes)).tree, upper)
        expect(again).toEqual([])
        changes.forEach((change, at) => {
          if (change._tag !== "Unchanged") return
          expect(changes[at + 1]?.path.startsWith(`${change.path}/`)).toBe(true)
        })
      })
    )
  })

  it("has every directory before what is in it, and what is gone before what is there", () => {
    const lower = of({ "d/gone": text("1"), "d/stays": text("1"), "d/b": text("1"), z: text("1") })
    const upper = of({ "d/stays": text("1"), "d/b": text("2"), "d/a": text("1"), z: text("2") })
    expect(outline(diff(lower, upper))).toEqual(["U d", "D d/gone", "A d/a", "M d/b", "M z"])
  })

  it("says of a directory that became a file, or a symlink, no more than that", () => {
    const lower = of({ "d/e/f": text("1"), "s/f": text("1") })
    const upper = of({ d: text("1"), s: link("d") })
    expect(outline(diff(lower, upper))).toEqual(["M d", "M s"])
  })

  it("says of a file that became a directory all that is in it", () => {
    const lower = of({ d: text("1"), s: link("d") })
    const upper = of({ "d/e/f": text("1"), "s/f": text("1") })
    expect(outline(diff(lower, upper))).toEqual(["M d", "A d/e", "A d/e/f", "M s", "A s/f"])
  })

  it("deletes a directory by its own name", () => {
    const lower = of({ "d/e/f": text("1"), "d/g": text("1") })
    expect(outline(diff(lower, emptyTree))).toEqual(["D d"])
  })

  it.each([
    ["the mode", { mode: 0o600 }],
    ["the owner", { uid: 1 }],
    ["the group", { gid: 1 }],
    ["the second", { mtime: { seconds: 1, nanoseconds: 0 } }],
    ["the nanosecond", { mtime: { seconds: 0, nanoseconds: 1 } }],
    ["an attribute", { xattrs: new Map([["user.a", Uint8Array.of(1)]]) }]
  ])("sees that only %s changed, of a file, a directory and the root", (_, facts) => {
    const lower = of({ "": dir, d: dir, f: text("1") })
    const upper = of({ "": { ...dir, ...facts }, d: { ...dir, ...facts }, f: text("1", facts) })
    expect(outline(diff(lower, upper))).toEqual(["M ", "M d", "M f"])
  })

  it("does not see attributes that layers don't carry, nor the mode of a symlink", () => {
    const xattrs = new Map([["security.selinux", Uint8Array.of(1)]])
    const upper = of({ f: text("1", { xattrs }), s: { ...link("f"), mode: 0 } })
    expect(diff(of({ f: text("1"), s: link("f") }), upper)).toEqual([])
  })

  it("takes a socket for nothing", () => {
    const socket: FileEntry = { ...text(""), type: "socket", content: null }
    expect(outline(diff(of({ a: text("1"), b: socket }), of({ a: socket, c: socket })))).toEqual([
      "D a"
    ])
    expect(outline(diff(of({ b: socket }), of({ b: text("1") })))).toEqual(["A b"])
  })
})

describe("names of one file", () => {
  const two = text("1", { link: "i" })

  it("are the first as a file and the others as links to it", () => {
    expect(outline(diff(emptyTree, of({ "b/x": two, a: two, c: two })))).toEqual([
      "A a",
      "A b",
      "A b/x = a",
      "A c = a"
    ])
  })

  it("are all said again when one is new: no layer links to another", () => {
    expect(outline(diff(of({ a: two, b: two }), of({ a: two, b: two, c: two })))).toEqual([
      "M a",
      "M b = a",
      "A c = a"
    ])
  })

  it("are all said again when one was a file of its own, though nothing else changed", () => {
    const lower = of(
      { a: two, b: two, c: text("1"), d: text("1", { link: "j" }), e: text("1", { link: "j" }) }
    )
    expect(outline(diff(lower, of({ a: two, b: two, c: two })))).toEqual([
      "D d",
      "D e",
      "M a",
      "M b = a",
      "M c = a"
    ])
    expect(outline(diff(lower, of({ a: two, d: two })))).toEqual(
      ["D b", "D c", "D e", "M a", "M d = a"]
    )
  })

  it("stay unsaid when one is gone", () => {
    expect(outline(diff(of({ a: two, b: two, c: two }), of({ a: two, c: two })))).toEqual(["D b"])
  })

  it("that fell apart are said but for the first", () => {
    expect(outline(diff(of({ a: two, b: two }), of({ a: text("1"), b: text("1") })))).toEqual([
      "M b"
    ])
  })

  it("that came together are all said", () => {
    expect(outline(diff(of({ a: text("1"), b: text("1") }), of({ a: two, b: two })))).toEqual([
      "M a",
      "M b = a"
    ])
  })
})

describe("contents that nobody looked at", () => {
  const unseen = (seconds: number, nanoseconds: number) =>
    text("123", { content: null, mtime: { seconds, nanoseconds } })

  it("are told apart by size and time", () => {
    const lower = of({ a: unseen(1, 1), b: unseen(1, 1) })
    expect(outline(diff(lower, of({ a: unseen(1, 1), b: unseen(1, 2) })))).toEqual(["M b"])
  })

  it("are asked for where the time is one of archives", () => {
    const lower = of({ a: unseen(1, 1), b: unseen(1, 0), c: unseen(1, 0), d: text("123") })
    const upper = of({ a: unseen(1, 1), b: unseen(1, 0), c: unseen(2, 0), d: text("456") })
    expect(undecidedContents(lower, upper)).toEqual(["b"])
  })
})

describe("the archive of a difference", () => {
  it("read again is the same layer", () => {
    fc.assert(
      fc.property(tree, tree, (lower, upper) => {
        const files = filesOf(diff(lower, upper))
        const { error, files: decoded } = decode([archiveOf(files)])
        expect(error).toBeUndefined()
        const again = decoded.map(({ content, entry }) => ({
          entry,
          content: entry.type === "file" ? content : null
        }))
        expect(again.map(({ entry }) => entry)).toEqual(files.map(({ entry }) => entry))
        expect(seen(applied(lower, again).tree)).toEqual(seen(upper))
      }),
      { numRuns: 200 }
    )
  })

  it("has the same bytes whatever the order in which trees were filled", () => {
    fc.assert(
      fc.property(tree, tree, (lower, upper) => {
        const bytes = archiveOf(filesOf(diff(lower, upper)))
        const again = archiveOf(filesOf(diff(reversed(lower), reversed(upper))))
        expect(Buffer.from(again).equals(bytes)).toBe(true)
      })
    )
  })

  it("has no pax headers where ustar will do", () => {
    const upper = of({ "d/f": text("1", { mtime: { seconds: 1, nanoseconds: 0 } }), s: link("d") })
    const bytes = archiveOf(filesOf(diff(of({ x: text("1") }), upper)))
    // A whiteout, a directory, a file with its data, a symlink and the end.
    expect(bytes.length).toBe(512 * (1 + 1 + 2 + 1 + 2))
  })

  it("refuses a name that would be a whiteout, and the device that overlayfs takes for one", () => {
    const name = changesToTar(diff(emptyTree, of({ "d/.wh.f": text("1") })))
    expect(failureOf(name)).toMatchObject({ kind: "whiteout", path: "d/.wh.f" })
    const device = changesToTar(diff(emptyTree, of({ d: { ...text(""), type: "char" } })))
    expect(failureOf(device)).toMatchObject({ kind: "device", path: "d" })
  })
})

describe("the rows of docker diff", () => {
  it("are sorted by path, with a directory changed when a name in it came or went", () => {
    const lower = of({
      "d/gone": text("1"),
      "e/f": text("1"),
      "g/f": text("1"),
      "g/h/f": text("1"),
      top: text("1")
    })
    const upper = of({
      "d/a/b": text("1"),
      "e/f": text("2"),
      "g/f": { ...text("1"), uid: 1 },
      "g/h/f": text("1"),
      "g/h/i": text("1")
    })
    expect(diffRows(diff(lower, upper)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "C /d",
      "A /d/a",
      "A /d/a/b",
      "D /d/gone",
      "C /e/f",
      "C /g/f",
      "C /g/h",
      "A /g/h/i",
      "D /top"
    ])
  })

  it("leave the root out", () => {
    expect(diffRows(diff(of({}), of({ "": { ...dir, mode: 0o700 } })))).toEqual([])
  })
})
