/** When processes run next. The world keeps one time for each that waits for its turn. */
import { type Draft, draw } from "../Draft.ts"
import type { Timer } from "./Process.ts"

/** Microseconds that a turn takes at most: what a system call and a context switch cost. */
const latency = 40

const before = (one: Timer, other: Timer): boolean =>
  one.at < other.at || (one.at === other.at && one.tie < other.tie)

/** Takes a process off the list. */
export const cancel = (draft: Draft, pid: number): void => {
  const at = draft.timers.findIndex((timer) => timer.pid === pid)
  if (at >= 0) draft.timers = draft.timers.toSpliced(at, 1)
}

/**
 * Gives a process its turn `delay` microseconds from now, and a drawn latency later; in place of an
 * earlier one.
 */
export const schedule = (draft: Draft, pid: number, delay: number): void => {
  cancel(draft, pid)
  const timer: Timer = {
    at: draft.now + delay + 1 + draw(draft, latency),
    tie: draw(draft, 2 ** 30),
    pid
  }
  let low = 0
  let high = draft.timers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(draft.timers[middle]!, timer)) low = middle + 1
    else high = middle
  }
  draft.timers = draft.timers.toSpliced(low, 0, timer)
}

/** As `schedule`, unless its turn comes sooner anyway. */
export const wake = (draft: Draft, pid: number): void => {
  const timer = draft.timers.find((one) => one.pid === pid)
  if (timer === undefined || timer.at > draft.now + latency) schedule(draft, pid, 0)
}
