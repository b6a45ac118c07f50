/** An engine dies at any operation of a command, and so may the one that recovers: the next one goes on, whatever keeps the layers. */
import { describe, it } from "@effect/vitest"
import { scenariosOf } from "./scenarios.ts"
import { Sweep } from "./sweeping.ts"

describe.each(["overlay2", "vfs", "btrfs"] as const)("an engine with %s that dies at any operation", (driver) => {
  for (const scenario of scenariosOf(driver)) {
    it(`of ${scenario.name} leaves what the next one goes on with, and can remove`, { timeout: 600_000 }, async () => {
      const sweep = await Sweep.prepare(scenario, driver)
      await sweep.crashEverywhere()
    })
  }
})
