/** Pushing: what was made here goes compressed, what came from a registry goes as it was. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { perform } from "../../../src/programs/Kernel.ts"
import type { Progress } from "../../../src/programs/image/Progress.ts"
import { Images } from "../../../src/programs/Images.ts"
import { domain, imageBench, publish, quiet } from "./imageBench.ts"
import { importOne, named, own, published, pull, remove, shared } from "./scenarios.ts"

const push = (text: string) => Images.use((images) => images.push(named(text), quiet))
const tag = (from: string, to: string) => Images.use((images) => images.tag(from, `${domain}/${to}`))

describe("push", () => {
  it("sends what came from a registry byte for byte", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      const { digest, image } = yield* pull("team/app:one")
      yield* tag(image.id, "other/place:again")
      assert.strictEqual((yield* push("other/place:again")).digest, digest)
      yield* remove(image.id, true)
      assert.strictEqual((yield* pull("other/place:again")).image.id, image.id)
    }))
  })

  it("sends what was made here in gzip, the same each time", async () => {
    const bench = imageBench()
    publish(bench.registry, "team/app", "one", [shared, own("one")])
    await bench.run(Effect.gen(function*() {
      const made = yield* importOne("made")
      yield* tag("made", "team/made:one")
      const first = yield* push("team/made:one")
      assert.deepStrictEqual(yield* push("team/made:one"), first)
      yield* remove(made.id, true)
      const { image } = yield* pull("team/made:one")
      assert.deepStrictEqual([image.id, image.target.digest], [made.id, first.digest])
      assert.deepStrictEqual(image.layers.map(({ blob }) => blob.mediaType), ["application/vnd.oci.image.layer.v1.tar+gzip"])
    }))
  })

  it("tells how far it has compressed and sent a layer, by the name of what is unpacked", async () => {
    await imageBench().run(Effect.gen(function*() {
      const made = yield* importOne("made")
      yield* tag("made", "team/made:one")
      const words: Array<Progress> = []
      yield* Images.use((images) => images.push(named("team/made:one"), (word) => Effect.sync(() => void words.push(word))))
      const id = made.layers[0]!.diffId.slice("sha256:".length, "sha256:".length + 12)
      assert.deepStrictEqual(words.slice(0, -1).map((word) => [word.id, word.status, word.current === undefined ? "" : word.current / word.total!]), [
        [id, "Compressing", 1], [id, "Preparing", ""], [id, "Pushing", 1], [id, "Pushed", ""]
      ])
      assert.match(words.at(-1)!.status, /^one: digest: sha256:/)
    }))
  })

  it("of an image that somebody removes meanwhile goes on, and leaves no name of what has gone", async () => {
    const bench = published()
    await bench.run(Effect.gen(function*() {
      const { image } = yield* pull("team/app:two")
      yield* tag(image.id, "other/place:two")
      const removeNow = Effect.ignore(remove(image.id, true))
      const images = yield* Images
      const { digest } = yield* images.push(named("other/place:two"), ({ status }) =>
        status === "Preparing" ? Effect.provideService(removeNow, Images, images) : Effect.void)
      assert.strictEqual(digest, image.target.digest)
      assert.deepStrictEqual(yield* perform("RecordList", { collection: "names" }), [])
    }))
  })

  it("of a name that is not here says so", async () => {
    await imageBench().run(Effect.gen(function*() {
      const error = yield* Effect.flip(push("team/none:one"))
      assert.include(error.message, "An image does not exist locally with the tag")
    }))
  })
})
