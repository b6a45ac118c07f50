/** docker-init: pid 1 that passes signals on to its one child and reaps whatever falls to it. */
import { alter, type Draft, processOf } from "../Draft.ts"
import { endProcess, isReapable, reap } from "./exit.ts"
import type { Task } from "./Process.ts"
import { sendSignal, signals } from "./signals.ts"

export const runReaper = (draft: Draft, pid: number): void => {
  const process = processOf(draft, pid)
  const { child } = process.task as Extract<Task, { readonly _tag: "Reaper" }>
  alter(draft, pid, { pending: [] })
  for (const signal of process.pending) {
    if (signal !== signals.SIGCHLD) sendSignal(draft, child, signal, pid)
  }
  for (const dead of process.children) {
    const zombie = processOf(draft, dead)
    if (!isReapable(draft, zombie)) continue
    const { code } = zombie.exit!
    reap(draft, dead)
    if (dead === child) return endProcess(draft, pid, { code, signal: 0 })
  }
}
