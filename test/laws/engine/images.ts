/** Images of one layer, made of archives. */
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { noImageDefaults } from "../../../src/domain/image/ImageRecord.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { output, ran, refusal } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

export const imageLaws = (ground: Ground): void => {
  /** The laws' root file system as an archive of its content. */
  const archive = Effect.map(Engine, (engine) => engine.host.copyOut(ground.rootfs, { name: "", follow: true }))

  const imported = (reference: string, defaults = noImageDefaults) =>
    Effect.gen(function*() {
      const engine = yield* Engine
      return yield* engine.importImage({ reference, data: yield* archive, defaults })
    })

  law(ground, "an imported image has containers of its own, and goes after them", Effect.gen(function*() {
    const engine = yield* Engine
    const image = yield* imported("small")
    assert.strictEqual(image.reference, "small:latest")
    assert.deepStrictEqual((yield* engine.images).map(({ id }) => id), [image.id])
    const config = { ...defaultConfig("small"), command: ["cat", "/etc/group"] }
    assert.include(yield* output(config), "wheel")
    const { id } = yield* engine.create(config, "user")
    const error = yield* refusal(engine.removeImage("small"))
    assert.deepStrictEqual([error.kind, error.cause], ["conflict", "unable to remove image small: it is used by user"])
    yield* engine.remove(id, { force: false })
    yield* engine.removeImage("small:latest")
    assert.deepStrictEqual(yield* engine.images, [])
    assert.strictEqual((yield* refusal(engine.create(config, ""))).kind, "missing")
  }))

  law(ground, "what an image says holds where the container says nothing", Effect.gen(function*() {
    const engine = yield* Engine
    yield* imported("defaults", {
      ...noImageDefaults, command: ["sh", "-c", "echo $A $B; pwd; id -u"], env: ["A=image", "B=image"],
      workingDirectory: "/home", user: "alice"
    })
    const config = { ...defaultConfig("defaults"), env: ["B=own"] }
    assert.strictEqual((yield* ran(config)).stdout, "image own\n/home\n1000\n")
    assert.strictEqual((yield* ran({ ...config, user: "0", workingDirectory: "/", command: ["sh", "-c", "pwd"] })).stdout, "/\n")
    yield* engine.removeImage("defaults")
  }))

  law(ground, "an archive that is none, or a name that is none, leaves nothing", Effect.gen(function*() {
    const engine = yield* Engine
    const data = Stream.make(new TextEncoder().encode("no archive at all ".repeat(100)))
    const broken = yield* Effect.exit(engine.importImage({ reference: "broken", data, defaults: noImageDefaults }))
    assert.strictEqual(broken._tag, "Failure")
    assert.strictEqual((yield* refusal(imported("No Name"))).kind, "invalid")
    assert.deepStrictEqual(yield* engine.images, [])
    assert.strictEqual((yield* refusal(engine.removeImage("broken"))).kind, "missing")
  }))

  law(ground, "an image of the same name takes it from the older one", Effect.gen(function*() {
    const engine = yield* Engine
    const older = yield* imported("twice")
    const newer = yield* imported("twice")
    assert.deepStrictEqual(
      (yield* engine.images).map(({ id, reference }) => [id, reference]).sort(),
      [[older.id, ""], [newer.id, "twice:latest"]].sort()
    )
    yield* engine.removeImage(older.id)
    yield* engine.removeImage("twice")
    assert.deepStrictEqual(yield* engine.images, [])
  }))
}
