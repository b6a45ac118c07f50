/** Every operation of a command on images fails in the ways it can, or the command is interrupted there: what is there stays whole. */
import { describe, it } from "@effect/vitest"
import { scenariosOf } from "./scenarios.ts"
import { Sweep } from "./sweeping.ts"

describe.each(["overlay2", "vfs", "btrfs"] as const)("with %s", (driver) => {
  for (const scenario of scenariosOf(driver)) {
    it(`${scenario.name} leaves a store that is whole when an operation fails`, { timeout: 900_000 }, async () => {
      const sweep = await Sweep.prepare(scenario, driver)
      await sweep.failEverywhere()
    })

    it(`${scenario.name} leaves a store that is whole when it is interrupted`, { timeout: 900_000 }, async () => {
      const sweep = await Sweep.prepare(scenario, driver)
      await sweep.interruptEverywhere()
    })
  }
})
