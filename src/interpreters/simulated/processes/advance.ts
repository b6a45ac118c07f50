/**
 * Time passes: processes whose moment has come get their turns, one after the other, in the order
 * of the world's timers.
 */
import { isFrozen, isFrozenByV1 } from "../cgroups/freezing.ts"
import { alter, type Draft } from "../Draft.ts"
import { runInit } from "../init/runInit.ts"
import { runSupervisor } from "../supervisor/runSupervisor.ts"
import { killProcess } from "./exit.ts"
import type { Process } from "./Process.ts"
import { runProgram } from "./program.ts"
import { runReaper } from "./reaper.ts"
import { defaultAction, dispositionOf, signals } from "./signals.ts"

/** Acts on pending signals; false when the process is gone or stopped by one. */
const deliver = (draft: Draft, process: Process): boolean => {
  if (process.pending.includes(signals.SIGKILL)) {
    killProcess(draft, process.pid, signals.SIGKILL)
    return false
  }
  for (const signal of process.pending) {
    const now = draft.processes.get(process.pid)!
    if (dispositionOf(now, signal) === "catch") continue
    alter(draft, process.pid, { pending: now.pending.filter((one) => one !== signal) })
    const action = dispositionOf(now, signal) === "ignore" ? "ignore" : defaultAction(signal)
    if (action === "terminate") {
      killProcess(draft, process.pid, signal)
      return false
    }
    if (action === "stop") {
      alter(draft, process.pid, { state: "stopped", due: true })
      return false
    }
  }
  return true
}

/** Whether it must wait for a thaw or a SIGCONT; v2 lets a frozen process die. */
const isHeld = (draft: Draft, process: Process): boolean => {
  const killed = process.pending.includes(signals.SIGKILL)
  if (isFrozen(draft, process) && !(killed && !isFrozenByV1(draft, process))) return true
  return process.state === "stopped" && !killed
}

const turn = (draft: Draft, pid: number): void => {
  const process = draft.processes.get(pid)
  if (process === undefined || process.state === "zombie") return
  if (isHeld(draft, process)) {
    alter(draft, pid, { due: true })
    return
  }
  if (process.due) alter(draft, pid, { due: false })
  draft.current = pid
  if (!deliver(draft, process)) return
  switch (process.task._tag) {
    case "Supervisor":
      return runSupervisor(draft, pid)
    case "Init":
      return runInit(draft, pid)
    case "Program":
      return runProgram(draft, pid)
    case "Reaper":
      return runReaper(draft, pid)
    default:
      return
  }
}

/** The time of the next turn, or none. */
export const nextTurn = (draft: Pick<Draft, "timers">): number | undefined => draft.timers[0]?.at

/** Lets time pass until `until`, giving all turns that fall into it. */
export const advance = (draft: Draft, until: number): void => {
  const { current } = draft
  for (;;) {
    const first = draft.timers[0]
    if (first === undefined || first.at > until) break
    draft.timers = draft.timers.slice(1)
    draft.now = Math.max(draft.now, first.at)
    turn(draft, first.pid)
  }
  draft.now = Math.max(draft.now, until)
  draft.current = current
}
