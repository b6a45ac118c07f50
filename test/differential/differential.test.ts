/**
 * The same programs on this kernel and on the simulated one: everything that can be observed is the same. The seeds
 * are fixed; `FX_DIFFERENTIAL_SEEDS=100-199` tries others.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { unavailable } from "../laws/linuxGround.ts"
import { patience } from "../patience.ts"
import { bothGrounds, differenceOf, type Grounds } from "./bothGrounds.ts"
import { examples } from "./examples.ts"
import { program } from "./generate.ts"

const titled = (title: string): string => unavailable === undefined ? title : `${title} [skipped: ${unavailable}]`

/** Programs of one seed. */
const programsPerSeed = 20

const [from = 1, to = 20] = (process.env["FX_DIFFERENTIAL_SEEDS"] ?? "1-20").split("-").map(Number)
const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe.skipIf(unavailable !== undefined)(titled("this kernel and the simulated one do the same"), () => {
  let grounds: Promise<Grounds> | undefined
  const both = () => grounds ??= bothGrounds()
  afterAll(async () => (await grounds)?.close())

  for (const [name, example] of Object.entries(examples)) {
    it(`when ${name}`, { timeout: 120_000 * patience }, async () => {
      const difference = await differenceOf(await both(), example)
      assert.isUndefined(difference, difference)
    })
  }

  for (const seed of seeds) {
    it(`in ${programsPerSeed} programs of the seed ${seed}`, { timeout: 600_000 * patience }, async () => {
      const here = await both()
      await fc.assert(
        fc.asyncProperty(program, async (one) => {
          const difference = await differenceOf(here, one)
          assert.isUndefined(difference, difference)
        }),
        { seed, numRuns: programsPerSeed, endOnFailure: process.env["FX_DIFFERENTIAL_SHRINK"] === undefined }
      )
    })
  }
})
