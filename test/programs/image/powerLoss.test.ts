/** Power fails at any operation of what brings images: what the next boot calls an image is whole. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { Kernel, perform } from "../../../src/programs/Kernel.ts"
import { hostText, reboot, runtimeFor, type Simulation, simulate, untilCrash } from "../../../src/testing/index.ts"
import { config } from "../../simulation/SimulatedEngine.ts"
import { type ImageBench, imageBench } from "./imageBench.ts"
import { published, pull } from "./scenarios.ts"

/** More operations than any of the programs has. */
const limit = 600

const benchOn = (simulation: Simulation, bench: ImageBench, driver: StorageDriver): ImageBench =>
  imageBench({ simulation, registry: bench.registry, driver })

/** Whether the engine was on its way when the power failed after an operation. */
const failsAt = async <A, E>(
  bench: ImageBench, simulation: Simulation, driver: StorageDriver, program: Effect.Effect<A, E, Images | Engine>, at: number
): Promise<boolean> => {
  const own = benchOn(simulation, bench, driver)
  const needing = Effect.flatMap(Effect.service(Kernel), (kernel) =>
    Effect.provide(program, own.layer(Layer.succeed(Kernel, kernel))))
  return (await runtimeFor(simulation).run(untilCrash(simulation, needing, { at, when: "after" })))._tag === "Crashed"
}

const create = (name: string, image: string) =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { rootfs: _, ...wish } = config(["true"])
    yield* engine.create({ ...wish, image }, name)
    return (yield* engine.find("inspect", name)).record.layers
  })

/** What containers of every image that is there see of its uppermost layer, and of the one below. */
const expectWhole = Effect.gen(function*() {
  const images = yield* Images
  for (const [index, { id }] of (yield* images.list).filter(({ builtin }) => builtin === undefined).entries()) {
    const [first = "/", ...rest] = yield* create(`user-${index}`, id)
    const texts = yield* perform("RootRead", {
      root: { _tag: "Layers", lower: [first, ...rest], upper: "", work: "" }, paths: ["/etc/motd"], limit: 100
    })
    assert.match(texts["/etc/motd"] ?? "", /^\w+\n?$/)
  }
})

describe.each(["overlay2", "vfs", "btrfs"] as const)("a host whose power fails, with %s", (driver) => {
  it("would have files of layers without anything in them", async () => {
    const bench = published(driver)
    const [directory] = await bench.run(Effect.andThen(pull("team/app:one"), create("user", `registry.test:5000/team/app:one`)))
    assert.isNotEmpty(hostText(bench.simulation.world, `${directory}/etc/motd`))
    assert.strictEqual(hostText(reboot(bench.simulation.world), `${directory}/etc/motd`), "")
    const up = simulate({ world: reboot(bench.simulation.world) })
    await benchOn(up, bench, driver).run(Effect.void)
    assert.strictEqual(hostText(up.world, `${directory}/etc/motd`), hostText(bench.simulation.world, `${directory}/etc/motd`))
    // It was synced: power may fail again, at once
    assert.isNotEmpty(hostText(reboot(up.world), `${directory}/etc/motd`))
  })

  it("loses nothing of a layer once an engine has come by a minute later", async () => {
    const bench = published(driver)
    const [directory] = await bench.run(Effect.andThen(pull("team/app:one"), create("user", `registry.test:5000/team/app:one`)))
    bench.simulation.pass(61_000_000)
    await benchOn(bench.simulation, bench, driver).run(Effect.void)
    assert.isNotEmpty(hostText(reboot(bench.simulation.world), `${directory}/etc/motd`))
    const up = simulate({ world: reboot(bench.simulation.world) })
    const mended = await benchOn(up, bench, driver).run(Engine.use(({ recover }) => recover))
    assert.deepStrictEqual(mended.mended, [])
    assert.deepStrictEqual(await benchOn(up, bench, driver).run(Engine.use(({ check }) => check({ repair: false }))), [])
  })

  it("while it pulls has no image that is not whole", { timeout: 120_000 }, async () => {
    const bench = published(driver)
    await bench.run(pull("team/app:two"))
    const prepared = bench.simulation.world
    for (let at = 0;; at++) {
      assert.isBelow(at, limit)
      const simulation = simulate({ world: prepared })
      const failed = await failsAt(bench, simulation, driver, pull("team/app:one"), at)
      await benchOn(simulate({ world: reboot(simulation.world) }), bench, driver).run(expectWhole)
      if (!failed) break
    }
  })

  it("while it makes layers anew makes them anew again", { timeout: 120_000 }, async () => {
    const bench = published(driver)
    const [directory] = await bench.run(Effect.andThen(pull("team/app:one"), create("user", `registry.test:5000/team/app:one`)))
    const motd = hostText(bench.simulation.world, `${directory}/etc/motd`)
    const prepared = reboot(bench.simulation.world)
    for (let at = 0;; at++) {
      assert.isBelow(at, limit)
      const simulation = simulate({ world: prepared })
      const failed = await failsAt(bench, simulation, driver, Engine.use((engine) => engine.recover), at)
      const up = simulate({ world: reboot(simulation.world) })
      await benchOn(up, bench, driver).run(expectWhole)
      assert.strictEqual(hostText(up.world, `${directory}/etc/motd`), motd, `after operation ${at}`)
      if (!failed) break
    }
  })
})
