/** Contestants take turns, so that whatever else the machine does meanwhile hits all alike. */
import type { Samples } from "./Samples.ts"

export interface Contestant {
  readonly name: string
  /** Measures once. */
  readonly measure: () => Promise<number>
  /** Turns before those that count. */
  readonly warmUp?: number
  /** Measured every so many rounds only: for those that take far longer. */
  readonly every?: number
}

export const interleave = async (
  contestants: ReadonlyArray<Contestant>, rounds: number, settle: () => Promise<void>
): Promise<ReadonlyArray<Samples>> => {
  for (const { measure, warmUp = 1 } of contestants) for (let turn = 0; turn < warmUp; turn++) await measure()
  const values = contestants.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    await settle()
    for (let turn = 0; turn < contestants.length; turn++) {
      // Nobody always comes after the same other
      const index = (turn + round) % contestants.length
      const { every = 1, measure } = contestants[index]!
      if (round % every === 0) values[index]!.push(await measure())
    }
  }
  return contestants.map(({ name }, index) => ({ name, values: values[index]! }))
}
