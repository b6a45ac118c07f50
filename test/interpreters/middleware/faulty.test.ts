import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { type KernelOp, KernelOps, type KernelTag } from "../../../src/domain/kernel/KernelOp.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import {
  brokenInvariants, faulty, leaks, makeWorld, possibleErrnos, possibleInitErrnos, recorded, runOn
} from "../../../src/testing/index.ts"
import { errnoOf, lifecycle, options, run } from "./Lifecycle.ts"

describe("a faulty kernel", () => {
  const make = (path: string) => perform("DirMake", { path, mode: 0o755 })
  const two = Effect.andThen(Effect.ignore(make("/tmp/a")), make("/tmp/b"))

  it("fails the operation that was meant, before anything happens", async () => {
    const { exit, simulation } = await run(two, [faulty([{ at: 1, errno: "ENOSPC" }])])
    assert.strictEqual(errnoOf(exit), "ENOSPC")
    const names = await runOn(simulation, perform("DirList", { path: "/tmp" }))
    assert.deepStrictEqual(names, Exit.succeed(["a"]))
  })

  it("or after it took effect, so that the program does not know", async () => {
    const { exit, simulation } = await run(make("/tmp/a"), [
      faulty([{ tag: "DirMake", errno: "EIO", when: "after" }])
    ])
    assert.strictEqual(errnoOf(exit), "EIO")
    assert.deepStrictEqual(
      await runOn(simulation, perform("DirList", { path: "/tmp" })),
      Exit.succeed(["a"])
    )
  })

  it("only so often, or by chance, the same for the same seed", async () => {
    const many = Effect.forEach(
      Array.from({ length: 40 }, (_, index) => index),
      (index) =>
        Effect.match(make(`/tmp/${index}`), {
          onFailure: (error) => error.errno,
          onSuccess: () => ""
        })
    )
    const outcome = async (fault: Parameters<typeof faulty>[0], seed: number) => {
      const { exit } = await run(many, [faulty(fault, { seed })])
      return Exit.isSuccess(exit) ? exit.value : []
    }
    assert.strictEqual(
      (await outcome([{ tag: "DirMake", times: 3 }], 0)).filter((one) => one !== "").length,
      3
    )
    const [one, again, other] = [
      await outcome([{ probability: 0.3 }], 1),
      await outcome([{ probability: 0.3 }], 1),
      await outcome([{ probability: 0.3 }], 2)
    ]
    assert.deepStrictEqual(one, again)
    assert.notDeepEqual(one, other)
    for (const errno of one) assert.include(["", ...possibleErrnos.DirMake], errno)
  })

  it("knows what every operation may fail with", () => {
    for (const tag of Object.keys(KernelOps)) {
      assert.isAbove(possibleErrnos[tag as KernelTag].length, 0, tag)
    }
    for (const tag of Object.keys(InitOp.cases)) {
      assert.isAbove(possibleInitErrnos[tag as keyof typeof possibleInitErrnos].length, 0, tag)
    }
  })

  it("at any operation of a program that undoes what it did leaves nothing behind", async () => {
    const { simulation } = await run(lifecycle("exit 0"), [])
    const entries: Array<KernelOp> = []
    await run(lifecycle("exit 0"), [
      recorded((entry) => Effect.sync(() => void entries.push(entry.op)))
    ])
    assert.isAbove(simulation.world.records.containers.rows.keys.length, 0)
    const undone = entries.findIndex((entry) => entry.tag === "SupervisorStart")
    for (let at = 0; at < undone; at++) {
      const { exit, simulation: host } = await run(lifecycle("exit 0"), [faulty([{ at }])])
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(
        leaks(makeWorld(options), host.world),
        [],
        `fault at ${at}, ${entries[at]?.tag}`
      )
      assert.deepStrictEqual(brokenInvariants(host.world), [])
    }
  })
})
