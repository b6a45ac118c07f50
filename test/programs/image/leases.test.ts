/** A lease costs the same however much it holds already, and collecting keeps nobody from the store while trees go. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Paths from "../../../src/domain/container/Paths.ts"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import type { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { Kernel, type Middleware } from "../../../src/programs/Kernel.ts"
import { paths } from "../../simulation/SimulatedEngine.ts"
import { domain, type ImageBench, imageBench, tarOf } from "./imageBench.ts"
import { load, published, pull, stored } from "./scenarios.ts"

/** Performs a program on an engine of its own, and tells of each operation before it is performed. */
const watched = <A, E>(
  bench: ImageBench, program: Effect.Effect<A, E, Images | Engine>, see: (tag: string, payload: object) => void
): Promise<A> => {
  const watch: Middleware = (next) => (tag, payload) => Effect.suspend(() => (see(tag, payload), next(tag, payload)))
  const kernel = Layer.provide(Layer.fresh(Kernel.around(watch)), bench.simulation.layer())
  return bench.run(Effect.provide(program, bench.layer(kernel)))
}

const archiveOf = (count: number, extension: string): Uint8Array =>
  tarOf(Array.from({ length: count }, (_, at) => ({ path: `file${at}${extension}`, text: `${at}` })))

/** Characters that the leases write while an archive of small files comes, which is no image in the end. */
const writtenFor = async (count: number): Promise<number> => {
  let written = 0
  await watched(imageBench(), Effect.flip(load(archiveOf(count, ".json"))), (_, payload) => {
    if ("collection" in payload && payload.collection === "leases" && "value" in payload) written += String(payload.value).length
  })
  return written
}

describe("the lease of a load", () => {
  it("writes twice as much for twice as many files", { timeout: 120_000 }, async () => {
    const [some, more] = [await writtenFor(128), await writtenFor(256)]
    assert.isAbove(some, 0)
    assert.isAtMost(more, 2.1 * some)
  })

  it("goes with all its records", { timeout: 120_000 }, async () => {
    const bench = imageBench()
    await bench.run(Effect.flip(load(archiveOf(150, ".json"))))
    assert.deepStrictEqual([...bench.simulation.world.records.leases.rows.values], [])
    assert.deepStrictEqual(stored(bench.simulation.world), [])
  })
})

describe("an archive whose files are no parts of images", () => {
  it("is refused before most of it is stored", { timeout: 120_000 }, async () => {
    let files = 0
    const error = await watched(imageBench(), Effect.flip(load(archiveOf(600, ".txt"))), (tag) => {
      if (tag === "BlobCommit") files++
    })
    assert.include(String(error), "have names that no part of an image has")
    assert.isAtMost(files, 500)
  })
})

describe("pruning", () => {
  it("removes trees while others find and make what they like", async () => {
    const bench = published()
    await bench.run(Effect.andThen(pull("team/app:one"), Images.use((images) =>
      images.remove(`${domain}/team/app:one`, { force: false, noPrune: true }))))
    const locked: Array<string> = []
    let trees = 0
    await watched(bench, Images.use((images) => images.prune(true, noFilters)), (tag, payload) => {
      if (tag !== "TreeRemove" || !("path" in payload)) return
      trees++
      const holders = bench.simulation.world.handles.values()
        .filter((one) => "path" in one && one.path === Paths.storeLockFile(paths))
      if ([...holders].length > 0) locked.push(String(payload.path))
    })
    assert.isAbove(trees, 0)
    assert.deepStrictEqual(locked, [])
    assert.deepStrictEqual(stored(bench.simulation.world), [])
  })
})
