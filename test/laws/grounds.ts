/**
 * The grounds on which every law must hold: this machine when we are root, and simulated hosts. Those are the same
 * everywhere, so the virtual machine of the cgroup v2 suite has only itself.
 */
import { afterAll, beforeAll, describe } from "@effect/vitest"
import type { Ground } from "./Ground.ts"
import { linuxGround, unavailable } from "./linuxGround.ts"
import { simulatedGround } from "./simulatedGround.ts"

const titled = (title: string): string => unavailable === undefined ? title : `${title} [skipped: ${unavailable}]`

const arrangements = process.env["CGROUP2_VM"] === "1" ? [] : ["v1", "v2", "hybrid"] as const

const simulated = await Promise.all(arrangements.map((cgroups) =>
  simulatedGround({ cgroups }, `a simulated host with cgroup ${cgroups}`)))

/** States a group of laws of every ground. */
export const onEveryGround = (subject: string, state: (ground: Ground) => void): void => {
  for (const ground of simulated) describe(`${subject}, on ${ground.title}`, () => state(ground))
  describe.skipIf(unavailable !== undefined)(titled(`${subject}, on this kernel`), () => {
    if (unavailable !== undefined) return
    const ground = linuxGround()
    beforeAll(() => ground.open())
    afterAll(() => ground.close())
    state(ground)
  })
}
