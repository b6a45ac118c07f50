/** Whole trees made at once: copies that share nothing but contents, and subvolumes where there is btrfs. */
import { assert } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { KernelTag, Payload, RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { op, undo } from "../../../src/domain/kernel/KernelOp.ts"
import { notBtrfs } from "../../../src/domain/layer/StorageDriver.ts"
import { emptyTree, portableListing, type Tree } from "../../../src/domain/layer/Tree.ts"
import { decodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { perform, performAll } from "../../../src/programs/Kernel.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"
import { comparable, layerOf, pairs, unpack } from "./layers.ts"

const root = (path: string): RootSource => ({ _tag: "Directory", path })

const listed = (path: string) =>
  Effect.map(perform("TreeList", { root: root(path), path: "/", limit: 1 << 26 }), (bytes): Tree =>
    Result.getOrThrow(decodeListing(bytes)))

const errorOf = <T extends KernelTag>(tag: T, payload: Payload<T>) => Effect.flip(perform(tag, payload))

export const copyOperationLaws = (ground: Ground): void => {
  const at = (name: string) => `${ground.scratch}/${name}`
  const write = (name: string, text: string) => perform("FileWrite", { path: at(name), mode: 0o644, text })
  const read = (name: string) => perform("FileRead", { path: at(name), limit: 1000 })

  law(ground, "a copy of a tree is listed as the tree is", Effect.gen(function*() {
    for (const [tree] of pairs(15)) {
      yield* unpack(at("from"), layerOf(emptyTree, tree), "flat", [])
      yield* perform("TreeCopy", { from: at("from"), to: at("to") })
      assert.deepStrictEqual(comparable(yield* listed(at("to"))), comparable(tree))
      // Whatever names the files have, none of them is a file of the original
      assert.deepStrictEqual(portableListing(yield* listed(at("from"))).length, portableListing(tree).length)
      yield* performAll([op("TreeRemove", { path: at("from") }), op("TreeRemove", { path: at("to") })])
    }
  }))

  law(ground, "a directory looks like another one and has nothing that is in it", Effect.gen(function*() {
    for (const [tree] of pairs(15)) {
      yield* unpack(at("from"), layerOf(emptyTree, tree), "flat", [])
      yield* perform("DirEnsureLike", { path: at("to"), like: at("from") })
      assert.deepStrictEqual(comparable(yield* listed(at("to"))), comparable({ ...tree, children: new Map() }))
      yield* performAll([op("TreeRemove", { path: at("from") }), op("TreeRemove", { path: at("to") })])
    }
  }))

  law(ground, "a directory that is there keeps its looks, unless its maker died over it", Effect.gen(function*() {
    const modeOf = (name: string) => Effect.map(perform("FileStat", { path: at(name), follow: false }), ({ mode }) => mode & 0o7777)
    const like = (name: string) => perform("DirEnsureLike", { path: at(name), like: at("model") })
    yield* perform("DirMake", { path: at("model"), mode: 0o1777 })
    yield* perform("DirMake", { path: at("there"), mode: 0o700 })
    yield* perform("DirMake", { path: at("half"), mode: 0 })
    yield* perform("DirMake", { path: at("used"), mode: 0 })
    yield* write("used/file", "")
    for (const name of ["there", "half", "used"]) yield* like(name)
    assert.deepStrictEqual([yield* modeOf("there"), yield* modeOf("half"), yield* modeOf("used")], [0o700, 0o1777, 0])
    const failing = (name: string, model: string) => errnoOf("DirEnsureLike", { path: at(name), like: at(model) })
    yield* write("file", "")
    assert.strictEqual(yield* failing("file", "model"), "EEXIST")
    assert.strictEqual(yield* failing("new", "none"), "ENOENT")
    assert.strictEqual(yield* failing("new", "file"), "ENOTDIR")
    assert.strictEqual(yield* failing("none/new", "model"), "ENOENT")
    assert.notInclude(yield* perform("DirList", { path: ground.scratch }), "new")
  }))

  law(ground, "what is written to a copy is not in the original, nor the other way round", Effect.gen(function*() {
    yield* perform("DirMake", { path: at("from"), mode: 0o750 })
    yield* write("from/one", "one")
    yield* write("from/other", "x".repeat(100_000))
    yield* perform("TreeCopy", { from: at("from"), to: at("to") })
    yield* write("to/one", "changed")
    yield* write("from/new", "new")
    assert.deepStrictEqual([yield* read("from/one"), yield* read("to/one")], ["one", "changed"])
    assert.strictEqual(yield* errnoOf("FileRead", { path: at("to/new"), limit: 10 }), "ENOENT")
    assert.strictEqual((yield* perform("FileRead", { path: at("to/other"), limit: 200_000 })).length, 100_000)
    assert.strictEqual((yield* perform("FileStat", { path: at("to"), follow: false })).mode & 0o7777, 0o750)
  }))

  law(ground, "a copy goes where nothing is, of a directory, and not into itself", Effect.gen(function*() {
    yield* perform("DirEnsure", { path: at("from/in"), mode: 0o755 })
    yield* write("file", "")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("from"), to: at("from/in") }), "EINVAL")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("from"), to: at("from/in/more") }), "EINVAL")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("from"), to: at("file") }), "EEXIST")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("none"), to: at("to") }), "ENOENT")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("file"), to: at("to") }), "ENOTDIR")
    assert.strictEqual(yield* errnoOf("TreeCopy", { from: at("from"), to: at("none/to") }), "ENOENT")
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), ["file", "from"])
  }))

  law(ground, "a copy is taken back, whole, half there, or not there at all", Effect.gen(function*() {
    yield* perform("DirEnsure", { path: at("from/in"), mode: 0o755 })
    const copy = op("TreeCopy", { from: at("from"), to: at("to") })
    yield* performAll([copy])
    for (const back of [undo(copy)!, undo(copy)!]) yield* performAll([back])
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), ["from"])
  }))

  if (ground.driver === "btrfs") subvolumeLaws(ground)
  else {
    law(ground, "where there is no btrfs a subvolume is refused, and what to do is told", Effect.gen(function*() {
      yield* perform("DirMake", { path: at("from"), mode: 0o755 })
      const made = yield* errorOf("SubvolumeMake", { path: at("made") })
      const snapshot = yield* errorOf("SubvolumeSnapshot", { from: at("from"), to: at("to") })
      assert.deepStrictEqual([made.errno, made.hint, snapshot.errno, snapshot.hint], ["ENOTTY", notBtrfs, "ENOTTY", notBtrfs])
      assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), ["from"])
    }))
  }
}

const subvolumeLaws = (ground: Ground): void => {
  const at = (name: string) => `${ground.scratch}/${name}`
  const write = (name: string, text: string) => perform("FileWrite", { path: at(name), mode: 0o644, text })

  law(ground, "a snapshot has all that its subvolume had, and goes its own way", Effect.gen(function*() {
    for (const [tree] of pairs(5)) {
      yield* perform("SubvolumeMake", { path: at("from") })
      yield* unpack(at("from"), layerOf(emptyTree, tree), "flat", [])
      yield* perform("SubvolumeSnapshot", { from: at("from"), to: at("to") })
      assert.deepStrictEqual(comparable(yield* listed(at("to"))), comparable(tree))
      yield* write("to/more", "more")
      assert.strictEqual(yield* errnoOf("FileRead", { path: at("from/more"), limit: 10 }), "ENOENT")
      yield* perform("TreeRemove", { path: at("from") })
      yield* perform("TreeRemove", { path: at("to") })
    }
  }))

  law(ground, "a subvolume is made where nothing is, and a snapshot only of one", Effect.gen(function*() {
    yield* perform("DirMake", { path: at("directory"), mode: 0o755 })
    yield* perform("SubvolumeMake", { path: at("subvolume") })
    const { mode, type } = yield* perform("FileStat", { path: at("subvolume"), follow: false })
    assert.deepStrictEqual([type, mode & 0o7777], ["directory", 0o755])
    assert.strictEqual(yield* errnoOf("SubvolumeMake", { path: at("directory") }), "EEXIST")
    assert.strictEqual(yield* errnoOf("SubvolumeMake", { path: at("none/one") }), "ENOENT")
    assert.strictEqual(yield* errnoOf("SubvolumeSnapshot", { from: at("directory"), to: at("to") }), "EINVAL")
    assert.strictEqual(yield* errnoOf("SubvolumeSnapshot", { from: at("none"), to: at("to") }), "ENOENT")
    assert.strictEqual(yield* errnoOf("SubvolumeSnapshot", { from: at("subvolume"), to: at("directory") }), "EEXIST")
  }))

  law(ground, "a tree is removed with the subvolumes in it, and in these", Effect.gen(function*() {
    yield* perform("DirMake", { path: at("tree"), mode: 0o755 })
    yield* perform("SubvolumeMake", { path: at("tree/one") })
    yield* perform("SubvolumeMake", { path: at("tree/one/two") })
    yield* write("tree/one/two/file", "file")
    yield* perform("SubvolumeSnapshot", { from: at("tree/one"), to: at("tree/three") })
    // What is a subvolume is an empty directory in a snapshot
    assert.deepStrictEqual(yield* perform("DirList", { path: at("tree/three/two") }), [])
    yield* perform("TreeRemove", { path: at("tree") })
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), [])
  }))
}
