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

const divisor = (one: number, other: number): number => other === 0 ? one : divisor(other, one % other)

/** Who takes which turn of a round: another one each time, and after another one, for what a turn leaves behind slows the next. */
const orderOf = (count: number, round: number): ReadonlyArray<number> => {
  const strides = Array.from({ length: count }, (_, index) => index + 1).filter((stride) => divisor(stride, count) === 1)
  const stride = strides[round % strides.length]!
  return Array.from({ length: count }, (_, turn) => (turn * stride + round) % count)
}

export const interleave = async (
  contestants: ReadonlyArray<Contestant>, rounds: number, settle: () => Promise<void>
): Promise<ReadonlyArray<Samples>> => {
  for (const { measure, warmUp = 1 } of contestants) for (let turn = 0; turn < warmUp; turn++) await measure()
  const values = contestants.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    await settle()
    for (const index of orderOf(contestants.length, round)) {
      const { every = 1, measure } = contestants[index]!
      if (round % every === 0) values[index]!.push(await measure())
    }
  }
  return contestants.map(({ name }, index) => ({ name, values: values[index]! }))
}
