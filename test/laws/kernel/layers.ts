/** Layers unpacked, mounted and listed are what the domain says they are; pieces of files come whole or not at all. */
import { assert } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as fc from "fast-check"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { createHash } from "node:crypto"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { overlayDiff, lowerNeeds } from "../../../src/domain/layer/overlayDiff.ts"
import { diff } from "../../../src/domain/layer/diff.ts"
import {
  emptyTree, type FileEntry, impliedDirectory, nodeAt, portableListing, type Tree, type TreeNode, treeOf
} from "../../../src/domain/layer/Tree.ts"
import { decodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { defaultLayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import type { LayerFile } from "../../../src/domain/layer/changesToTar.ts"
import { type Kernel, perform } from "../../../src/programs/Kernel.ts"
import type { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import { archiveOf, filesOf, tree as anyTree } from "../../domain/layer/trees.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"

/** More than any limit lets expand from so little. */
let compressedZeros: Uint8Array | undefined
const zeros = (): Uint8Array =>
  compressedZeros ??= new Uint8Array(zstdCompressSync(new Uint8Array(defaultLayerLimits.ratioFloor + (8 << 20))))

type Compress = (bytes: Uint8Array) => Uint8Array

/** Bytes of one push: odd, so that entries lie across them. */
const pushBytes = 1013

const plain: Compress = (bytes) => bytes

/** Unpacks an archive into a directory that is made for it, or was. */
export const unpack = (
  path: string, archive: Uint8Array, form: "overlay" | "flat", below: ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    yield* perform("DirEnsure", { path, mode: 0o700 })
    const { archive: handle } = yield* perform("LayerWrite", { path, form })
    return yield* Effect.ensuring(
      Effect.gen(function*() {
        for (let at = 0; at < archive.length; at += pushBytes) {
          yield* perform("ArchivePush", { archive: handle, data: archive.slice(at, at + pushBytes), last: false })
        }
        yield* perform("ArchivePush", { archive: handle, data: new Uint8Array(0), last: true })
        return yield* perform("LayerFinish", { archive: handle, below })
      }),
      Effect.orDie(perform("ArchiveClose", { archive: handle }))
    )
  })

const directory = (path: string): RootSource => ({ _tag: "Directory", path })
const layers = (...lower: readonly [string, ...ReadonlyArray<string>]): RootSource =>
  ({ _tag: "Layers", lower, upper: "", work: "" })

const decoded = (bytes: Uint8Array): Tree => Result.getOrThrow(decodeListing(bytes))

const listed = (root: RootSource): Effect.Effect<Tree, KernelError, Kernel> =>
  Effect.map(perform("TreeList", { root, path: "/", limit: 1 << 26 }), decoded)

/** Marks that a mount makes, and times finer than any kernel here keeps, are nothing that a law speaks of. */
export const comparable = (tree: Tree) =>
  portableListing(tree).map(([path, entry]) => ({
    path, ...entry, ...("content" in entry ? { content: null } : {}),
    mtime: { ...entry.mtime, nanoseconds: Math.floor(entry.mtime.nanoseconds / 1000) },
    xattrs: [...entry.xattrs].map(([name, value]) => [name, [...value]])
  }))

/** Trees as the kernel takes them: attributes have the form they must have, times whole microseconds. */
const kernelTree: fc.Arbitrary<Tree> = anyTree.map((tree) => {
  const change = (node: TreeNode): TreeNode => {
    const xattrs = new Map([...node.xattrs].filter(([name]) => name.startsWith("user.")))
    const facts = { xattrs, mtime: { ...node.mtime, nanoseconds: node.mtime.nanoseconds * 1000 } }
    return node.type === "dir"
      ? { ...node, ...facts, children: new Map([...node.children].map(([name, child]) => [name, change(child)])) }
      : { ...node, ...facts }
  }
  return change(tree) as Tree
})

/** Removed and put back, a directory for a file and a file for a directory, and what a random one differs in. */
export const pairs = (count: number): ReadonlyArray<readonly [lower: Tree, upper: Tree]> =>
  fc.sample(fc.tuple(kernelTree, kernelTree), { numRuns: count, seed: 7 })

export const layerOf = (lower: Tree, upper: Tree): Uint8Array => archiveOf(filesOf(diff(lower, upper)))

const text = (content: string, more: Partial<FileEntry> = {}): FileEntry => ({
  ...impliedDirectory, type: "file", mode: 0o644, size: content.length, content, target: "", devmajor: 0, devminor: 0,
  link: null, ...more
})
const folder = (mode: number, seconds = 5): Tree =>
  ({ ...emptyTree, mode, uid: 3, gid: 4, mtime: { seconds, nanoseconds: 0 } })
const whiteout = (path: string): LayerFile =>
  ({ entry: filesOf(diff(treeOf([[path, text("")]]), emptyTree)).find(({ entry }) => entry.path.includes(".wh."))!.entry, content: null })

export const layerLaws = (ground: Ground): void => {
  const at = (name: string) => `${ground.scratch}/${name}`
  /** A layer of a whole tree, to be the lowest. */
  const base = (name: string, tree: Tree, form: "overlay" | "flat" = "overlay") =>
    unpack(at(name), layerOf(emptyTree, tree), form, [])

  law(ground, "a tree unpacked is listed as it was", Effect.gen(function*() {
    for (const [lower] of pairs(15)) {
      yield* base("whole", lower)
      assert.deepStrictEqual(comparable(yield* listed(directory(at("whole")))), comparable(lower))
      yield* perform("TreeRemove", { path: at("whole") })
    }
  }))

  law(ground, "what changed, unpacked by itself and mounted over the lower layer, is the upper tree", Effect.gen(function*() {
    for (const [lower, upper] of pairs(20)) {
      yield* base("lower", lower)
      const { opaque } = yield* unpack(at("upper"), layerOf(lower, upper), "overlay", [at("lower")])
      assert.isFalse(opaque)
      assert.deepStrictEqual(comparable(yield* listed(layers(at("upper"), at("lower")))), comparable(upper))
      yield* perform("TreeRemove", { path: at("lower") })
      yield* perform("TreeRemove", { path: at("upper") })
    }
  }))

  law(ground, "what changed, unpacked over a copy of the lower layer, is the upper tree", Effect.gen(function*() {
    for (const [lower, upper] of pairs(20)) {
      yield* base("copy", lower, "flat")
      yield* unpack(at("copy"), layerOf(lower, upper), "flat", [])
      assert.deepStrictEqual(comparable(yield* listed(directory(at("copy")))), comparable(upper))
      yield* perform("TreeRemove", { path: at("copy") })
    }
  }))

  law(ground, "a layer's digest and size are those of its archive, however it is compressed", Effect.gen(function*() {
    const tree = treeOf([["a/one", text("12345")], ["a/two", text("123", { link: "x" })], ["three", text("123", { link: "x" })]])
    const archive = layerOf(emptyTree, tree)
    const diffId = `sha256:${createHash("sha256").update(archive).digest("hex")}`
    for (const compress of [plain, (bytes: Uint8Array) => gzipSync(bytes), (bytes: Uint8Array) => zstdCompressSync(bytes)]) {
      const done = yield* unpack(at("layer"), new Uint8Array(compress(archive)), "overlay", [])
      assert.deepStrictEqual(done, { diffId, size: archive.length, contents: 8, opaque: false })
      yield* perform("TreeRemove", { path: at("layer") })
    }
  }))

  law(ground, "the digest of an archive is told without unpacking it, and what is damaged or a bomb is refused", Effect.gen(function*() {
    yield* base("layer", treeOf([["a/one", text("12345")]]))
    const archive = layerOf(emptyTree, treeOf([["b/two", text("x".repeat(5000))]]))
    const expected = `sha256:${createHash("sha256").update(archive).digest("hex")}`
    /** Contents come into files of the store as blobs do. */
    const stored = Effect.fnUntraced(function*(bytes: Uint8Array) {
      yield* perform("DirEnsure", { path: at("blobs/sha256"), mode: 0o755 })
      const { blob } = yield* perform("BlobOpen", { path: at("ingest"), algorithm: "sha256" })
      yield* perform("BlobAppend", { blob, data: bytes })
      const { digest } = yield* perform("BlobCommit", { blob, directory: at("blobs") })
      return at(`blobs/sha256/${digest.slice("sha256:".length)}`)
    })
    for (const compress of [plain, (bytes: Uint8Array) => gzipSync(bytes), (bytes: Uint8Array) => zstdCompressSync(bytes)]) {
      const path = yield* stored(new Uint8Array(compress(archive)))
      assert.deepStrictEqual(yield* perform("ArchiveDigest", { path, expected: "" }), { diffId: expected })
    }
    const gzip = new Uint8Array(gzipSync(archive))
    const cut = yield* stored(gzip.subarray(0, gzip.length - 10))
    assert.strictEqual(yield* errnoOf("ArchiveDigest", { path: cut, expected: "" }), "EBADMSG")
    const bomb = yield* stored(zeros())
    const error = yield* Effect.flip(perform("ArchiveDigest", { path: bomb, expected: "" }))
    assert.strictEqual(error.errno, "EINVAL")
    assert.include(error.hint ?? "", "ratio")
    assert.strictEqual(yield* errnoOf("ArchiveDigest", { path: at("layer"), expected: "" }), "EISDIR")
    assert.strictEqual(yield* errnoOf("ArchiveDigest", { path: at("none"), expected: "" }), "ENOENT")
    assert.deepStrictEqual(yield* perform("DirList", { path: at("layer") }), ["a"])
  }))

  law(ground, "a directory that becomes a file and a directory again shows nothing of the first", Effect.gen(function*() {
    yield* base("one", treeOf([["", folder(0o755)], ["d", folder(0o700)], ["d/old", text("old")], ["kept", text("kept")]]))
    const file = treeOf([["", folder(0o755)], ["d", text("file")], ["kept", text("kept")]])
    yield* unpack(at("two"), layerOf(yield* listed(layers(at("one"))), file), "overlay", [at("one")])
    const again = treeOf([["", folder(0o755)], ["d", folder(0o711)], ["d/new", text("new")], ["kept", text("kept")]])
    yield* unpack(at("three"), layerOf(file, again), "overlay", [at("two"), at("one")])
    assert.deepStrictEqual(comparable(yield* listed(layers(at("three"), at("two"), at("one")))), comparable(again))
    // A directory over a directory that this very layer says is gone.
    const entries = [...filesOf(diff(emptyTree, treeOf([["d", folder(0o711)], ["d/new", text("new")]]))), whiteout("d")]
    yield* unpack(at("other"), archiveOf(entries), "overlay", [at("one")])
    const shown = yield* listed(layers(at("other"), at("one")))
    assert.isDefined(nodeAt(shown, "d/new"))
    assert.isUndefined(nodeAt(shown, "d/old"))
  }))

  law(ground, "a directory that a layer only implies has the facts of the first layer below that has it", Effect.gen(function*() {
    yield* base("bottom", treeOf([["", folder(0o711, 1)], ["a", folder(0o700)], ["a/b", folder(0o750, 9)], ["c", folder(0o777)]]))
    yield* unpack(at("middle"), archiveOf([
      ...filesOf(diff(emptyTree, treeOf([["a", folder(0o701, 7)]]))).filter(({ entry }) => entry.path === "a"), whiteout("c")
    ]), "overlay", [at("bottom")])
    const only = (path: string, content: string) =>
      filesOf(diff(emptyTree, treeOf([[path, text(content)]]))).filter(({ entry }) => entry.path === path)
    yield* unpack(at("top"), archiveOf([...only("a/b/f", "x"), ...only("c/g", "y")]), "overlay", [at("middle"), at("bottom")])
    const own = yield* listed(directory(at("top")))
    const facts = (path: string) => {
      const { gid, mode, mtime, uid } = nodeAt(own, path)!
      return [mode, uid, gid, mtime.seconds]
    }
    assert.deepStrictEqual(facts("a/b"), [0o750, 3, 4, 9])
    assert.deepStrictEqual(facts("a"), [0o701, 3, 4, 7])
    assert.deepStrictEqual(facts(""), [0o711, 3, 4, 1])
    // Gone from the layer in between: nothing to take facts from.
    assert.deepStrictEqual(facts("c"), [0o755, 0, 0, 0])
  }))

  law(ground, "an opaque root is told, and what is opaque hides what is below", Effect.gen(function*() {
    yield* base("below", treeOf([["d/old", text("old")]]))
    const marker = (path: string): LayerFile => ({ entry: { ...whiteout("x").entry, path }, content: null })
    const files = filesOf(diff(emptyTree, treeOf([["d", folder(0o755)], ["d/new", text("new")]])))
    yield* unpack(at("part"), archiveOf([...files, marker("d/.wh..wh..opq")]), "overlay", [at("below")])
    const shown = yield* listed(layers(at("part"), at("below")))
    assert.deepStrictEqual([...(nodeAt(shown, "d") as Tree).children.keys()], ["new"])
    const { opaque } = yield* unpack(at("all"), archiveOf([...files, marker(".wh..wh..opq")]), "overlay", [at("below")])
    assert.isTrue(opaque)
  }))

  law(ground, "what no layer may hold is refused, and the next push too", Effect.gen(function*() {
    const file = filesOf(diff(emptyTree, treeOf([["f", text("evil")]]))).find(({ entry }) => entry.path === "f")!
    const refusals: ReadonlyArray<readonly [string, ReadonlyArray<LayerFile>, RegExp]> = [
      ["EINVAL", [{ ...file, entry: { ...file.entry, path: "../f" } }], /"\.\.\/f"/],
      ["EINVAL", [file, { ...file, entry: { ...file.entry, path: "f/f" } }], /"f" on its way is no directory/],
      ["EINVAL", [{ entry: { ...file.entry, type: "hardlink", size: 0, linkpath: "none" }, content: null }], /hard link to "none"/],
      ["EINVAL", [{ entry: { ...file.entry, type: "char", size: 0 }, content: null }], /device 0\/0/]
    ]
    for (const [errno, files, hint] of refusals) {
      const error = yield* Effect.flip(unpack(at("refused"), archiveOf(files), "overlay", []))
      assert.deepInclude(error, { op: "ArchivePush", errno, path: at("refused") })
      assert.match(error.hint ?? "", hint)
      yield* perform("TreeRemove", { path: at("refused") })
    }
    const cut = yield* Effect.flip(unpack(at("refused"), archiveOf([file]).slice(0, 514), "overlay", []))
    assert.strictEqual(cut.errno, "EBADMSG")
    yield* perform("TreeRemove", { path: at("refused") })
    yield* perform("DirEnsure", { path: at("refused"), mode: 0o755 })
    const { archive } = yield* perform("LayerWrite", { path: at("refused"), form: "overlay" })
    assert.strictEqual(yield* errnoOf("LayerFinish", { archive, below: [] }), "EINVAL")
    yield* perform("ArchiveClose", { archive })
    assert.strictEqual(yield* errnoOf("ArchivePush", { archive, data: new Uint8Array(0), last: true }), "EBADF")
    yield* perform("FileWrite", { path: at("refused/file"), mode: 0o644, text: "" })
    assert.strictEqual(yield* errnoOf("LayerWrite", { path: at("refused"), form: "overlay" }), "ENOTEMPTY")
    assert.strictEqual(yield* errnoOf("LayerWrite", { path: at("none"), form: "overlay" }), "ENOENT")
  }))

  law(ground, "of a lower tree no more is looked at than the difference needs", Effect.gen(function*() {
    for (const [lower, upper] of pairs(10)) {
      yield* base("lower", lower)
      yield* unpack(at("upper"), layerOf(lower, upper), "overlay", [at("lower")])
      const own = yield* listed(directory(at("upper")))
      const paths = lowerNeeds(own)
      const root = layers(at("lower"))
      const seen = decoded(yield* perform("TreeLook", { root, paths, limit: 1 << 26 }))
      const whole = yield* listed(root)
      assert.deepStrictEqual(
        Result.getOrThrow(overlayDiff(own, seen)).map(({ _tag, path }) => [_tag, path]),
        Result.getOrThrow(overlayDiff(own, whole)).map(({ _tag, path }) => [_tag, path])
      )
      yield* perform("TreeRemove", { path: at("lower") })
      yield* perform("TreeRemove", { path: at("upper") })
    }
  }))

  law(ground, "looking tells of what is there, and of one level where it is asked for", Effect.gen(function*() {
    const link = text("", { type: "symlink", target: "/d", mode: 0o777, content: null })
    yield* base("tree", treeOf([["d/e/f", text("x")], ["d/g", text("y")], ["l", link]]))
    const root = directory(at("tree"))
    const paths = [{ path: "d", list: true }, { path: "l", list: true }, { path: "l/g", list: false }, { path: "no/thing", list: false }]
    const seen = decoded(yield* perform("TreeLook", { root, paths, limit: 10_000 }))
    assert.deepStrictEqual(
      portableListing(seen).map(([path, { type }]) => `${path} ${type}`), [" dir", "d dir", "d/e dir", "d/g file", "l symlink"]
    )
    assert.strictEqual(yield* errnoOf("TreeLook", { root, paths, limit: 100 }), "EFBIG")
    assert.strictEqual(yield* errnoOf("TreeList", { root, path: "/", limit: 100 }), "EFBIG")
    assert.strictEqual(yield* errnoOf("TreeList", { root, path: "/none", limit: 100 }), "ENOENT")
    assert.strictEqual(yield* errnoOf("TreeList", { root, path: "/d/g", limit: 100 }), "ENOTDIR")
    // Resolved inside the root, as a path in it is.
    assert.deepStrictEqual([...decoded(yield* perform("TreeList", { root, path: "/l", limit: 10_000 })).children.keys()].sort(), ["e", "g"])
  }))

  law(ground, "pieces of files come one after the other, all of them or none", Effect.gen(function*() {
    const link = text("", { type: "symlink", target: "one", mode: 0o777, content: null })
    yield* base("files", treeOf([["one", text("0123456789")], ["d/two", text("abc")], ["l", link]]))
    const root = directory(at("files"))
    const read = (...pieces: ReadonlyArray<readonly [string, number, number]>) => ({
      root, pieces: pieces.map(([path, offset, length]) => ({ path, offset, length }))
    })
    const found = yield* perform("FilesRead", read(["one", 2, 3], ["d/two", 0, 3], ["one", 9, 1], ["one", 0, 0]))
    assert.strictEqual(Buffer.from(found).toString(), "234abc9")
    assert.strictEqual((yield* perform("FilesRead", read())).length, 0)
    assert.strictEqual(yield* errnoOf("FilesRead", read(["one", 0, 10], ["d/two", 1, 3])), "EIO")
    assert.strictEqual(yield* errnoOf("FilesRead", read(["none", 0, 1])), "ENOENT")
    assert.strictEqual(yield* errnoOf("FilesRead", read(["d", 0, 1])), "EISDIR")
    assert.strictEqual(yield* errnoOf("FilesRead", read(["l", 0, 1])), "ELOOP")
    assert.strictEqual(yield* errnoOf("FilesRead", read(["one", 0, (16 << 20) + 1])), "EINVAL")
  }))
}
