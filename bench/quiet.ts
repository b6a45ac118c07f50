/** Waits for a moment in which nothing else runs: on a shared machine the way to measure what is ours. */
import { readFileSync } from "node:fs"

/** Milliseconds of one look, and of all waiting: a machine that is never quiet is measured as it is. */
const look = 100
const patience = 20_000
/** Share of the processors' time that may be somebody's. */
const tolerated = 0.15

/** Ticks that all processors spent idle, and all ticks: proc_stat(5), fields idle and iowait. */
const ticks = (): { readonly idle: number; readonly all: number } => {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0]!
  const numbers = line.trim().split(/\s+/).slice(1, 9).map(Number)
  return { idle: numbers[3]! + numbers[4]!, all: numbers.reduce((sum, one) => sum + one, 0) }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** False when it gave up. */
export const quiet = async (): Promise<boolean> => {
  const began = performance.now()
  while (performance.now() - began < patience) {
    const before = ticks()
    await pause(look)
    const after = ticks()
    if (after.idle - before.idle >= (1 - tolerated) * (after.all - before.all)) return true
  }
  return false
}
