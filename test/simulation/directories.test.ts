/** A root and its exec-root belong together: with another pair no engine begins, and nothing of theirs is touched. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { defaultExecRoot, type Paths } from "../../src/domain/container/Paths.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { hostPaths, reboot, runtimeFor, simulate, type Simulation } from "../../src/testing/index.ts"
import { bootedHost, on, paths, startIdle } from "./SimulatedEngine.ts"

const recoverIn = (simulation: Simulation, own: Paths): Promise<string> => {
  const engine = Layer.fresh(Engine.local({ onExit: [] })).pipe(
    Layer.provide(Layer.fresh(Host.layer({ paths: own, builtinImages: [] }))), Layer.provide(simulation.layer())
  )
  return runtimeFor(simulation, 0).run(
    Effect.match(Effect.provide(Engine.use(({ recover }) => recover), engine), {
      onFailure: (error) => error.message, onSuccess: () => "begun"
    })
  )
}

const states = (simulation: Simulation) =>
  on(simulation, Effect.map(Engine.use(({ list }) => list), (listed) => listed.map(({ state }) => state.name)))

describe("an engine", () => {
  it("does not begin on the exec-root of another root, whose containers run on", async () => {
    const host = await bootedHost()
    await on(host, startIdle)
    const said = await recoverIn(host, { ...paths, root: "/srv/other" })
    assert.include(said, `this exec-root is that of the root ${paths.root}, not of /srv/other: give each root an --exec-root`)
    assert.deepStrictEqual(await states(host), ["running"])
  })

  it("does not begin on a root that is in use with another exec-root, until that has gone", async () => {
    const host = await bootedHost()
    await on(host, startIdle)
    const elsewhere = { ...paths, execRoot: "/run/elsewhere" }
    assert.include(await recoverIn(host, elsewhere), `this root is in use with the exec-root ${paths.execRoot}`)
    assert.notInclude(hostPaths(host.world), elsewhere.execRoot)
    assert.deepStrictEqual(await states(host), ["running"])
    const up = simulate({ world: reboot(host.world) })
    assert.strictEqual(await recoverIn(up, elsewhere), "begun")
    assert.include(await recoverIn(up, paths), "this root is in use with the exec-root /run/elsewhere")
  })

  it("of each root has an exec-root of its own", () => {
    assert.strictEqual(defaultExecRoot(paths.root), paths.execRoot)
    assert.match(defaultExecRoot("/srv/other"), /^\/run\/fx-engine-[0-9a-f]{8}$/)
  })
})
