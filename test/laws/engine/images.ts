/** Images, made of archives and of containers: what becomes of their names, their layers and the room they take. */
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { parseImageFilters } from "../../../src/domain/image/ImageFilter.ts"
import { familiarReference } from "../../../src/domain/image/Reference.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import type { LoadOptions } from "../../../src/programs/image/loadArchive.ts"
import { Images } from "../../../src/programs/Images.ts"
import { output, ran, refusal, text } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const names = Effect.gen(function*() {
  const images = yield* Images
  return (yield* images.list).flatMap(({ tags }) => tags.map(familiarReference)).toSorted()
})

const remove = (name: string, force = false) => Images.use((images) => images.remove(name, { force, noPrune: false }))

const everyImage = Effect.fromResult(parseImageFilters([], { now: 0n }))

/** No image is left, nor anything of one. */
const nothing = Effect.gen(function*() {
  const images = yield* Images
  yield* images.prune(true, yield* everyImage)
  const usage = yield* images.diskUsage
  assert.deepStrictEqual([usage.images.length, usage.layers, usage.blobs, usage.waste], [0, 0, 0, 0])
})

const loading = (data: Stream.Stream<Uint8Array>): LoadOptions<never, never> =>
  ({ source: "-", data, platform: undefined, observe: () => Effect.void })

export const imageLaws = (ground: Ground): void => {
  /** The laws' root file system as an archive of its content. */
  const archive = Effect.map(Engine, (engine) => engine.host.copyOut(ground.rootfs, { name: "", follow: true }))

  const imported = (reference: string, defaults = noImageDefaults) =>
    Effect.gen(function*() {
      const images = yield* Images
      return yield* images.import({
        source: "-", reference, data: yield* archive, defaults, message: "", platform: undefined
      })
    })

  law(ground, "an imported image has containers of its own, and goes after them", Effect.gen(function*() {
    const engine = yield* Engine
    const image = yield* imported("small")
    assert.deepStrictEqual(yield* names, ["small:latest"])
    const config = { ...defaultConfig("small"), command: ["cat", "/etc/group"] }
    assert.include(yield* output(config), "wheel")
    const { id } = yield* engine.create(config, "user")
    const error = yield* refusal(remove("small"))
    assert.strictEqual(error.kind, "conflict")
    assert.include(error.cause, "user")
    yield* engine.remove(id, { force: false })
    assert.deepInclude(yield* remove("small:latest"), { _tag: "Deleted", digest: image.id })
    assert.deepStrictEqual(yield* names, [])
    assert.strictEqual((yield* refusal(engine.create(config, ""))).kind, "missing")
    yield* nothing
  }))

  law(ground, "what an image says holds where the container says nothing", Effect.gen(function*() {
    yield* imported("defaults", {
      ...noImageDefaults, command: ["sh", "-c", "echo $A $B; pwd; id -u"], env: ["A=image", "B=image"],
      workingDirectory: "/home", user: "alice"
    })
    const config = { ...defaultConfig("defaults"), env: ["B=own"] }
    assert.strictEqual((yield* ran(config)).stdout, "image own\n/home\n1000\n")
    assert.strictEqual((yield* ran({ ...config, user: "0", workingDirectory: "/", command: ["sh", "-c", "pwd"] })).stdout, "/\n")
    yield* remove("defaults")
    yield* nothing
  }))

  law(ground, "an archive that is none, or a name that is none, leaves nothing", Effect.gen(function*() {
    const images = yield* Images
    const data = Stream.make(new TextEncoder().encode("no archive at all ".repeat(100)))
    const broken = yield* Effect.exit(images.import({
      source: "-", reference: "broken", data, defaults: noImageDefaults, message: "", platform: undefined
    }))
    assert.strictEqual(broken._tag, "Failure")
    assert.strictEqual((yield* Effect.exit(images.load(loading(data))))._tag, "Failure")
    assert.strictEqual((yield* refusal(imported("No Name"))).kind, "invalid")
    assert.deepStrictEqual(yield* names, [])
    assert.strictEqual((yield* refusal(remove("broken"))).kind, "missing")
    yield* nothing
  }))

  law(ground, "an image of the same name takes it from the older one", Effect.gen(function*() {
    const images = yield* Images
    const older = yield* imported("twice")
    const newer = yield* imported("twice", { ...noImageDefaults, command: ["other"] })
    assert.deepStrictEqual(
      (yield* images.list).map(({ id, tags }) => [id, tags.length]).sort(), [[older.id, 0], [newer.id, 1]].sort()
    )
    yield* remove(older.id)
    yield* remove("twice")
    yield* nothing
  }))

  law(ground, "an image goes with the last of its names", Effect.gen(function*() {
    const images = yield* Images
    const { id } = yield* imported("first:1")
    yield* images.tag("first:1", "second:2")
    yield* images.tag(id, "third:3")
    assert.deepStrictEqual(yield* names, ["first:1", "second:2", "third:3"])
    assert.deepStrictEqual(yield* remove("first:1"), [{ _tag: "Untagged", name: "first:1" }])
    assert.strictEqual((yield* refusal(remove(id.slice(7, 19)))).kind, "conflict")
    assert.deepStrictEqual(yield* names, ["second:2", "third:3"])
    assert.deepInclude(yield* remove(id, true), { _tag: "Deleted", digest: id })
    yield* nothing
  }))

  law(ground, "what a container changed is told, and becomes a layer over its image's", Effect.gen(function*() {
    const engine = yield* Engine
    const images = yield* Images
    yield* imported("base:1")
    const changing = "echo new > /etc/new; rm /etc/group; mkdir /made; echo in > /made/in"
    const { id } = yield* engine.create({ ...defaultConfig("base:1"), command: ["sh", "-c", changing] }, "maker")
    yield* engine.start(id)
    yield* engine.wait(id)
    assert.deepStrictEqual((yield* images.diff("maker")).map(({ kind, path }) => `${kind} ${path}`), [
      "C /etc", "D /etc/group", "A /etc/new", "A /made", "A /made/in"
    ])
    const image = yield* images.commit({
      container: "maker", reference: "made:1", author: "", message: "", changes: [`CMD ["cat","/etc/new","/made/in"]`], pause: true
    })
    assert.strictEqual(image.layers.length, 2)
    yield* engine.remove(id, { force: false })
    assert.strictEqual((yield* ran({ ...defaultConfig("made:1"), command: [] })).stdout, "new\nin\n")
    assert.strictEqual((yield* ran({ ...defaultConfig("made:1"), command: ["sh", "-c", "test -e /etc/group || echo gone"] })).stdout, "gone\n")
    // The layer below is still needed
    yield* remove("base:1")
    assert.strictEqual((yield* ran({ ...defaultConfig("made:1"), command: [] })).stdout, "new\nin\n")
    yield* remove("made:1")
    yield* nothing
  }))

  law(ground, "an image that was saved is the same when it is loaded", Effect.gen(function*() {
    const images = yield* Images
    const { id } = yield* imported("saved:1", { ...noImageDefaults, command: ["cat", "/etc/passwd"] })
    const saved = yield* Stream.runCollect(images.save(["saved:1"]))
    assert.deepStrictEqual(text(yield* Stream.runCollect(images.save(["saved:1"]))), text(saved))
    yield* remove("saved:1")
    const [loaded] = yield* images.load(loading(Stream.fromIterable(saved)))
    assert.strictEqual(loaded?.image.id, id)
    assert.deepStrictEqual(yield* names, ["saved:1"])
    assert.include(yield* output({ ...defaultConfig("saved:1"), command: [] }), "alice")
    yield* remove("saved:1")
    yield* nothing
  }))

  law(ground, "prune takes what has no name, and only then what has one and no container", Effect.gen(function*() {
    const engine = yield* Engine
    const images = yield* Images
    yield* imported("used:1")
    yield* imported("idle:1", { ...noImageDefaults, command: ["idle"] })
    const nameless = yield* imported("", { ...noImageDefaults, command: ["nameless"] })
    const { id } = yield* engine.create({ ...defaultConfig("used:1"), command: ["true"] }, "user")
    const filters = yield* everyImage
    assert.deepStrictEqual((yield* images.prune(false, filters)).images.map((image) => image.id), [nameless.id])
    assert.deepStrictEqual(yield* names, ["idle:1", "used:1"])
    assert.isAbove((yield* images.prune(true, filters)).bytes, 0)
    assert.deepStrictEqual(yield* names, ["used:1"])
    yield* engine.remove(id, { force: false })
    yield* nothing
  }))
}
