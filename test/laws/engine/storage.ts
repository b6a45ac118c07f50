/** What every storage driver owes: trees that are what their layers say, changes that are found again, and nothing left. */
import { assert } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { type ContainerConfig, defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import type { ContainerRecord } from "../../../src/domain/container/ContainerRecord.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { parseImageFilters } from "../../../src/domain/image/ImageFilter.ts"
import { joinBytes } from "../../../src/domain/bytes/joinBytes.ts"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { layerForm, rootToRead, writtenDirectory } from "../../../src/domain/layer/StorageDriver.ts"
import { endOfArchive } from "../../../src/domain/layer/TarEncoder.ts"
import {
  emptyTree, type FileEntry, impliedDirectory, nodeAt, type Tree, type TreeEntry, treeOf
} from "../../../src/domain/layer/Tree.ts"
import { decodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { encodeTree } from "../../differential/archive.ts"
import { output, ran, untilLogged } from "../container.ts"
import { type Ground, law } from "../Ground.ts"
import { comparable, layerOf, pairs, unpack } from "../kernel/layers.ts"

const listed = (root: RootSource) =>
  Effect.map(perform("TreeList", { root, path: "/", limit: 1 << 26 }), (bytes): Tree => Result.getOrThrow(decodeListing(bytes)))

/** Removes all images, of which nothing may be left then. */
const nothing = Effect.gen(function*() {
  const images = yield* Images
  for (const { id } of yield* images.list) yield* images.remove(id, { force: true, noPrune: false })
  yield* images.prune(true, yield* Effect.fromResult(parseImageFilters([], { now: 0n })))
  const usage = yield* images.diskUsage
  assert.deepStrictEqual([usage.images.length, usage.layers, usage.blobs, usage.waste], [0, 0, 0, 0])
})

const imported = (reference: string, archive: Uint8Array) =>
  Images.use((images) =>
    images.import({
      source: "-", reference, data: Stream.make(archive), defaults: noImageDefaults, message: "", platform: undefined
    }))

const commit = (container: string, reference: string) =>
  Images.use((images) => images.commit({ container, reference, author: "", message: "", changes: [], pause: true }))

const changed = (container: string) =>
  Images.use((images) => Effect.map(images.diff(container), (rows) => rows.map(({ kind, path }) => `${kind} ${path}`)))

/** A container of an image that is never started; it has a root of its own to be written to. */
const opened = Effect.fnUntraced(function*(image: string) {
  const engine = yield* Engine
  const { id, record } = yield* created(image)
  yield* engine.copyIn(id, "/", Stream.make(endOfArchive), undefined)
  return record
})

const created = Effect.fnUntraced(function*(image: string, more: Partial<ContainerConfig> = {}) {
  const engine = yield* Engine
  const { id } = yield* engine.create({ ...defaultConfig(image), command: ["true"], ...more }, "")
  return { id, record: (yield* engine.find("inspect", id)).record }
})

const text = (content: string, more: Partial<FileEntry> = {}): readonly [FileEntry] => [{
  ...impliedDirectory, type: "file", mode: 0o644, size: content.length, content, target: "", devmajor: 0, devminor: 0,
  link: null, ...more
}]
const folder: TreeEntry = { ...impliedDirectory, mtime: { seconds: 7, nanoseconds: 0 } }
const file = (path: string, content: string, more: Partial<FileEntry> = {}) => [path, text(content, more)[0]] as const

/** A directory for a file, a file for a directory, and back in the third; names of one file that part. */
const swapped: ReadonlyArray<Tree> = [
  treeOf([
    ["", folder], ["a", folder], file("a/in", "in"), file("b", "b"), file("x", "one", { link: "x" }), file("y", "one", { link: "x" }),
    ["gone", folder], file("gone/file", "file")
  ]),
  treeOf([["", folder], file("a", "a"), ["b", folder], file("b/in", "in"), file("x", "one"), file("y", "two")]),
  treeOf([["", folder], ["a", folder], file("a/other", "other"), file("b", "b"), ["gone", folder], file("gone/new", "new")])
]

export const storageLaws = (ground: Ground): void => {
  const rootOf = (record: ContainerRecord, isThere: boolean) => rootToRead(ground.paths, record, isThere)

  /** What makes `upper` of `lower` done to the root of a container, as its processes would. */
  const change = Effect.fnUntraced(function*(record: ContainerRecord, lower: Tree, upper: Tree) {
    const below = ground.driver === "overlay2" ? record.layers : []
    yield* unpack(writtenDirectory(ground.paths, record), layerOf(lower, upper), layerForm(ground.driver), below)
  })

  law(ground, "a container's root is the tree of its image", Effect.gen(function*() {
    const engine = yield* Engine
    for (const [tree] of pairs(6)) {
      yield* imported("tree", layerOf(emptyTree, tree))
      const { id, record } = yield* created("tree")
      assert.strictEqual(record.driver ?? "overlay2", ground.driver)
      assert.deepStrictEqual(comparable(yield* listed(rootOf(record, false))), comparable(tree))
      const own = yield* opened("tree")
      assert.deepStrictEqual(comparable(yield* listed(rootOf(own, true))), comparable(tree))
      assert.deepStrictEqual(yield* changed(own.id), [])
      yield* engine.remove(id, { force: false })
      yield* engine.remove(own.id, { force: false })
      yield* nothing
    }
  }))

  law(ground, "what a container changed, applied to its image, is what the container has", Effect.gen(function*() {
    const engine = yield* Engine
    const random = pairs(8).map((pair): ReadonlyArray<Tree> => pair)
    for (const [first, ...later] of [swapped, swapped.toReversed(), ...random]) {
      let lower = first!
      let image = (yield* imported("start", layerOf(emptyTree, lower))).id as string
      for (const upper of later) {
        const record = yield* opened(image)
        yield* change(record, lower, upper)
        assert.deepStrictEqual(comparable(yield* listed(rootOf(record, true))), comparable(upper))
        image = (yield* commit(record.id, "")).id
        yield* engine.remove(record.id, { force: false })
        const next = yield* created(image)
        assert.deepStrictEqual(comparable(yield* listed(rootOf(next.record, false))), comparable(upper))
        yield* engine.remove(next.id, { force: false })
        lower = upper
      }
      yield* nothing
    }
  }))

  const archive = Effect.map(
    Effect.flatMap(Engine, (engine) => Stream.runCollect(engine.host.copyOut(ground.rootfs, { name: "", follow: true }))), joinBytes
  )

  law(ground, "run, diff, commit and export tell the same of what a program did", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("box", yield* archive)
    const program = "rm /bin/touch; mkdir /bin/touch; echo in > /bin/touch/in; rm -r /home/alice; echo x > /home/alice; " +
      "ln /etc/passwd /etc/other; echo more >> /etc/passwd; chmod 700 /tmp; mkdir -p /new/deep; ln -s deep /new/link"
    const { id } = yield* created("box", { command: ["sh", "-c", program] })
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    assert.deepStrictEqual(yield* changed(id), [
      "C /bin", "C /bin/touch", "A /bin/touch/in", "C /etc", "A /etc/other", "C /etc/passwd", "C /home", "C /home/alice", "A /new",
      "A /new/deep", "A /new/link", "C /tmp"
    ])
    yield* commit(id, "made")
    const asked = "cat /bin/touch/in /home/alice; tail -n 1 /etc/other; stat -c %h /etc/passwd; stat -c %a /tmp; readlink /new/link"
    const seen = yield* output({ ...defaultConfig("made"), command: ["sh", "-c", asked] })
    assert.strictEqual(seen, "in\nx\nmore\n2\n700\ndeep\n")
    const exported = yield* Stream.runCollect(engine.copyOut(id, "/", { name: "", follow: false }))
    yield* imported("flat", joinBytes(exported))
    const again = yield* created("flat")
    const [one, other] = [yield* listed(rootOf((yield* created("made")).record, false)), yield* listed(rootOf(again.record, false))]
    const withoutMounts = (tree: Tree) =>
      comparable(tree).filter(({ path, type }) => type !== "dir" && !/^(dev|proc|sys|etc\/(hosts|hostname|resolv\.conf)$)/.test(path))
    assert.deepStrictEqual(withoutMounts(other), withoutMounts(one))
    for (const { record } of yield* engine.list) yield* engine.remove(record.id, { force: true })
    yield* nothing
  }))

  law(ground, "the root of a container looks as its image's, which a layer may leave unsaid", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("box", yield* archive)
    const changing = yield* created("box", { command: ["sh", "-c", "chmod 1770 /; chown 3:4 /; touch /one"] })
    yield* engine.start(changing.id)
    yield* engine.wait(changing.id)
    const image = yield* commit(changing.id, "looks")
    yield* imported("more", layerOf(emptyTree, treeOf([["", { ...folder, mode: 0o700 }], file("bin/x", "x")])))
    const asked = "stat -c '%a %u %g' /; touch /two; touch /bin/three"
    const more = yield* created(image.id, { command: ["sh", "-c", asked] })
    yield* engine.start(more.id)
    yield* engine.wait(more.id)
    const lines = yield* Stream.runCollect(engine.logs(more.id, { follow: false, tail: -1, since: undefined, until: undefined }))
    assert.deepStrictEqual(lines.map((line) => line.text), ["1770 3 4\n"])
    const again = yield* created((yield* commit(more.id, "")).id)
    const four = encodeTree([{ path: "four", type: "file", mode: 0o644, uid: 0, content: "" }])
    yield* engine.copyIn(again.id, "/bin", Stream.make(four), undefined)
    for (const isThere of [false, true]) {
      const { gid, mode, uid } = yield* listed(rootOf(again.record, isThere))
      assert.deepStrictEqual([mode, uid, gid], [0o1770, 3, 4])
    }
    assert.deepStrictEqual(yield* changed(again.id), ["C /bin", "A /bin/four"])
    const other = yield* opened("more")
    assert.strictEqual((yield* listed(rootOf(other, true))).mode, 0o700)
    for (const { record } of yield* engine.list) yield* engine.remove(record.id, { force: true })
    yield* nothing
  }))

  law(ground, "a name that is too long for a layer to name is gone from an image nevertheless", Effect.gen(function*() {
    const engine = yield* Engine
    const long = "n".repeat(255)
    const did = Effect.fnUntraced(function*(image: string, source: string) {
      const { id, record } = yield* created(image, { command: ["sh", "-c", source] })
      yield* engine.start(id)
      assert.strictEqual((yield* engine.wait(id)).code, 0)
      return record
    })
    const seen = (record: ContainerRecord, isThere: boolean) =>
      Effect.map(listed(rootOf(record, isThere)), (tree) =>
        comparable(tree).filter(({ path }) => !/^(dev|proc|sys|etc\/(hosts|hostname|resolv\.conf))(\/|$)/.test(path))
          // Of directories that the engine has mounted in, the time
          .map((entry) => /^(dev|etc|)$/.test(entry.path) ? { ...entry, mtime: null } : entry))
    yield* imported("box", yield* archive)
    const making = `mkdir -p /emptied /d/deep /replaced; for in in emptied d d/deep replaced; do echo x > /$in/${long}; done; ` +
      `echo x > /${long}; echo stays > /d/stays; echo before > /d/changes; echo linked > /d/one; ln /d/one /other`
    yield* commit((yield* did("box", making)).id, "long")
    for (const source of [
      `rm -r /emptied; mkdir /emptied; rm /d/${long}; echo after > /d/changes; rm /d/deep/${long}; echo new > /d/deep/new; ` +
        "rm -r /replaced; echo file > /replaced",
      `rm /emptied/${long}`, `rm -r /d; mkdir /d`, `rm /${long}; echo more >> /other`
    ]) {
      const record = yield* did("long", source)
      const image = yield* commit(record.id, "")
      assert.strictEqual(image.layers.length, 3)
      assert.deepStrictEqual(yield* seen((yield* created(image.id)).record, false), yield* seen(record, true), source)
    }
    const { id } = yield* created("long", { command: ["sh", "-c", `rm /emptied/${long}; echo ready; sleep 1000`] })
    yield* engine.start(id)
    yield* untilLogged(ground, id, "ready")
    const image = yield* commit(id, "")
    const emptied = nodeAt(yield* listed(rootOf((yield* created(image.id)).record, false)), "emptied")
    assert.strictEqual(emptied?.type === "dir" ? emptied.children.size : undefined, 0)
    for (const { record } of yield* engine.list) yield* engine.remove(record.id, { force: true })
    yield* nothing
  }))

  law(ground, "another content of the same size and time is a change", Effect.gen(function*() {
    const engine = yield* Engine
    const entry = (content: string) => treeOf([["", folder], file("a", content), file("b", "same")])
    yield* imported("sized", layerOf(emptyTree, entry("one")))
    const record = yield* opened("sized")
    yield* change(record, entry("one"), entry("two"))
    assert.deepStrictEqual(yield* changed(record.id), ["C /a"])
    yield* engine.remove(record.id, { force: false })
    yield* nothing
  }))

  law(ground, "containers of one image are apart, and the image stays as it is", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("box", yield* archive)
    const config = (source: string): ContainerConfig => ({ ...defaultConfig("box"), command: ["sh", "-c", source] })
    yield* ran(config("echo mine > /mine; rm /etc/passwd; echo x >> /etc/group"))
    assert.strictEqual(yield* output(config("test -e /mine || echo none; grep -c root /etc/passwd; grep -c x /etc/group")), "none\n1\n4\n")
    assert.deepStrictEqual(yield* engine.list, [])
    yield* nothing
  }))

  law(ground, "with ids mapped a container's root has the ids of the inside", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("box", yield* archive)
    const program = "touch /made; chown 1000:50 /made; stat -c '%u %g' /etc/passwd /made"
    const { id } = yield* created("box", { command: ["sh", "-c", program], usernsMode: "private" })
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    const lines = yield* Stream.runCollect(engine.logs(id, { follow: false, tail: -1, since: undefined, until: undefined }))
    assert.deepStrictEqual(lines.map((line) => line.text), ["0 0\n", "1000 50\n"])
    const { gid, uid } = yield* engine.stat(id, "/made", false)
    assert.deepStrictEqual([uid, gid], [1000, 50])
    yield* engine.remove(id, { force: false })
    yield* nothing
  }))

  law(ground, "what is copied into a container that was never started is read from it, and by its first start", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("box", yield* archive)
    const { id } = yield* created("box", { command: ["cat", "/copied/file", "/etc/group"] })
    // Looking makes nothing
    yield* engine.stat(id, "/etc/passwd", false)
    assert.deepStrictEqual(yield* changed(id), [])
    const copied = encodeTree([
      { path: "copied", type: "dir", mode: 0o755, uid: 0 },
      { path: "copied/file", type: "file", mode: 0o644, uid: 0, content: "copied\n" }
    ])
    yield* engine.copyIn(id, "/", Stream.make(copied), undefined)
    assert.deepStrictEqual(yield* changed(id), ["A /copied", "A /copied/file"])
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    const lines = yield* Stream.runCollect(engine.logs(id, { follow: false, tail: 1, since: undefined, until: undefined }))
    assert.strictEqual(lines.length, 1)
    yield* engine.remove(id, { force: false })
    yield* nothing
  }))

  law(ground, "engines that take in the same image at once have it once", Effect.gen(function*() {
    const images = yield* Images
    const [first, second] = swapped
    yield* imported("start", layerOf(emptyTree, first!))
    const record = yield* opened("start")
    yield* change(record, first!, second!)
    yield* commit(record.id, "both")
    const saved = yield* Stream.runCollect(images.save(["both"]))
    yield* Engine.use((engine) => engine.remove(record.id, { force: false }))
    yield* nothing
    const load = Effect.provide(
      Images.use((own) => own.load({ source: "-", data: Stream.fromIterable(saved), platform: undefined, observe: () => Effect.void })),
      ground.layer
    )
    yield* Effect.all([load, load, load], { concurrency: 3 })
    const made = yield* created("both")
    assert.deepStrictEqual(comparable(yield* listed(rootOf(made.record, false))), comparable(second!))
    const directories = yield* perform("DirList", { path: `${ground.paths.root}/${ground.driver}` })
    assert.strictEqual(directories.length, 2)
    yield* Engine.use((engine) => engine.remove(made.id, { force: false }))
    yield* nothing
  }))
}
