/**
 * The child between clone and exec: its task, and what its operations keep from one to the next.
 */
import type { InitOp } from "../../../domain/kernel/InitOp.ts"
import { alter, current, type Draft, fail } from "../Draft.ts"
import type { SupervisorTask, Task } from "../processes/Process.ts"

export type Op<T extends InitOp["_tag"]> = Extract<InitOp, { readonly _tag: T }>

export type InitTask = Extract<Task, { readonly _tag: "Init" }>

export const initTask = (draft: Draft): InitTask => {
  const { task } = current(draft)
  return task._tag === "Init" ? task : fail("ESRCH")
}

export const alterInit = (draft: Draft, change: Partial<InitTask>): void => {
  alter(draft, draft.current, { task: { ...initTask(draft), ...change } })
}

/** The task of its supervisor, or none when that has died. */
export const supervisorOf = (draft: Draft): SupervisorTask | undefined => {
  const parent = draft.processes.get(current(draft).parent)
  return parent?.task._tag === "Supervisor" ? parent.task : undefined
}
