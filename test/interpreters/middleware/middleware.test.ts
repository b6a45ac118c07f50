import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Kernel, type Middleware, perform } from "../../../src/programs/Kernel.ts"
import { faulty, runSimulated, runtimeFor, simulate } from "../../../src/testing/index.ts"
import { errnoOf, options } from "./Lifecycle.ts"

describe("doors one around the other", () => {
  it("are passed from the outside in", async () => {
    const order: Array<string> = []
    const noted = (name: string): Middleware => (next) => (tag, payload) =>
      Effect.suspend(() => {
        order.push(name)
        return next(tag, payload)
      })
    await runSimulated(perform("DirList", { path: "/tmp" }), {
      middlewares: [noted("outer"), noted("inner")]
    })
    assert.deepStrictEqual(order, ["outer", "inner"])
  })

  it("are of one layer each, however often that is built", async () => {
    const simulation = simulate(options)
    const door = faulty([{ at: 0, errno: "EIO" }])
    const layer = Layer.provide(Kernel.around(door), simulation.layer())
    const program = Effect.all([1, 2].map(() => Effect.exit(perform("DirList", { path: "/tmp" }))))
    const exits = await runtimeFor(simulation).run(Effect.provide(program, layer))
    assert.deepStrictEqual(exits.map(errnoOf), ["EIO", "success"])
  })
})
