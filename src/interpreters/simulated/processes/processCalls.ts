/**
 * The system calls by which programs start, await, signal and replace processes, and by which they
 * sleep.
 */
import type { Call, Waited } from "../behaviours/Behaviour.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { maySignal } from "./credentials.ts"
import { become, findProgram } from "./exec.ts"
import { isReapable, reap } from "./exit.ts"
import { findByPid, pidSeenBy } from "./facts.ts"
import { fork } from "./fork.ts"
import type { ProgramTask } from "./Process.ts"
import { redirected, replaceStdio } from "./redirect.ts"
import { schedule } from "./schedule.ts"
import { dispositionOf, lastSignal, sendSignal } from "./signals.ts"

/** `undefined`: the call waits. */
export type Outcome = { readonly value: unknown } | undefined

export const done: Outcome = { value: undefined }

export const spawn = (
  draft: Draft,
  pid: number,
  call: Extract<Call, { readonly _tag: "Spawn" }>
): Outcome => {
  const process = processOf(draft, pid)
  const environment = call.environment ?? process.environment
  const program = findProgram(draft, call.argv, environment)
  const stdio = redirected(draft, process, call.redirections ?? [])
  const child = fork(draft, pid, { task: process.task, stdio })
  const task = process.task as ProgramTask
  // Handlers do not survive execve, ignored signals do
  const kept = task.ignored.filter((signal) => call.dispositions?.get(signal) !== "default")
  const added = [...call.dispositions ?? []].flatMap(([signal, how]) => how === "ignore" && !kept.includes(signal) ? [signal] : [])
  alter(draft, child, { task: { ...task, caught: [], ignored: [...kept, ...added] } })
  const caller = draft.current
  draft.current = child
  become(draft, child, program, environment)
  draft.current = caller
  return { value: pidSeenBy(process, draft.processes.get(child)) }
}

export const exec = (
  draft: Draft,
  pid: number,
  call: Extract<Call, { readonly _tag: "Exec" }>
): Outcome => {
  const process = processOf(draft, pid)
  const environment = call.environment ?? process.environment
  const program = findProgram(draft, call.argv, environment)
  const stdio = redirected(draft, process, call.redirections ?? [])
  replaceStdio(draft, process, stdio)
  become(draft, pid, program, environment)
  schedule(draft, pid, 0)
  return done
}

export const wait = (draft: Draft, pid: number, wanted: number, poll: boolean): Outcome => {
  const process = processOf(draft, pid)
  const children = process.children.map((child) => processOf(draft, child))
    .filter((child) => wanted === 0 || pidSeenBy(process, child) === wanted)
  if (children.length === 0) fail("ECHILD")
  const dead = children.find((child) => isReapable(draft, child))
  if (dead === undefined) {
    return poll
      ? { value: { pid: 0, code: 0, signal: 0 } satisfies Waited }
      : undefined
  }
  const waited: Waited = {
    pid: pidSeenBy(process, dead),
    code: dead.exit!.code,
    signal: dead.exit!.signal
  }
  reap(draft, dead.pid)
  return { value: waited }
}

export const kill = (draft: Draft, pid: number, target: number, signal: number): Outcome => {
  if (signal < 0 || signal > lastSignal) fail("EINVAL")
  const sender = processOf(draft, pid)
  const namespace = sender.pids[0]!.namespace
  // −1: everything that may be signalled, but for pid 1 and oneself
  const targets = target === -1
    ? draft.processes.values().filter((one) =>
      one.pid !== pid && one.pids.some((each) => each.namespace === namespace && each.pid > 1) &&
      maySignal(draft, sender, one)
    )
    : target === 0
    ? draft.processes.values().filter((one) =>
      one.session === sender.session && one.pids.some((each) => each.namespace === namespace)
    )
    : [findByPid(draft, sender, target) ?? fail("ESRCH")]
  if (targets.length === 0) fail("ESRCH")
  for (const one of targets) {
    if (!maySignal(draft, sender, one)) fail("EPERM")
    sendSignal(draft, one.pid, signal, pid)
  }
  return done
}

export const sleep = (draft: Draft, pid: number, micros: number): Outcome => {
  const task = processOf(draft, pid).task as ProgramTask
  if (task.until === undefined) {
    alter(draft, pid, { task: { ...task, until: draft.now + micros } })
    schedule(draft, pid, micros)
    return undefined
  }
  if (draft.now >= task.until) return done
  schedule(draft, pid, task.until - draft.now)
  return undefined
}

export const handle = (
  draft: Draft,
  pid: number,
  signal: number,
  how: "catch" | "ignore" | "default"
): Outcome => {
  const task = processOf(draft, pid).task as ProgramTask
  const without = (list: ReadonlyArray<number>) => list.filter((one) => one !== signal)
  const caught = without(task.caught)
  const ignored = without(task.ignored)
  alter(draft, pid, {
    task: {
      ...task,
      caught: how === "catch" ? [...caught, signal] : caught,
      ignored: how === "ignore" ? [...ignored, signal] : ignored
    }
  })
  return done
}

export const takeSignals = (draft: Draft, pid: number): ReadonlyArray<number> => {
  const process = processOf(draft, pid)
  const caught = process.pending.filter((signal) => dispositionOf(process, signal) === "catch")
  if (caught.length > 0) {
    alter(draft, pid, { pending: process.pending.filter((signal) => !caught.includes(signal)) })
  }
  return caught
}
