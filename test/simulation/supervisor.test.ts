import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterwards, killSupervisor } from "./killSupervisor.ts"
import { bootedHost, left, on, startIdle } from "./SimulatedEngine.ts"

describe("a container whose supervisor was killed", () => {
  for (const cgroups of ["v1", "v2", "hybrid"] as const) {
    for (const together of [false, true]) {
      it(`${together ? "along with it " : ""}is ended by recovery and leaves nothing, on cgroup ${cgroups}`, async () => {
        const host = await bootedHost(4, cgroups)
        const boot = host.world
        await on(host, Effect.andThen(startIdle, killSupervisor("victim", together)))
        const seen = await on(host, afterwards("victim"))
        assert.isNotEmpty(seen.found)
        assert.isNotEmpty(seen.mended)
        assert.deepStrictEqual(seen.quarantined, [])
        assert.deepStrictEqual(seen.again, [])
        assert.strictEqual(seen.state.name, "exited")
        assert.deepStrictEqual(seen.state.exit, { code: 137, signal: 9, oomKilled: false })
        assert.deepStrictEqual(left(boot, host), [])
      })
    }
  }
})
