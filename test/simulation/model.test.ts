/**
 * Random lifecycle commands by several engines at once over one root: whatever meets whatever, some order of the commands
 * explains what each client saw. `FX_SEED`, `FX_PATH` and `FX_RUNS` try others, or the one that failed again.
 */
import { beforeAll, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { World } from "../../src/testing/index.ts"
import { type Scenario, scenario } from "./concurrency/Command.ts"
import { runScenario } from "./concurrency/runScenario.ts"
import { bootedHost } from "./SimulatedEngine.ts"

const { FX_PATH: path, FX_RUNS: runs = "150", FX_SEED: seed = "2" } = process.env

/** Milliseconds, after which the smallest failing scenario that was found so far is told. */
const patience = 500_000

const parameters: fc.Parameters<[Scenario]> = {
  seed: Number(seed), numRuns: Number(runs), interruptAfterTimeLimit: patience, markInterruptAsFailure: true,
  ...(path === undefined ? {} : { path, endOnFailure: true })
}

for (const cgroups of ["v1", "v2"] as const) {
  describe(`several engines at once, on cgroup ${cgroups}`, () => {
    let boot: World
    beforeAll(async () => {
      boot = (await bootedHost(7, cgroups)).world
    })

    it("what their clients see has an order", { timeout: 2 * patience }, () =>
      fc.assert(fc.asyncProperty(scenario(cgroups, false), (one) => runScenario(one, boot)), parameters))

    it("it has one too when engines and supervisors die, and recovery puts all right", { timeout: 2 * patience }, () =>
      fc.assert(fc.asyncProperty(scenario(cgroups, true), (one) => runScenario(one, boot)), parameters))
  })
}
