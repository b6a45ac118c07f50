/** mulberry32: pseudo-random numbers of a state of 32 bits, for simulations. The same seed gives the same numbers. */

export const nextState = (state: number): number => (state + 0x6d2b79f5) >>> 0

/** What a state gives: from 0 to 2³² − 1. */
export const numberOf = (state: number): number => {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return (mixed ^ (mixed >>> 14)) >>> 0
}

/** Numbers from 0 to below 1. */
export const makeDraw = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = nextState(state)
    return numberOf(state) / 2 ** 32
  }
}
