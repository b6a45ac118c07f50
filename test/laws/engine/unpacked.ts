/** Layers that are unpacked already: other archives of them are held against them, and a loss of power takes nothing from them. */
import { assert } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import * as Paths from "../../../src/domain/container/Paths.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import { type LayerRecord, layerKey } from "../../../src/domain/layer/LayerRecord.ts"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { encodeTree } from "../../differential/archive.ts"
import { output, refusal } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const tar = (files: { readonly [path: string]: Uint8Array }): Uint8Array =>
  Buffer.concat([
    ...Object.entries(files).flatMap(([path, bytes]) => [
      Result.getOrThrow(encodeHeader({
        path, type: "file", mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", size: bytes.length,
        mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, linkpath: "", devmajor: 0, devminor: 0, xattrs: new Map(), sparse: null
      })), bytes, padding(bytes.length)
    ]),
    endOfArchive
  ])

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

/** An archive as docker saves it, whose config says of a layer what it may not be. */
const archiveOf = (name: string, layer: Uint8Array, diffId: string): Uint8Array =>
  tar({
    "manifest.json": json([{ Config: "config.json", RepoTags: [`${name}:1`], Layers: ["layer.tar"] }]),
    "config.json": json({
      architecture: "amd64", os: "linux", config: { Cmd: [name] }, rootfs: { type: "layers", diff_ids: [diffId] }
    }),
    "layer.tar": layer
  })

const load = (bytes: Uint8Array) =>
  Images.use((images) => images.load({ source: "-", data: Stream.make(bytes), platform: undefined, observe: () => Effect.void }))

const layerWith = (content: string) => encodeTree([{ type: "file", path: "file", mode: 0o644, uid: 0, content }])

const records = Effect.map(perform("RecordList", { collection: "layers" }), (rows) =>
  rows.map(({ revision, value }) => ({ revision, record: JSON.parse(value) as LayerRecord })))

/** No image is left, nor anything of one. */
const nothing = Effect.gen(function*() {
  const images = yield* Images
  for (const { id } of yield* images.list) yield* images.remove(id, { force: true, noPrune: false })
  yield* images.prune(true, noFilters)
  const usage = yield* images.diskUsage
  assert.deepStrictEqual([usage.images.length, usage.layers, usage.blobs, usage.waste], [0, 0, 0, 0])
})

export const unpackedLaws = (ground: Ground): void => {
  law(ground, "an archive that is not what its config says is refused, whether or not the layer is there", Effect.gen(function*() {
    const images = yield* Images
    const [real, other] = [layerWith("real"), layerWith("other")]
    const lie = archiveOf("lie", new Uint8Array(gzipSync(other)), sha256(real))
    const expectRefused = Effect.gen(function*() {
      const error = yield* refusal(load(lie))
      assert.deepStrictEqual([error.operation, error.kind, error.object], ["load", "invalid", sha256(gzipSync(other))])
      assert.strictEqual(error.message,
        `cannot load the layer ${sha256(gzipSync(other))}: it unpacks to ${sha256(other)}, ` +
          `but the image's config says ${sha256(real)}: the image is broken: tell who published it`)
    })
    yield* expectRefused
    assert.deepStrictEqual(yield* images.list, [])
    yield* load(archiveOf("plain", real, sha256(real)))
    yield* expectRefused
    const damaged = yield* refusal(load(archiveOf("cut", new Uint8Array(gzipSync(real)).subarray(0, 60), sha256(real))))
    assert.match(damaged.message, /damaged|cut off|unexpected end/)
    assert.strictEqual((yield* images.list).length, 1)
    // Compressed in another way it is the same layer, unpacked once
    yield* load(archiveOf("gzip", new Uint8Array(gzipSync(real)), sha256(real)))
    const [{ record } = assert.fail("no layer is recorded"), ...more] = yield* records
    assert.deepStrictEqual([more, record.blobs], [[], [sha256(real), sha256(gzipSync(real))]])
    yield* nothing
  }))

  const archive = Effect.map(Engine, (engine) => engine.host.copyOut(ground.rootfs, { name: "", follow: true }))

  /** What a host would have after a reboot: records of another boot, and of a file no more than its name. */
  const losePower = Effect.fnUntraced(function*(file: string) {
    for (const { record, revision } of yield* records) {
      const value = JSON.stringify({ ...record, unsynced: { boot: "another", at: 0 } })
      yield* perform("RecordPut", { collection: "layers", key: layerKey(record.driver, record.chainId), revision, name: "", value })
      const path = `${Paths.layerDirectory(ground.paths, record.driver, record.directory)}/${file}`
      const there = yield* Effect.result(perform("FileStat", { path, follow: false }))
      if (Result.isSuccess(there)) yield* perform("FileWrite", { path, mode: 0o644, text: "" })
    }
  })

  const boots = Effect.map(records, (all) => all.map(({ record }) => record.unsynced?.boot))

  const prepared = Effect.gen(function*() {
    const images = yield* Images
    const engine = yield* Engine
    yield* images.import({
      source: "-", reference: "box", data: yield* archive, defaults: noImageDefaults, message: "", platform: undefined
    })
    const { id } = yield* engine.create({ ...defaultConfig("box"), command: ["sh", "-c", "echo mine > /etc/motd"] }, "")
    yield* engine.start(id)
    yield* engine.wait(id)
    yield* images.commit({ container: id, reference: "own", author: "", message: "", changes: [], pause: true })
    yield* engine.remove(id, { force: false })
  })

  law(ground, "layers that containers are on are made anew after a reboot, and those that others need at need", Effect.gen(function*() {
    const engine = yield* Engine
    yield* prepared
    for (const boot of yield* boots) assert.isString(boot)
    const asked = { ...defaultConfig("own"), command: ["cat", "/etc/group", "/etc/motd"] }
    const { id } = yield* engine.create(asked, "")
    const [before] = yield* Effect.map(engine.find("inspect", id), ({ record }) => record.layers)
    yield* losePower("etc/group")
    const { mended, quarantined } = yield* engine.recover
    assert.deepStrictEqual([mended.filter((one) => one.includes("anew")).length, quarantined], [2, []])
    // What was made anew is on disk: the next reboot takes nothing of it
    assert.deepStrictEqual(yield* boots, [undefined, undefined])
    assert.deepStrictEqual((yield* engine.find("inspect", id)).record.layers[0], before)
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    const lines = yield* Stream.runCollect(engine.logs(id, { follow: false, tail: -1, since: undefined, until: undefined }))
    assert.deepStrictEqual([lines.length, lines.at(-1)?.text], [5, "mine\n"])
    yield* engine.remove(id, { force: false })
    yield* losePower("etc/group")
    assert.deepStrictEqual((yield* engine.recover).mended.filter((one) => one.includes("anew")), [])
    assert.deepStrictEqual(yield* boots, ["", ""])
    assert.strictEqual((yield* output(asked)).split("\n").length, 6)
    assert.deepStrictEqual(yield* boots, [undefined, undefined])
    yield* nothing
  }))

  law(ground, "the archive of a layer stays while it may be needed to make that anew, and its loss is told", Effect.gen(function*() {
    const engine = yield* Engine
    const images = yield* Images
    yield* prepared
    const { id } = yield* engine.create({ ...defaultConfig("own"), command: ["cat", "/etc/group"] }, "")
    for (const image of yield* images.list) yield* images.remove(image.id, { force: true, noPrune: false })
    yield* images.prune(true, noFilters)
    yield* losePower("etc/group")
    assert.deepStrictEqual((yield* engine.recover).quarantined, [])
    yield* losePower("etc/group")
    for (const { record } of yield* records) {
      for (const blob of record.blobs ?? []) {
        yield* perform("FileRemove", { path: `${ground.paths.root}/blobs/sha256/${blob.slice("sha256:".length)}` })
      }
    }
    const [told, ...others] = (yield* engine.recover).quarantined
    assert.deepStrictEqual([told?.id, others], [id, []])
    assert.match(told?.reason ?? "", /may be incomplete since the host went down.*pull or load the image again/)
    yield* engine.remove(id, { force: false })
    yield* nothing
  }))
}
