import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { applyLayer, unpackLayer } from "../../../src/domain/layer/apply.ts"
import type { LayerFile } from "../../../src/domain/layer/changesToTar.ts"
import { diff } from "../../../src/domain/layer/diff.ts"
import { defaultLayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import { mergeOverlay, settleImplied, withFacts } from "../../../src/domain/layer/overlayMerge.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { emptyTree, entriesOf, nodeAt, type Tree } from "../../../src/domain/layer/Tree.ts"
import { applied, failureOf, filesOf, seen, tree, unpackedAlone } from "./trees.ts"

const entry = (path: string, over: Partial<TarEntry> = {}): LayerFile => {
  const whole: TarEntry = {
    path,
    type: "file",
    mode: 0o644,
    uid: 1,
    gid: 1,
    uname: "",
    gname: "",
    size: 0,
    mtime: { seconds: 1, nanoseconds: 0 },
    linkpath: "",
    devmajor: 0,
    devminor: 0,
    xattrs: new Map(),
    sparse: null,
    ...over
  }
  return { entry: whole, content: whole.type === "file" ? "new" : null }
}
const directory = (path: string): LayerFile => entry(path, { type: "dir", mode: 0o750 })
const symlink = (path: string, linkpath: string): LayerFile =>
  entry(path, { type: "symlink", linkpath })
const hardlink = (path: string, linkpath: string): LayerFile =>
  entry(path, { type: "hardlink", linkpath })

const lower = applied(emptyTree, [
  directory("d"),
  directory("d/e"),
  entry("d/e/old"),
  entry("d/old"),
  entry("f"),
  symlink("to-d", "d")
]).tree

const pathsOf = (tree: Tree): ReadonlyArray<string> =>
  [...entriesOf(tree)].map(([path]) => path).filter((path) => path !== "")

/** The paths that a layer leaves of `lower` and adds to it, in both forms of unpacking. */
const left = (...files: ReadonlyArray<LayerFile>): ReadonlyArray<string> => {
  const flat = applied(lower, files).tree
  const { implied, tree } = unpackedAlone(files)
  const facts = Result.getOrThrow(settleImplied(tree, implied, lower))
  expect(seen(mergeOverlay(lower, withFacts(tree, facts)))).toEqual(seen(flat))
  return pathsOf(flat)
}

describe("a whiteout", () => {
  it("takes a file of the layers below away, and a directory with all in it", () => {
    expect(left(entry(".wh.f"), entry("d/.wh.e"))).toEqual(["d", "d/old", "to-d"])
  })

  it("hides nothing of its own layer, before or after it", () => {
    const rest = ["d", "d/e", "d/e/old", "d/old", "f", "to-d"]
    expect(left(entry(".wh.f"), entry("f"))).toEqual(rest)
    expect(left(entry("f"), entry(".wh.f"))).toEqual(rest)
  })

  it("empties a directory that its own layer has, too", () => {
    const rest = ["d", "d/new", "f", "to-d"]
    expect(left(entry(".wh.d"), directory("d"), entry("d/new"))).toEqual(rest)
    expect(left(directory("d"), entry("d/new"), entry(".wh.d"))).toEqual(rest)
    expect(left(entry("d/new"), entry(".wh.d"))).toEqual(rest)
    expect(left(entry(".wh.d"), entry("d/new"))).toEqual(rest)
  })

  it("takes the facts of a directory with it that its layer only implies", () => {
    const { tree } = applied(lower, [entry("d/new"), entry(".wh.d")])
    expect(nodeAt(tree, "d")).toMatchObject({ mode: 0o755, uid: 0 })
    expect(nodeAt(applied(lower, [entry("d/new")]).tree, "d")).toMatchObject(
      { mode: 0o750, uid: 1 }
    )
  })

  it("may hide what is not there", () => {
    expect(left(entry(".wh.nothing"))).toEqual(["d", "d/e", "d/e/old", "d/old", "f", "to-d"])
  })

  it("may be a hard link, as AUFS made them", () => {
    expect(left(entry(".wh.f"), hardlink("d/.wh.e", ".wh.f"))).toEqual(["d", "d/old", "to-d"])
  })

  it("lies as the device 0/0 in a layer by itself, or makes a directory opaque", () => {
    const { tree } = unpackedAlone([entry(".wh.f"), directory("d"), entry(".wh.d")])
    expect(nodeAt(tree, "f")).toMatchObject({ type: "char", devmajor: 0, devminor: 0 })
    expect(nodeAt(tree, "d")!.xattrs.get("trusted.overlay.opaque")).toEqual(Uint8Array.of(0x79))
  })

  it.each([".wh.", ".wh..", ".wh...", "d/.wh..", ".wh.d/f", "d/.wh.x/.wh.y"])(
    "%s is refused",
    (path) => {
      expect(failureOf(applyLayer(lower, [entry(path)]))).toMatchObject({ kind: "whiteout", path })
      expect(failureOf(unpackLayer([entry(path)]))).toMatchObject({ kind: "whiteout", path })
    }
  )

  it("that is a directory is refused", () => {
    expect(failureOf(applyLayer(lower, [directory(".wh.d")]))).toMatchObject({ kind: "whiteout" })
  })
})

describe("an opaque marker", () => {
  it.each([
    ["before", [entry("d/.wh..wh..opq"), directory("d/e"), entry("d/e/new")]],
    ["among", [directory("d/e"), entry("d/.wh..wh..opq"), entry("d/e/new")]],
    ["after", [directory("d/e"), entry("d/e/new"), entry("d/.wh..wh..opq")]]
  ])("hides all of the layers below, %s what its layer has there", (_, files) => {
    expect(left(...files)).toEqual(["d", "d/e", "d/e/new", "f", "to-d"])
  })

  it("of the root hides everything", () => {
    expect(left(entry(".wh..wh..opq"), entry("new"))).toEqual(["new"])
  })

  it("leaves the facts of its directory alone", () => {
    const { tree } = applied(lower, [entry("d/.wh..wh..opq")])
    expect(nodeAt(tree, "d")).toMatchObject({ mode: 0o750, uid: 1 })
  })
})

describe("files of AUFS itself", () => {
  it("are passed over", () => {
    const files = [".wh..wh.aufs", ".wh..wh.plnk/1.2", ".wh..wh.orph"].map((path) => entry(path))
    expect(left(...files)).toEqual(pathsOf(lower))
  })
})

describe("a path", () => {
  it("that is absolute counts from the root", () => {
    expect(left(entry("/../new"))).toContain("new")
  })

  it("through a symlink of the layer stays inside the root", () => {
    const { tree } = applied(lower, [symlink("out", "../../../etc"), entry("out/passwd")])
    expect(pathsOf(tree)).toContain("etc/passwd")
  })

  it("through a symlink of the layers below follows it where these can be seen", () => {
    expect(pathsOf(applied(lower, [entry("to-d/new")]).tree)).toContain("d/new")
    const { implied, tree } = unpackedAlone([entry("to-d/new")])
    expect(failureOf(settleImplied(tree, implied, lower))).toMatchObject({
      kind: "notDirectory",
      path: "to-d"
    })
  })

  it("that its layer has as a directory replaces a symlink", () => {
    expect(left(directory("to-d"), entry("to-d/new"))).toContain("to-d/new")
  })

  it("through a file of the layers below replaces it, through one of its layer is refused", () => {
    expect(left(entry("f/new"))).toContain("f/new")
    expect(failureOf(applyLayer(lower, [entry("f"), entry("f/new")])).kind).toBe("notDirectory")
  })

  it.each(["../f", "d/../../f", "a\0b", "a".repeat(256)])("%j is refused", (path) => {
    expect(failureOf(applyLayer(lower, [entry(path)])).kind).toBe("path")
  })

  it("through symlinks to one another is refused", () => {
    const files = [symlink("a", "b"), symlink("b", "a"), entry("a/f")]
    expect(failureOf(applyLayer(lower, files)).kind).toBe("loop")
  })
})

describe("a hard link", () => {
  it("is one file with its target, and a new one over it is not", () => {
    const { tree } = applied(lower, [hardlink("new", "d/old"), hardlink("/again", "/new")])
    expect(seen(tree).filter(([, node]) => "link" in node && node.link !== null)).toHaveLength(3)
    const { tree: apart } = applied(tree, [entry("again")])
    expect(seen(apart).filter(([, node]) => "link" in node && node.link !== null)).toHaveLength(2)
  })

  it.each([
    ["nothing", "nothing", "link"],
    ["a directory", "d", "link"],
    ["the root", "/", "link"],
    ["the outside", "../f", "path"]
  ])("to %s is refused", (_, target, kind) => {
    expect(failureOf(applyLayer(lower, [hardlink("new", target)])).kind).toBe(kind)
  })

  it("to a file that its layer hides is refused", () => {
    const files = [entry(".wh.f"), hardlink("new", "f")]
    expect(failureOf(applyLayer(lower, files)).kind).toBe("link")
    expect(failureOf(unpackLayer(files)).kind).toBe("link")
  })

  it("to a file of the layers below needs these", () => {
    expect(failureOf(unpackLayer([hardlink("new", "f")])).hint).toContain("over the layers below")
  })

  it("to itself changes nothing", () => {
    expect(left(entry("new"), hardlink("new", "new"))).toContain("new")
  })
})

describe("the limit", () => {
  const limited = (limits: Partial<typeof defaultLayerLimits>, ...files: Array<LayerFile>) =>
    applyLayer(lower, files, { ...defaultLayerLimits, ...limits })

  it.each([
    ["entries", { entries: 2 }, [entry("a"), entry("b")], entry("c")],
    ["pathLength", { pathBytes: 4 }, [entry("éé")], entry("ééé")],
    ["pathLength", { pathBytes: 4 }, [symlink("s", "abcd")], symlink("s", "abcde")],
    ["pathLength", { pathBytes: 4 }, [entry("f"), hardlink("h", "///f")], hardlink("h", "////f")],
    ["depth", { depth: 2 }, [entry("a/b/f")], entry("a/b/c/f")],
    ["depth", { depth: 2 }, [directory("a/b"), symlink("s", "a/b"), entry("s/f")], entry("s/c/f")],
    ["expandedSize", { expandedBytes: 5 }, [entry("a", { size: 5 })], entry("b", { size: 1 })]
  ])("of %s lets that many pass and stops one more", (kind, limits, within, beyond) => {
    expect(Result.isSuccess(limited(limits, ...within))).toBe(true)
    expect(failureOf(limited(limits, ...within, beyond)).kind).toBe(kind)
  })
})

/** Names few enough to meet one another. */
const name = fc.constantFrom("a", "b", "c")
const marker = fc.oneof(
  fc.constant(".wh..wh..opq"),
  name.map((hidden) => `.wh.${hidden}`)
)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"))
const below = (last: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(name, { maxLength: 2 }), last)
    .map(([names, last]) => [...names, last].join("/"))
const anything = fc.oneof(
  { weight: 3, arbitrary: path.map((path) => entry(path)) },
  { weight: 3, arbitrary: path.map(directory) },
  { weight: 3, arbitrary: below(marker).map((path) => entry(path)) },
  fc.tuple(path, fc.constantFrom("a", "../b", "/a/b", "c/..")).map(([at, to]) => symlink(at, to)),
  fc.tuple(path, path).map(([at, to]) => hardlink(at, to))
)

/** A tree without symlinks: a layer by itself can't follow them. */
const plainTree = tree.map((tree) =>
  applied(
    emptyTree,
    filesOf(diff(emptyTree, tree)).filter(
      ({ entry }) => entry.type !== "symlink" && !entry.linkpath
    )
  ).tree
)

describe("any layer", () => {
  it("comes to the same in both forms of unpacking", () => {
    let compared = 0
    fc.assert(
      fc.property(plainTree, fc.array(anything, { maxLength: 10 }), (lower, files) => {
        const flat = applyLayer(lower, files)
        const alone = unpackLayer(files)
        if (Result.isFailure(alone)) {
          // Only what it has in common with the layers below can be missing to it.
          if (alone.failure.kind !== "link") expect(failureOf(flat).kind).toBe(alone.failure.kind)
          return
        }
        const { implied, tree } = alone.success
        const facts = Result.getOrThrow(settleImplied(tree, implied, lower))
        const merged = mergeOverlay(lower, withFacts(tree, facts))
        expect(seen(Result.getOrThrow(flat).tree)).toEqual(seen(merged))
        compared++
      }),
      { numRuns: 3000 }
    )
    expect(compared).toBeGreaterThan(1000)
  })

  it("means the same wherever its whiteouts stand", () => {
    const layer = fc.tuple(plainTree, fc.array(fc.tuple(fc.nat(), marker), { maxLength: 6 }))
    fc.assert(
      fc.property(plainTree, layer, fc.infiniteStream(fc.nat()), (lower, layer, places) => {
        const [upper, marks] = layer
        const files = filesOf(diff(emptyTree, upper))
        const directories = ["", ...files.map(({ entry }) => entry)].flatMap((entry) =>
          typeof entry === "string" ? [entry] : entry.type === "dir" ? [`${entry.path}/`] : []
        )
        const markers = marks.map(([at, name]) =>
          entry(`${directories[at % directories.length]}${name}`.replace("./", ""))
        )
        const mixed = [...files]
        for (const marker of markers) {
          mixed.splice((places.next().value ?? 0) % (mixed.length + 1), 0, marker)
        }
        const first = seen(applied(lower, [...markers, ...files]).tree)
        expect(seen(applied(lower, [...files, ...markers]).tree)).toEqual(first)
        expect(seen(applied(lower, mixed).tree)).toEqual(first)
      }),
      { numRuns: 500 }
    )
  })
})

describe("whiteouts without end", () => {
  const many = 3000
  const repeat = (make: (at: number) => LayerFile): ReadonlyArray<LayerFile> =>
    Array.from({ length: many }, (_, at) => make(at))
  const wide = applied(emptyTree, [
    directory("d"),
    ...repeat((at) => entry(`d/${at}`)),
    ...repeat((at) => entry(`d/e/${at}`))
  ]).tree
  const own = repeat((at) => entry(`d/new ${at}`))
  const deep = Array.from({ length: 900 }, (_, at) => "a/".repeat(at + 1))

  it.each<readonly [string, ReadonlyArray<LayerFile>]>([
    ["of one directory", repeat(() => entry(".wh.d"))],
    ["of a directory that fills", [...own, ...repeat(() => entry(".wh.d"))]],
    ["of a directory between files of it", own.flatMap((file) => [file, entry(".wh.d")])],
    ["opaque", [...own, ...repeat(() => entry("d/.wh..wh..opq"))]],
    ["opaque between files", own.flatMap((file) => [file, entry("d/.wh..wh..opq")])],
    ["of nothing", repeat(() => entry(".wh.nothing"))],
    ["and the file again", repeat((at) => entry(at % 2 === 0 ? "d/.wh.1" : "d/1"))],
    [
      "and the directory again",
      repeat((at) => (at % 3 === 0 ? directory("d") : entry(at % 3 === 1 ? ".wh.d" : "d")))
    ]
  ])("%s cost a bounded number of looks each", (_, files) => {
    const most = 4 * (files.length + 2 * many + 10)
    expect(applied(wide, files).visits).toBeLessThan(most)
    expect(unpackedAlone(files).visits).toBeLessThan(most)
  })

  it("up a deep path look at each directory once more", () => {
    const lower = applied(emptyTree, [entry(`${deep.at(-1)}old`)]).tree
    const leaves = [...repeat((at) => entry(`${deep.at(-1)}${at}`))]
    const marks = deep.toReversed().map((path) => entry(`${path}.wh..wh..opq`))
    const walked = applied(lower, leaves).visits
    const names = deep.reduce((sum, _, at) => sum + at + 1, 0)
    const { visits } = applied(lower, [...leaves, ...marks])
    expect(visits - walked - names).toBeLessThan(3 * (many + deep.length))
  })
})
