/** The engine crashes before and after every operation; recovery itself is cut short at every one of its own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Engine } from "../../src/programs/Engine.ts"
import { type Simulation, reboot, runtimeFor, simulate, untilCrash, type World } from "../../src/testing/index.ts"
import { Host } from "../../src/programs/Host.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"
import { bootedHost, cleanUp, commands, engineLayer, left, on, startIdle } from "./SimulatedEngine.ts"
import { Kernel as KernelService } from "../../src/programs/Kernel.ts"
import { Layer } from "effect"

/** A program of an engine as one that needs only its kernel. */
const engineProgram = <A, E>(effect: Effect.Effect<A, E, Engine | Host | Kernel>): Effect.Effect<A, E, Kernel> =>
  Effect.flatMap(Effect.service(KernelService), (kernel) =>
    Effect.provide(effect, engineLayer(Layer.succeed(KernelService, kernel))))

type Program = Effect.Effect<unknown, unknown, Engine | Host | Kernel>

/** Runs a program that dies at operation `at`; false when it has fewer. */
const crashes = async (
  simulation: Simulation, program: Program, at: number, when: "before" | "after"
): Promise<boolean> => {
  const run = await runtimeFor(simulation).run(untilCrash(simulation, engineProgram(program), { at, when }))
  return run._tag === "Crashed"
}

const expectClean = async (boot: World, world: World, what: string): Promise<void> => {
  const simulation = simulate({ world })
  const found = await on(simulation, cleanUp).catch((error: unknown) => assert.fail(`${what}, then: ${error}`))
  assert.deepStrictEqual(found.quarantined, [], what)
  assert.deepStrictEqual(found.disagreements, [], what)
  for (const state of found.states) assert.include(["created", "running", "exited", "paused"], state, what)
  assert.deepStrictEqual(left(boot, simulation), [], what)
}

const recover = Effect.flatMap(Engine, (engine) => engine.recover)

/** Far more than any command or recovery performs. */
const limit = 500

describe("a host whose power fails at any operation", () => {
  for (const { command, name, prepare } of commands) {
    it(`of ${name} comes up with nothing that recovery does not mend`, { timeout: 600_000 }, async () => {
      const host = await bootedHost(3)
      const up = simulate({ world: reboot(host.world) })
      await on(up, recover)
      await on(host, prepare)
      const prepared = host.world
      for (let at = 0;; at++) {
        assert.isBelow(at, limit)
        const crashed = simulate({ world: prepared })
        if (!(await crashes(crashed, command, at, "after"))) break
        await expectClean(up.world, reboot(crashed.world), `${name}, no power after operation ${at}`)
      }
    })
  }

  it("shows what ran as ended with Docker's code, and starts it again", async () => {
    const host = await bootedHost(3)
    await on(host, startIdle)
    const up = simulate({ world: reboot(host.world) })
    await on(up, Effect.gen(function*() {
      const engine = yield* Engine
      const { mended } = yield* engine.recover
      assert.deepStrictEqual(mended, ["ended victim, which ran when the host went down"])
      const { State } = yield* engine.inspect("victim")
      assert.deepInclude(State, { Status: "exited", ExitCode: 255, OOMKilled: false })
      assert.isBelow(Date.parse(State.StartedAt), Date.parse(State.FinishedAt))
      yield* engine.start("victim")
      assert.strictEqual((yield* engine.inspect("victim")).State.Status, "running")
      assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
    }))
  })
})

for (const cgroups of ["v1", "v2", "hybrid"] as const) {
  describe(`an engine that dies at any operation, on cgroup ${cgroups}`, () => {
    for (const { command, name, prepare } of commands) {
      it(`of ${name} leaves nothing that recovery does not mend, though it is cut short`, { timeout: 600_000 }, async () => {
        const host = await bootedHost(3, cgroups)
        const boot = host.world
        await on(host, prepare)
        const prepared = host.world
        for (const when of ["before", "after"] as const) {
          for (let at = 0;; at++) {
            assert.isBelow(at, limit)
            const crashed = simulate({ world: prepared })
            if (!(await crashes(crashed, command, at, when))) break
            const what = `${name}, ${when} operation ${at}`
            await expectClean(boot, crashed.world, what)
            // Recovery cut short at each of its own operations, then a whole one: once per crash is dear
            if (cgroups !== "v2") continue
            for (let cut = 0; cut < limit; cut++) {
              const recovering = simulate({ world: crashed.world })
              if (!(await crashes(recovering, recover, cut, "after"))) break
              await expectClean(boot, recovering.world, `${what}, recovery cut after its operation ${cut}`)
            }
          }
        }
      })
    }
  })
}
