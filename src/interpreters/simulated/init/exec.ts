/** The last InitOp: the child becomes the program, or stays as a reaper whose child does. */
import type { InitOp } from "../../../domain/kernel/InitOp.ts"
import { alter, current, type Draft } from "../Draft.ts"
import { drop } from "../mounts/mountTree.ts"
import { become, findInitProgram } from "../processes/exec.ts"
import { fork } from "../processes/fork.ts"
import { initTask } from "./InitState.ts"

export const execProgram = (
  draft: Draft,
  { argv, env, reaper }: Extract<InitOp, { readonly _tag: "Exec" }>
): void => {
  const process = current(draft)
  const task = initTask(draft)
  if (!task.umaskSet) alter(draft, process.pid, { umask: 0o022 })
  draft.syscall = "execve"
  const program = findInitProgram(draft, argv, env)
  draft.syscall = "clone"
  // Trees that were opened and never mounted go with their descriptors
  for (const mount of Object.values(task.slots)) drop(draft, mount)
  if (!reaper) return become(draft, process.pid, program, env)
  const child = fork(draft, process.pid, { task: { _tag: "Idle" } })
  become(draft, child, program, env)
  alter(draft, process.pid, { task: { _tag: "Reaper", child } })
}
