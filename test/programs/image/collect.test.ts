/** What images, containers and running operations need stays; all else goes, whenever an engine dies. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config } from "../../simulation/SimulatedEngine.ts"
import { domain, imageBench, publish } from "./imageBench.ts"
import { changedContainer, load, own, pull, remove, save, shared, stored } from "./scenarios.ts"

const published = () => {
  const bench = imageBench()
  publish(bench.registry, "team/app", "one", [shared, own("one")])
  publish(bench.registry, "team/app", "two", [shared, own("two")])
  return bench
}

describe("what images need", () => {
  it("goes with the last image that needs it", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      yield* pull("team/app:one")
      yield* pull("team/app:two")
      // Each: a manifest, a config, a blob and a directory of its own; the lowest layer is common
      assert.strictEqual(stored(bench.simulation.world).length, 2 * 4 + 2)
      const gone = yield* remove(`${domain}/team/app:one`)
      assert.deepStrictEqual(gone.map(({ _tag }) => _tag), ["Untagged", "Untagged", "Deleted", "Deleted"])
      assert.strictEqual(stored(bench.simulation.world).length, 4 + 2)
      yield* remove(`${domain}/team/app:two`)
      assert.deepStrictEqual(stored(bench.simulation.world), [])
    }))
  })

  it("stays while a container is of it", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      const { image } = yield* pull("team/app:one")
      const engine = yield* Engine
      const { rootfs: _, ...wish } = config(["true"])
      yield* engine.create({ ...wish, image: image.id }, "user")
      const refused = yield* Effect.flip(remove(image.id))
      assert.include(refused.message, "it is used by the stopped user")
      yield* remove(image.id, true)
      assert.strictEqual(stored(bench.simulation.world).filter((path) => path.includes("overlay2")).length, 2)
      yield* engine.remove("user", { force: false })
      yield* Images.use((images) => images.prune(false, noFilters))
      assert.deepStrictEqual(stored(bench.simulation.world), [])
    }))
  })

  it("survives a round trip through an archive with all its digests", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      const { image } = yield* pull("team/app:one")
      const archive = yield* save(`${domain}/team/app:one`)
      yield* remove(image.id)
      const [loaded] = yield* load(archive)
      assert.deepStrictEqual(
        [loaded?.image.id, loaded?.image.target.digest, loaded?.names.map(({ tag }) => tag)], [image.id, image.target.digest, ["one"]]
      )
      assert.deepStrictEqual(yield* save(`${domain}/team/app:one`), archive)
    }))
  })
})

describe("a commit", () => {
  it("makes a layer of what the container changed, and tells that as its differences", async () => {
    const bench = imageBench()
    await bench.run(Effect.gen(function*() {
      yield* changedContainer
      const images = yield* Images
      assert.deepStrictEqual((yield* images.diff("changed")).map(({ kind, path }) => `${kind} ${path}`), [
        "C /etc", "C /etc/passwd", "A /new", "A /new/file", "C /usr", "C /usr/bin", "D /usr/bin/ls"
      ])
      const wish = { container: "changed", reference: "committed", author: "me", message: "why", changes: ["ENV B=2"], pause: true }
      const made = yield* images.commit(wish)
      assert.deepStrictEqual([made.layers.length, made.config.env], [2, ["B=2"]])
      const engine = yield* Engine
      const { rootfs: _, ...own } = config(["sh", "-c", "tail -n 1 /etc/passwd; cat /new/file; test -e /bin/ls || exit 3"])
      yield* engine.create({ ...own, image: "committed" }, "again")
      yield* engine.start("again")
      assert.strictEqual((yield* engine.wait("again")).code, 3)
      const lines = yield* Stream.runCollect(engine.logs("again", { follow: false, tail: -1, since: undefined, until: undefined }))
      assert.deepStrictEqual(lines.map(({ text }) => text), ["more\n", "x\n"])
      // The same changes are the same layer
      const twice = yield* images.commit(wish)
      assert.deepStrictEqual(twice.layers, made.layers)
    }))
  })
})

describe("system check", () => {
  it("tells what the store has lost, and mends what can be made again", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      const { image } = yield* pull("team/app:one")
      const engine = yield* Engine
      const [layer] = (yield* Images.use((images) => images.inspect(image.id))).directories
      yield* perform("TreeRemove", { path: layer! })
      yield* perform("FileRemove", { path: `/var/lib/fx-engine/blobs/sha256/${image.id.slice("sha256:".length)}` })
      const problems = (found: ReadonlyArray<{ readonly problem: string }>) => found.map(({ problem }) => problem.split(/[ ,]/, 4).join(" "))
      assert.deepStrictEqual(problems(yield* engine.check({ repair: false })), [
        `its content ${image.id} is`, `its directory ${layer} has`
      ])
      yield* engine.check({ repair: true })
      assert.strictEqual((yield* engine.check({ repair: false })).length, 1)
      // Names alone bring what is missing
      yield* pull("team/app:one")
      assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
    }))
  })
})
