/**
 * A turn of a program: what its last call came to goes to its behaviour, and the next call begins.
 * Calls that wait are looked at again whenever the process is woken.
 */
import type { Behaviour, Call, Event } from "../behaviours/Behaviour.ts"
import { alter, type Draft, Failure, processOf } from "../Draft.ts"
import { performCall } from "./calls.ts"
import type { ProgramTask } from "./Process.ts"
import { schedule } from "./schedule.ts"
import { dispositionOf } from "./signals.ts"

/** Microseconds of CPU that a turn takes. */
const turnCost = 20

export const addCpu = (draft: Draft, pid: number, micros: number): void => {
  const process = processOf(draft, pid)
  alter(draft, pid, { cpu: process.cpu + micros })
  for (const [index, id] of process.cgroups.entries()) {
    const { version, controllers } = draft.hierarchies[index]!
    if (version === 1 && !controllers.includes("cpu") && !controllers.includes("cpuacct")) continue
    const cgroup = draft.cgroups.get(id)
    if (cgroup !== undefined) {
      draft.cgroups = draft.cgroups.set(id, { ...cgroup, cpu: cgroup.cpu + micros })
    }
  }
}

const setTask = (draft: Draft, pid: number, task: ProgramTask): void => {
  alter(draft, pid, { task })
}

/** Takes the next caught signal off the list, if there is one. */
const takeCaught = (draft: Draft, pid: number): number | undefined => {
  const process = processOf(draft, pid)
  const signal = process.pending.find((one) => dispositionOf(process, one) === "catch")
  if (signal !== undefined) {
    alter(draft, pid, { pending: process.pending.filter((one) => one !== signal) })
  }
  return signal
}

/** Begins a call, or looks again at one it waits in. `undefined`: it waits. */
const attempt = (draft: Draft, pid: number, call: Call): Event | undefined => {
  try {
    const value = performCall(draft, pid, call)
    return value === undefined ? undefined : { _tag: "Done", value: value.value }
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return { _tag: "Failed", errno: failure.errno }
  }
}

/** The program may have gone, or become another, in its own call. */
const isStill = (draft: Draft, pid: number, task: ProgramTask): boolean => {
  const now = draft.processes.get(pid)
  return now !== undefined && now.state !== "zombie" && now.task._tag === "Program" &&
    now.task.behaviour === task.behaviour &&
    now.task.state === task.state
}

/** Calls that only end by success, failure or a caught signal. */
const settle = (draft: Draft, pid: number, call: Call): void => {
  const before = processOf(draft, pid).task as ProgramTask
  const event = attempt(draft, pid, call)
  if (!isStill(draft, pid, before)) return
  const task = processOf(draft, pid).task as ProgramTask
  const { call: _call, event: _event, until: _until, ...rest } = task
  if (event !== undefined) {
    setTask(draft, pid, { ...rest, event })
    schedule(draft, pid, 0)
    return
  }
  const signal = takeCaught(draft, pid)
  if (signal === undefined) return
  setTask(draft, pid, { ...rest, event: { _tag: "Signal", signal } })
  schedule(draft, pid, 0)
}

/** Gives a program its turn. Fatal signals were dealt with before. */
export const runProgram = (draft: Draft, pid: number): void => {
  const task = processOf(draft, pid).task as ProgramTask
  if (task.call !== undefined) return settle(draft, pid, task.call)
  const behaviour = draft.behaviours[task.behaviour] as unknown as Behaviour | undefined
  if (behaviour === undefined || task.event === undefined) return
  addCpu(draft, pid, turnCost)
  const [state, call] = behaviour.step(task.state, task.event)
  const { event: _event, until: _until, ...rest } = task
  setTask(draft, pid, { ...rest, state, call })
  settle(draft, pid, call)
}
