import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { perform } from "../../../src/programs/Kernel.ts"
import {
  brokenInvariants, Crash, crashing, runOn, runtimeFor, simulate, untilCrash
} from "../../../src/testing/index.ts"
import { lifecycle, options, run } from "./Lifecycle.ts"

describe("a crashing engine", () => {
  it("leaves what it had done, whatever its program wanted to do about the end", async () => {
    for (const [when, names] of [["before", []], ["after", ["a"]]] as const) {
      const simulation = simulate(options)
      const program = Effect.ensuring(
        perform("DirMake", { path: "/tmp/a", mode: 0o755 }),
        Effect.ignore(perform("TreeRemove", { path: "/tmp/a" }))
      )
      const ended = await runtimeFor(simulation).run(
        untilCrash(simulation, program, { at: 0, when })
      )
      assert.strictEqual(ended._tag, "Crashed")
      assert.deepStrictEqual(
        await runOn(simulation, perform("DirList", { path: "/tmp" })),
        Exit.succeed(names)
      )
    }
  })

  it("has ended before a crash that comes too late", async () => {
    const simulation = simulate(options)
    const ended = await runtimeFor(simulation).run(
      untilCrash(simulation, perform("DirList", { path: "/tmp" }), { at: 5, when: "before" })
    )
    assert.deepStrictEqual(ended, { _tag: "Ended", exit: Exit.succeed([]) })
  })

  it("can die with a defect instead, in every operation that follows", async () => {
    const door = crashing({ at: 1, when: "before", onCrash: Effect.void, afterwards: "die" })
    const program = Effect.gen(function*() {
      yield* perform("DirList", { path: "/tmp" })
      const first = yield* Effect.exit(perform("DirList", { path: "/tmp" }))
      const second = yield* Effect.exit(perform("DirList", { path: "/tmp" }))
      return [first, second].map((exit) =>
        Exit.isFailure(exit) &&
        exit.cause.reasons.some((one) => one._tag === "Die" && one.defect instanceof Crash)
      )
    })
    const { exit } = await run(program, [door])
    assert.deepStrictEqual(exit, Exit.succeed([true, true]))
  })

  it("at any operation leaves a host in order, and a supervisor that goes on", async () => {
    for (let at = 0; at < 30; at++) {
      for (const when of ["before", "after"] as const) {
        const simulation = simulate({ ...options, seed: at })
        const ended = await runtimeFor(simulation, at).run(
          untilCrash(simulation, lifecycle("sleep 1; exit 6"), { at, when })
        )
        simulation.pass(100_000_000)
        assert.deepStrictEqual(brokenInvariants(simulation.world), [])
        assert.deepStrictEqual(simulation.world.handles.values(), [])
        const busy = simulation.world.processes.values().filter((one) => one.task._tag !== "Idle")
        assert.deepStrictEqual(busy, [], `${when} ${at}`)
        if (ended._tag === "Ended") return
      }
    }
    assert.fail("the program never ended")
  })
})
