/** Commands that are measured with their memory, in turns; what comes before and after each is not measured. */
import type { Samples } from "../Samples.ts"
import { median, minimum } from "../Samples.ts"
import type { Workspace } from "../Workspace.ts"
import type { Argv } from "./imageTools.ts"

export interface Step {
  readonly name: string
  readonly peer: boolean
  readonly before?: ReadonlyArray<Argv>
  /** Times are added, of memory the largest counts. */
  readonly commands: ReadonlyArray<Argv>
  readonly after?: ReadonlyArray<Argv>
  /** What it goes through in megabytes; undefined: that says nothing. */
  readonly megabytes?: number
}

export interface Measured {
  readonly samples: ReadonlyArray<Samples>
  /** A line for each: megabytes a second, and the largest memory. */
  readonly notes: ReadonlyArray<string>
}

export const measureSteps = async (workspace: Workspace, steps: ReadonlyArray<Step>, rounds: number): Promise<Measured> => {
  const values = steps.map((): Array<number> => [])
  const memory = steps.map(() => 0)
  for (let round = 0; round < rounds; round++) {
    await workspace.settle()
    for (let turn = 0; turn < steps.length; turn++) {
      const index = (turn + round) % steps.length
      const { after = [], before = [], commands, peer } = steps[index]!
      for (const argv of before) await workspace.time(argv, { peer })
      // What others have left to be written is not this one's
      await workspace.time(["sync"], { peer })
      let sum = 0
      for (const argv of commands) {
        const { megabytes, milliseconds } = await workspace.measure(argv, { peer })
        sum += milliseconds
        memory[index] = Math.max(memory[index]!, megabytes)
      }
      values[index]!.push(sum)
      for (const argv of after) await workspace.time(argv, { peer })
    }
  }
  const samples = steps.map(({ name }, index): Samples => ({ name, values: values[index]! }))
  const notes = steps.map(({ megabytes, name }, index) => {
    const rate = (milliseconds: number) => megabytes === undefined ? "" : `${(megabytes / milliseconds * 1000).toFixed(1)} MB/s`
    const one = samples[index]!
    const rates = megabytes === undefined ? "" : `${rate(median(one))} (best ${rate(minimum(one))}), `
    return `${name}: ${rates}at most ${memory[index]!.toFixed(0)} MB of memory`
  })
  return { samples, notes }
}
