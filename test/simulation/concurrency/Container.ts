/** A container to its users, without a kernel; where it is about to end, several things may be seen of it. */
import type { Program } from "./Command.ts"
import type { Seen } from "./perform.ts"

export interface Container {
  /** The number of the command that created it. */
  readonly id: number
  readonly name: string
  readonly program: Program
  readonly phase: "created" | "running" | "paused" | "exited" | "removing"
  /** Of its last end or of a start that failed; −1: none yet. */
  readonly code: number
  /** What its run may end with now. */
  readonly ends: ReadonlyArray<number>
  /** It ends soon, whatever it does. */
  readonly killed: boolean
  /** Its supervisor was killed. */
  readonly lost: boolean
  /** The number of the command that holds its lock, 0: nobody. */
  readonly lock: number
  readonly pids: number
}

export type State = ReadonlyArray<Container>

export const lostCode = 137
export const termCode = 5
const shortCode = 3
export const failedCode = 128
export const missingCode = 127

export const alter = (state: State, id: number, change: Partial<Container>): State =>
  state.map((one) => one.id === id ? { ...one, ...change } : one)

export const runs = ({ phase }: Container): boolean => phase === "running" || phase === "paused"

/** About to end: what depends on whether it runs may go either way. */
export const wavers = (one: Container): boolean => one.killed || one.lost || one.ends.length > 0

export const withEnds = (one: Container, ...codes: ReadonlyArray<number>) => ({
  ends: [...new Set([...one.ends, ...codes])].sort((a, b) => a - b)
})

export const begun = (one: Container): Partial<Container> => ({
  phase: "running", code: -1, ends: one.program === "short" ? [shortCode] : [], killed: false, lost: false, lock: 0
})

/** The end of its run by `code`. */
const ended = (code: number): Partial<Container> => ({ phase: "exited", code, ends: [], killed: false, lost: false })

export const signalled = (one: Container): Partial<Container> =>
  withEnds(one, lostCode, ...(one.program === "polite" ? [termCode] : []))

export const matches = (seen: Seen, one: Container): boolean => {
  switch (one.phase) {
    case "created": case "exited":
      return seen.state === one.phase && seen.code === one.code
    case "removing":
      return seen.state === "removing"
    case "running":
      return seen.state === "running"
    case "paused":
      return seen.state === "paused" || (seen.state === "running" && wavers(one))
  }
}

/** What happens by itself, or while somebody recovers. */
export const spontaneous = (state: State, recovering: boolean): ReadonlyArray<State> =>
  state.flatMap((one) => {
    const next: Array<State> = []
    if (runs(one)) {
      const codes = one.lost && (one.ends.length > 0 || recovering) ? [...one.ends, lostCode] : one.ends
      next.push(...codes.map((code) => alter(state, one.id, ended(code))))
    }
    if (recovering && one.phase === "removing" && one.lock === 0) next.push(state.filter((other) => other !== one))
    return next
  })

/** Nothing that is about to happen is outstanding. */
export const isAtRest = (state: State): boolean =>
  state.every((one) => !(runs(one) && one.killed) && !(one.phase === "running" && one.program === "short"))
