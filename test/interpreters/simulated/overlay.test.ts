import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { builtins } from "../../../src/interpreters/simulated/behaviours/builtins.ts"
import { close, type Draft, Failure, open } from "../../../src/interpreters/simulated/Draft.ts"
import { textOf } from "../../../src/interpreters/simulated/files/Driver.ts"
import * as entries from "../../../src/interpreters/simulated/files/entryCalls.ts"
import * as files from "../../../src/interpreters/simulated/files/fileCalls.ts"
import type { Walk } from "../../../src/interpreters/simulated/files/resolve.ts"
import { mountAt } from "../../../src/interpreters/simulated/mounts/mountTree.ts"
import { openOverlay } from "../../../src/interpreters/simulated/mounts/overlay.ts"
import { type HostFile, makeWorld, type World } from "../../../src/testing/index.ts"

interface Stack {
  readonly draft: Draft
  readonly world: World
  readonly walk: Walk
}

/** An overlay over layers given top first, and a look into it. */
const stack = (layers: ReadonlyArray<{ readonly [path: string]: HostFile }>): Stack => {
  const all: Record<string, HostFile> = {
    "/o/upper": { directory: true },
    "/o/work": { directory: true }
  }
  for (const [index, layer] of layers.entries()) {
    all[`/o/${index}`] = { directory: true }
    for (const [path, file] of Object.entries(layer)) all[`/o/${index}${path}`] = file
  }
  const world = makeWorld({ files: all })
  const draft = open(world, 1, builtins)
  const mount = openOverlay(draft, {
    lower: layers.map((_, index) => `/o/${index}`),
    upper: "/o/upper",
    work: "/o/work",
    volatile: false,
    idmap: 0
  }, "/o")
  const root = { mount, node: mountAt(draft, mount).root }
  return { draft, world, walk: { root, directory: root } }
}

const errno = (body: () => unknown): string => {
  try {
    body()
    return "success"
  } catch (failure) {
    if (failure instanceof Failure) return failure.errno
    throw failure
  }
}

const lower = { "/a": "lower a", "/d/one": "1", "/d/two": "2", "/d/e/deep": "deep" }

describe("an overlay", () => {
  it("shows the topmost of every name and merges directories", () => {
    const { draft, walk } = stack([{ "/a": "top a", "/d/three": "3" }, lower])
    assert.strictEqual(textOf(files.readFile(draft, "/a", walk)), "top a")
    assert.deepStrictEqual(files.list(draft, "/d", walk), ["e", "one", "three", "two"])
    assert.deepStrictEqual(files.list(draft, "/", walk), ["a", "d"])
  })

  it("copies a file up when it is written, and leaves the layer below as it is", () => {
    const { draft, walk } = stack([lower])
    files.writeFile(draft, "/d/e/deep", "changed", { mode: 0o644 }, walk)
    assert.strictEqual(textOf(files.readFile(draft, "/d/e/deep", walk)), "changed")
    assert.strictEqual(textOf(files.readFile(draft, "/o/0/d/e/deep")), "deep")
    assert.strictEqual(textOf(files.readFile(draft, "/o/upper/d/e/deep")), "changed")
  })

  it("hides what was removed by a device 0:0 in the upper layer", () => {
    const { draft, walk } = stack([lower])
    entries.remove(draft, "/a", false, walk)
    assert.strictEqual(errno(() => files.readFile(draft, "/a", walk)), "ENOENT")
    const whiteout = files.status(draft, "/o/upper/a", false)
    assert.deepStrictEqual([whiteout.type, whiteout.major, whiteout.minor], ["character", 0, 0])
    files.writeFile(draft, "/a", "new", { mode: 0o644 }, walk)
    assert.strictEqual(files.status(draft, "/o/upper/a", false).type, "file")
  })

  it("shows nothing of a directory that was removed and made again", () => {
    const { draft, walk } = stack([lower])
    entries.removeTree(draft, "/d", walk)
    files.makeDirectory(draft, "/d", 0o755, walk)
    assert.deepStrictEqual(files.list(draft, "/d", walk), [])
    assert.deepStrictEqual(files.list(draft, "/o/0/d"), ["e", "one", "two"])
  })

  it("removes only directories that look empty, whatever marks they hold", () => {
    const { draft, walk } = stack([lower])
    assert.strictEqual(errno(() => entries.remove(draft, "/d", true, walk)), "ENOTEMPTY")
    for (const name of ["one", "two", "e/deep"]) entries.remove(draft, `/d/${name}`, false, walk)
    entries.remove(draft, "/d/e", true, walk)
    entries.remove(draft, "/d", true, walk)
    assert.deepStrictEqual(files.list(draft, "/", walk), ["a"])
  })

  it("renames files, and directories only when no lower layer has them", () => {
    const { draft, walk } = stack([lower])
    entries.rename(draft, "/a", "/d/moved", walk)
    assert.strictEqual(textOf(files.readFile(draft, "/d/moved", walk)), "lower a")
    assert.strictEqual(errno(() => files.readFile(draft, "/a", walk)), "ENOENT")
    assert.strictEqual(errno(() => entries.rename(draft, "/d", "/f", walk)), "EXDEV")
    files.makeDirectory(draft, "/own", 0o755, walk)
    entries.rename(draft, "/own", "/f", walk)
    assert.deepStrictEqual(files.list(draft, "/", walk), ["d", "f"])
  })

  it("refuses layers that are none, and a work directory left by a volatile mount", () => {
    const { draft } = stack([lower])
    const paths = { lower: ["/o/0"], upper: "/o/upper", work: "/o/work", volatile: true, idmap: 0 }
    assert.strictEqual(
      errno(() => openOverlay(draft, { ...paths, lower: ["/nowhere"] }, "/o")),
      "ENOENT"
    )
    assert.strictEqual(
      errno(() => openOverlay(draft, { ...paths, lower: ["/etc/passwd"] }, "/o")),
      "ENOTDIR"
    )
    assert.strictEqual(
      errno(() => openOverlay(draft, { ...paths, work: "/o/upper" }, "/o")),
      "EINVAL"
    )
    assert.strictEqual(errno(() => openOverlay(draft, { ...paths, work: "/run" }, "/o")), "EINVAL")
    assert.strictEqual(
      errno(() =>
        openOverlay(draft, { ...paths, lower: Array.from({ length: 501 }, () => "/o/0") }, "/o")
      ),
      "EINVAL"
    )
    openOverlay(draft, paths, "/o")
    assert.strictEqual(errno(() => openOverlay(draft, paths, "/o")), "EINVAL")
  })

  it("takes 500 layers", () => {
    const { draft, walk, world } = stack([
      ...Array.from({ length: 499 }, (_, index) => ({ [`/f${index}`]: String(index) })),
      lower
    ])
    assert.strictEqual(textOf(files.readFile(draft, "/f42", walk)), "42")
    assert.strictEqual(textOf(files.readFile(draft, "/a", walk)), "lower a")
    assert.notStrictEqual(close(draft, world), world)
  })
})

type Change =
  | {
    readonly kind: "write" | "remove" | "mkdir" | "rmdir" | "tree" | "link"
    readonly path: string
  }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }

const name = fc.constantFrom("a", "d", "e", "one", "new")
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`)
const changes = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("write", "remove", "mkdir", "rmdir", "tree", "link"), path }),
    fc.record({ kind: fc.constant("rename" as const), path, to: path })
  ) as fc.Arbitrary<Change>,
  { maxLength: 25 }
)

const apply = (draft: Draft, change: Change, walk: Walk): string =>
  errno(() => {
    switch (change.kind) {
      case "write":
        return files.writeFile(draft, change.path, "written", { mode: 0o644 }, walk)
      case "remove":
        return entries.remove(draft, change.path, false, walk)
      case "mkdir":
        return files.makeDirectory(draft, change.path, 0o755, walk)
      case "rmdir":
        return entries.remove(draft, change.path, true, walk)
      case "tree":
        return entries.removeTree(draft, change.path, walk)
      case "link":
        return files.makeLink(draft, change.path, "/new", walk)
      case "rename":
        return entries.rename(draft, change.path, change.to, walk)
    }
  })

/** Everything that can be seen below a root. */
const picture = (draft: Draft, walk: Walk, at = ""): ReadonlyArray<string> =>
  files.list(draft, at === "" ? "/" : at, walk).flatMap((child) => {
    const where = `${at}/${child}`
    return files.status(draft, where, false, walk).type === "directory"
      ? [`${where}/`, ...picture(draft, walk, where)]
      : [`${where}=${textOf(files.readFile(draft, where, walk))}`]
  })

describe("an overlay and a plain copy of what it shows", () => {
  it("answer every change alike, but for renamed directories of lower layers", () => {
    fc.assert(
      fc.property(changes, (list) => {
        const over = stack([{ "/a": "top a" }, lower])
        const plain = stack([{}])
        const copy: Walk = (() => {
          const world = makeWorld({
            files: {
              "/p": { directory: true },
              ...Object.fromEntries(
                Object.entries({ ...lower, "/a": "top a" }).map(([at, text]) => [`/p${at}`, text])
              )
            }
          })
          Object.assign(plain, { draft: open(world, 1, builtins) })
          const root = files.ensureDirectory(plain.draft, "/p", 0o755)
          return { root, directory: root }
        })()
        for (const change of list) {
          const [one, other] = [
            apply(over.draft, change, over.walk),
            apply(plain.draft, change, copy)
          ]
          if (one === "EXDEV") return
          assert.strictEqual(one, other, JSON.stringify(change))
          assert.deepStrictEqual(picture(over.draft, over.walk), picture(plain.draft, copy))
        }
      }),
      { numRuns: 200 }
    )
  })

  it("looks the same when the layers are mounted again", () => {
    fc.assert(
      fc.property(changes, (list) => {
        const { draft, walk } = stack([{ "/a": "top a" }, lower])
        for (const change of list) apply(draft, change, walk)
        const before = picture(draft, walk)
        const again = openOverlay(draft, {
          lower: ["/o/upper", "/o/0", "/o/1"],
          upper: "",
          work: "",
          volatile: false,
          idmap: 0
        }, "/o")
        const root = { mount: again, node: mountAt(draft, again).root }
        assert.deepStrictEqual(picture(draft, { root, directory: root }), before)
      }),
      { numRuns: 100 }
    )
  })
})
