/**
 * Signals (signal(7)): who may get one, what it does by default, and what pid 1 of a namespace
 * never sees.
 */
import { isFrozenByV1 } from "../cgroups/freezing.ts"
import { alter, type Draft } from "../Draft.ts"
import type { Process } from "./Process.ts"
import { schedule, wake } from "./schedule.ts"

/** include/uapi/asm-generic/signal.h */
export const signals = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8,
  SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
  SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22,
  SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29,
  SIGPWR: 30, SIGSYS: 31
} as const

/** SIGRTMAX */
export const lastSignal = 64

const ignoredByDefault: ReadonlySet<number> = new Set([
  signals.SIGCHLD,
  signals.SIGURG,
  signals.SIGWINCH,
  signals.SIGCONT
])

const stops: ReadonlySet<number> = new Set([
  signals.SIGSTOP,
  signals.SIGTSTP,
  signals.SIGTTIN,
  signals.SIGTTOU
])

/** SIGKILL and SIGSTOP can be neither caught nor ignored. */
const isAbsolute = (signal: number): boolean =>
  signal === signals.SIGKILL || signal === signals.SIGSTOP

export type Disposition = "default" | "ignore" | "catch"

export const dispositionOf = (process: Process, signal: number): Disposition => {
  if (isAbsolute(signal)) return "default"
  switch (process.task._tag) {
    case "Program":
      if (process.task.caught.includes(signal)) return "catch"
      return process.task.ignored.includes(signal) ? "ignore" : "default"
    // docker-init passes every signal on to its child
    case "Reaper":
      return "catch"
    // The supervisor blocks what could end it before its container
    case "Supervisor":
      return "ignore"
    default:
      return "default"
  }
}

export const defaultAction = (signal: number): "terminate" | "stop" | "ignore" =>
  ignoredByDefault.has(signal) ? "ignore" : stops.has(signal) ? "stop" : "terminate"

/** Whether it is the first process of its pid namespace. */
export const isInit = (process: Process): boolean => process.pids[0]?.pid === 1

/**
 * Whether the sender is in a pid namespace above the target's: only then SIGKILL and SIGSTOP reach
 * a pid 1.
 */
const isFromAbove = (sender: Process, target: Process): boolean =>
  target.pids.slice(1).some((one) => one.namespace === sender.pids[0]?.namespace)

/** sig_task_ignored() */
const isDropped = (target: Process, signal: number, sender: Process | "kernel"): boolean => {
  const disposition = dispositionOf(target, signal)
  if (isInit(target) && disposition === "default") {
    const forced = sender === "kernel" || isFromAbove(sender, target)
    if (!(forced && isAbsolute(signal))) return true
  }
  if (disposition === "ignore") return true
  return disposition === "default" && defaultAction(signal) === "ignore" &&
    signal !== signals.SIGCONT
}

/** Puts a signal on its way; permissions are the caller's business. Zombies take none. */
export const sendSignal = (
  draft: Draft,
  pid: number,
  signal: number,
  from: number | "kernel"
): void => {
  const target = draft.processes.get(pid)
  if (target === undefined || target.state === "zombie" || signal === 0) return
  const sender = from === "kernel" ? from : draft.processes.get(from) ?? "kernel"
  const resumed = signal === signals.SIGCONT || signal === signals.SIGKILL
  if (resumed && target.state === "stopped") {
    alter(draft, pid, {
      state: "running",
      pending: target.pending.filter((one) => !stops.has(one))
    })
    if (target.due) schedule(draft, pid, 0)
  }
  if (isDropped(target, signal, sender)) return
  const now = draft.processes.get(pid)!
  if (now.pending.includes(signal)) return
  alter(draft, pid, { pending: [...now.pending, signal] })
  if (signal !== signals.SIGKILL || !isFrozenByV1(draft, now)) wake(draft, pid)
  else alter(draft, pid, { due: true })
}
