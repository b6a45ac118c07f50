/** Pulling: what comes is verified, unpacked, named, and there for containers; what breaks leaves nothing that counts. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { parseReference } from "../../../src/domain/image/Reference.ts"
import { Images } from "../../../src/programs/Images.ts"
import { hostPaths, hostText } from "../../../src/testing/index.ts"
import { domain, imageBench, publish, quiet, tarOf } from "./imageBench.ts"

const named = (text: string) => Result.getOrThrow(parseReference(`${domain}/${text}`))

const base = tarOf([{ path: "etc", type: "dir" }, { path: "etc/motd", text: "first" }, { path: "gone", text: "x" }])
const top = tarOf([{ path: "etc/motd", text: "second" }, { path: ".wh.gone" }])

const pull = (text: string, platform?: never) =>
  Images.use((images) => images.pull({ reference: named(text), platform, observe: quiet }))

describe("pull", () => {
  for (const gzip of [false, true]) {
    it(`brings an image with layers ${gzip ? "in gzip" : "as they are"}, and its names`, async () => {
      const bench = imageBench()
      const published = publish(bench.registry, "team/app", "one", [base, top], { gzip, env: ["A=1"] })
      await bench.run(Effect.gen(function*() {
        const pulled = yield* pull("team/app:one")
        assert.deepStrictEqual([pulled.image.id, pulled.digest, pulled.upToDate], [published.id, published.digest, false])
        assert.strictEqual((yield* pull("team/app:one")).upToDate, true)
        const [image] = yield* Images.use((images) => images.list)
        assert.deepStrictEqual(image?.tags.map(({ tag }) => tag), ["one"])
        assert.deepStrictEqual(image?.digests.map(({ digest }) => digest), [published.digest])
        assert.deepStrictEqual(image?.record.config.env, ["A=1"])
        const { directories } = yield* Images.use((images) => images.inspect(`${domain}/team/app:one`))
        assert.strictEqual(directories.length, 2)
        const world = bench.simulation.world
        assert.strictEqual(hostText(world, `${directories[0]}/etc/motd`), "second")
        assert.strictEqual(hostText(world, `${directories[1]}/etc/motd`), "first")
        assert.deepStrictEqual(hostPaths(world).filter((path) => /\/ingest\/|\/locks\//.test(path)), [])
        const history = yield* Images.use((images) => images.history(published.id))
        assert.deepStrictEqual(history.map(({ createdBy }) => createdBy), ["step 1", "step 0"])
      }))
    })
  }
})
