/**
 * A turn of the simulated supervisor: the contract of Supervisor.ts, step by step as `native/init`
 * keeps it.
 */
import { errnoNumber } from "../../../domain/kernel/errno.ts"
import { exitedFrame, failedFrame, startedFrame } from "../../../domain/kernel/frames.ts"
import { alter, type Draft, Failure, processOf } from "../Draft.ts"
import { remove } from "../files/entryCalls.ts"
import { endProcess, isReapable, killProcess, reap } from "../processes/exit.ts"
import type { InitReport } from "../processes/Process.ts"
import { schedule } from "../processes/schedule.ts"
import { signals } from "../processes/signals.ts"
import { firstPause, killAndRemove, longestPause, patience, writeKillFiles } from "./cleanup.ts"
import { acceptClients, dropStalled, isClaimed, publish, serveClients } from "./clients.ts"
import { closeInput } from "./input.ts"
import { closeLog, readOutputs } from "./output.ts"
import { prepare, spawn } from "./spawn.ts"
import {
  alterTask, leniently, readOomKills, saveExit, saveStatus, taskOf
} from "./SupervisorState.ts"

type Failed = NonNullable<InitReport["failed"]>

const startKilling = (draft: Draft, pid: number): void => {
  writeKillFiles(draft, pid)
  alterTask(draft, pid, { phase: "killing", patience: draft.now + patience, pause: firstPause })
  kill(draft, pid)
}

const failStart = (draft: Draft, pid: number, failed: Failed): void => {
  alterTask(draft, pid, { failed })
  closeInput(draft, pid, true)
  startKilling(draft, pid)
}

/** Everything that comes before the child's first operation. */
const start = (draft: Draft, pid: number): void => {
  try {
    prepare(draft, pid)
    spawn(draft, pid)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    const failed = {
      operation: -1,
      errno: errnoNumber(failure.errno),
      syscall: draft.syscall,
      path: failure.path ?? ""
    }
    const { init } = taskOf(draft, pid)
    if (init === 0) return failStart(draft, pid, failed)
    // The child waits for its maps, which will never come
    alterTask(draft, pid, { phase: "launching", report: { at: draft.now, failed } })
    return killProcess(draft, init, signals.SIGKILL)
  }
  alterTask(draft, pid, { phase: "launching" })
  schedule(draft, pid, 0)
}

const childIsGone = (draft: Draft, pid: number): boolean => {
  const child = draft.processes.get(taskOf(draft, pid).init)
  return child === undefined || isReapable(draft, child)
}

/** Takes the exit status of the init. */
const reapChild = (
  draft: Draft,
  pid: number
): { readonly code: number; readonly signal: number } => {
  const child = draft.processes.get(taskOf(draft, pid).init)
  const exit = child?.exit ?? { code: 0, signal: 0 }
  if (child !== undefined) reap(draft, child.pid)
  return exit
}

const launch = (draft: Draft, pid: number): void => {
  const { report, init, initStart } = taskOf(draft, pid)
  if (report !== undefined && report.failed === undefined) {
    alterTask(draft, pid, { phase: "running", startedAt: report.at })
    leniently(() => saveStatus(draft, pid))
    publish(draft, pid, startedFrame({ pid: init, startTime: initStart }), 0)
    return run(draft, pid)
  }
  if (!childIsGone(draft, pid)) return
  reapChild(draft, pid)
  failStart(
    draft,
    pid,
    report?.failed ?? {
      operation: -1,
      errno: errnoNumber("ECHILD"),
      syscall: "wait4",
      path: "the container was killed while it was set up"
    }
  )
}

const run = (draft: Draft, pid: number): void => {
  readOutputs(draft, pid)
  if (!childIsGone(draft, pid)) return
  const { code, signal } = reapChild(draft, pid)
  const oomKilled = readOomKills(draft, pid) > taskOf(draft, pid).oomBefore
  alterTask(draft, pid, { exit: { at: draft.now, code, signal, oomKilled } })
  closeInput(draft, pid, true)
  startKilling(draft, pid)
}

const kill = (draft: Draft, pid: number): void => {
  if (killAndRemove(draft, pid) || draft.now >= taskOf(draft, pid).patience) {
    alterTask(draft, pid, { phase: "draining", patience: draft.now })
    return drain(draft, pid)
  }
  const { pause } = taskOf(draft, pid)
  alterTask(draft, pid, { pause: Math.min(pause * 2, longestPause) })
  schedule(draft, pid, pause)
}

/** Nobody can connect any more. */
const closeListener = (draft: Draft, pid: number): void => {
  alterTask(draft, pid, { socket: 0 })
  leniently(() => remove(draft, `${taskOf(draft, pid).spec.directory}/attach.sock`, false))
}

/** Whether it goes on only when a client has taken something, or has had its time to. */
const waitsForClients = (draft: Draft, pid: number): boolean => {
  const delay = dropStalled(draft, pid, taskOf(draft, pid).patience)
  if (delay !== undefined) schedule(draft, pid, delay)
  return delay !== undefined
}

const drain = (draft: Draft, pid: number): void => {
  while (!readOutputs(draft, pid)) if (waitsForClients(draft, pid)) return
  const { failed, exit } = taskOf(draft, pid)
  closeLog(draft, pid)
  if (failed === undefined) saveExit(draft, pid)
  leniently(() => saveStatus(draft, pid))
  closeListener(draft, pid)
  publish(
    draft,
    pid,
    failed === undefined
      ? exitedFrame({ code: exit!.code, signal: exit!.signal, oomKilled: exit!.oomKilled })
      : failedFrame(failed),
    0
  )
  alterTask(draft, pid, { phase: "flushing", patience: draft.now })
  flush(draft, pid)
}

/** The end: the command that comes after the container, unless a client answers for that. */
const flush = (draft: Draft, pid: number): void => {
  if (waitsForClients(draft, pid)) return
  const { spec, failed } = taskOf(draft, pid)
  if (spec.onExit.length > 0 && failed === undefined && !isClaimed(draft, pid)) {
    draft.commands = [...draft.commands, { argv: spec.onExit, at: draft.now, pid }]
  }
  endProcess(draft, pid, { code: 0, signal: 0 })
}

export const runSupervisor = (draft: Draft, pid: number): void => {
  if (processOf(draft, pid).pending.length > 0) alter(draft, pid, { pending: [] })
  // Nobody is served before the container's pipes are there
  if (taskOf(draft, pid).phase === "starting") return start(draft, pid)
  acceptClients(draft, pid)
  serveClients(draft, pid)
  switch (taskOf(draft, pid).phase) {
    case "launching":
      return launch(draft, pid)
    case "running":
      return run(draft, pid)
    case "killing":
      return kill(draft, pid)
    case "draining":
      return drain(draft, pid)
    case "flushing":
      return flush(draft, pid)
    default:
      return
  }
}
