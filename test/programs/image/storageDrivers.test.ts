/** Roots and containers remember their storage drivers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { notBtrfs } from "../../../src/domain/layer/StorageDriver.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { config } from "../../simulation/SimulatedEngine.ts"
import { domain, type ImageBench, imageBench } from "./imageBench.ts"
import { published, pull, stored } from "./scenarios.ts"

const pullOne = pull("team/app:one")

const { rootfs: _, ...asked } = config(["cat", "/etc/motd"])
const wish = { ...asked, image: `${domain}/team/app:one` }

describe("a root", () => {
  const driverIn = (bench: ImageBench) =>
    bench.run(Effect.gen(function*() {
      yield* pullOne
      yield* Engine.use((engine) => engine.create(wish, ""))
      const all = yield* Engine.use((engine) => engine.list)
      return all.map(({ record }) => record.driver ?? "overlay2").toSorted()
    }))

  it("keeps the storage driver that was chosen last, and each container its own", async () => {
    const { registry, simulation } = published("vfs")
    let seed = 1
    const as = (driver?: StorageDriver) => imageBench({ simulation, registry, seed: seed++, ...(driver === undefined ? {} : { driver }) })
    assert.deepStrictEqual(await driverIn(as()), ["overlay2"])
    assert.deepStrictEqual(await driverIn(as("vfs")), ["overlay2", "vfs"])
    assert.deepStrictEqual(await driverIn(as()), ["overlay2", "vfs", "vfs"])
    assert.deepStrictEqual(await driverIn(as("overlay2")), ["overlay2", "overlay2", "vfs", "vfs"])
    // All of them start, whatever the driver is now; both drivers' layers go with the last that needs them
    await as().run(Effect.gen(function*() {
      const engine = yield* Engine
      const images = yield* Images
      for (const { record } of yield* engine.list) {
        yield* engine.start(record.id)
        assert.strictEqual((yield* engine.wait(record.id)).code, 0)
        yield* engine.remove(record.id, { force: false })
      }
      yield* images.remove(`${domain}/team/app:one`, { force: true, noPrune: false })
      yield* images.prune(true, noFilters)
    }))
    assert.deepStrictEqual(stored(simulation.world), [])
  })

  it("that is not on btrfs is not given that driver, and does not remember it", async () => {
    const { registry, simulation } = published("vfs")
    const refused = await imageBench({ simulation, registry, driver: "btrfs" }).run(pullOne).then(() => "", String)
    assert.include(refused, notBtrfs)
    assert.deepStrictEqual(await driverIn(imageBench({ simulation, registry })), ["overlay2"])
  })
})
