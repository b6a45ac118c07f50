import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { perform } from "../../../src/programs/Kernel.ts"
import { deadline, interrupted, leaks, makeWorld, slow } from "../../../src/testing/index.ts"
import { errnoOf, lifecycle, options, run } from "./Lifecycle.ts"

describe("a slow kernel", () => {
  it("takes the time it is said to", async () => {
    const program = Effect.gen(function*() {
      const before = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      yield* perform("DirList", { path: "/tmp" })
      return (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - before
    })
    const { exit } = await run(program, [
      slow((tag) => tag === "DirList" ? "3 seconds" : undefined)
    ])
    assert.isTrue(Exit.isSuccess(exit) && exit.value >= 3000 && exit.value < 3010)
  })

  it("that does not come back fails with ETIMEDOUT, but for what waits by its nature", async () => {
    const late = [
      deadline((tag) => tag === "LockRelease" ? undefined : "1 second"),
      slow(() => "5 seconds")
    ]
    const { exit } = await run(perform("DirList", { path: "/tmp" }), late)
    assert.strictEqual(errnoOf(exit), "ETIMEDOUT")
    assert.strictEqual(
      errnoOf((await run(perform("LockAcquire", { path: "/tmp/l", shared: false }), late)).exit),
      "success"
    )
  })
})

describe("an interrupted program", () => {
  it("undoes what it had done, before or after the operation", async () => {
    for (const when of ["before", "after"] as const) {
      for (let at = 0; at < 8; at++) {
        const { exit, simulation } = await run(lifecycle("exit 0"), [interrupted({ at, when })])
        assert.isTrue(Exit.isFailure(exit) && Exit.hasInterrupts(exit))
        assert.deepStrictEqual(leaks(makeWorld(options), simulation.world), [], `${when} ${at}`)
      }
    }
  })
})
