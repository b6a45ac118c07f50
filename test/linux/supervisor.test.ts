import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Engine } from "../../src/programs/Engine.ts"
import { afterwards, killSupervisor } from "../simulation/killSupervisor.ts"
import { RealEngine, titled, unavailable } from "./RealEngine.ts"

describe.skipIf(unavailable !== undefined)(titled("a container whose supervisor was killed"), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())

  for (const together of [false, true]) {
    it(`${together ? "along with it " : ""}is ended by recovery and leaves nothing`, async () => {
      await real.run(Effect.gen(function*() {
        const engine = yield* Engine
        yield* engine.create(real.config(["sleep", "1000"]), "victim")
        yield* engine.start("victim")
        yield* killSupervisor("victim", together)
      }))
      const seen = await real.run(afterwards("victim"))
      assert.strictEqual(seen.state.name, "exited")
      assert.strictEqual(seen.state.exit?.code, 137)
      assert.deepStrictEqual(seen.again, [])
      assert.deepStrictEqual(real.leftovers(), [])
    })
  }
})
