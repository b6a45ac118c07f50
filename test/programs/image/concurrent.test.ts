/** Several engines pull, load, make, remove and prune images at the same time: whatever is there is whole. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Images } from "../../../src/programs/Images.ts"
import { runtimeFor } from "../../../src/testing/index.ts"
import { config } from "../../simulation/SimulatedEngine.ts"
import { domain, imageBench, publish } from "./imageBench.ts"
import { booted, expectWhole, importOne, load, own, pull, remove, save, shared } from "./scenarios.ts"

const tags = ["one", "two"] as const

type Step = { readonly kind: "pull" | "remove" | "load" | "save" | "create"; readonly tag: typeof tags[number] } | {
  readonly kind: "import" | "prune" | "pruneAll"
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("pull", "pull", "remove", "load", "save", "create" as const), tag: fc.constantFrom(...tags) }),
  fc.record({ kind: fc.constantFrom("import", "prune", "pruneAll" as const) })
)

const name = (tag: string) => `${domain}/team/app:${tag}`

const perform = (one: Step, archives: { readonly [tag: string]: Uint8Array }): Effect.Effect<unknown, unknown, Images | Engine> => {
  switch (one.kind) {
    case "pull": return pull(`team/app:${one.tag}`)
    case "remove": return remove(name(one.tag))
    case "load": return load(archives[one.tag]!)
    case "save": return save(name(one.tag))
    case "import": return importOne("imported")
    case "prune": return Images.use((images) => images.prune(false, noFilters))
    case "pruneAll": return Images.use((images) => images.prune(true, noFilters))
    case "create": {
      const { rootfs: _, ...wish } = config(["true"])
      // A container of what is there can be made, and its layers stay
      return Effect.gen(function*() {
        const engine = yield* Engine
        const { id } = yield* engine.create({ ...wish, image: name(one.tag) }, "")
        yield* Stream.runDrain(engine.copyOut(id, "/etc/motd", { name: "motd", follow: false }))
        yield* engine.remove(id, { force: true })
      })
    }
  }
}

describe("engines that share a store of images", () => {
  it("never take from one another what they need", { timeout: 900_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 }), fc.nat(), async (clients, seed) => {
        const bench = imageBench({ seed })
        publish(bench.registry, "team/app", "one", [shared, own("one")])
        publish(bench.registry, "team/app", "two", [shared, own("two")])
        const boot = await booted(bench)
        const archives: Record<string, Uint8Array> = {}
        await bench.run(Effect.gen(function*() {
          for (const tag of tags) {
            yield* pull(`team/app:${tag}`)
            archives[tag] = yield* save(name(tag))
          }
          yield* remove(name("two"))
        }))
        const client = (steps: ReadonlyArray<Step>) =>
          Effect.provide(Effect.forEach(steps, (one) => Effect.result(perform(one, archives))), bench.layer())
        const outcomes = await runtimeFor(bench.simulation, seed).run(
          Effect.all(clients.map(client), { concurrency: "unbounded" })
        )
        for (const outcome of outcomes.flat()) {
          if (Result.isSuccess(outcome)) continue
          const failure = outcome.failure as { readonly _tag: string; readonly message: string }
          assert.strictEqual(failure._tag, "ContainerError", failure.message)
        }
        await expectWhole(bench, boot, JSON.stringify(clients))
      }),
      { numRuns: Number(process.env["FX_RUNS"] ?? 60), ...(process.env["FX_SEED"] === undefined ? {} : { seed: Number(process.env["FX_SEED"]) }) }
    ))
})
