/** What the parts of the simulated supervisor share: its task, and the files it writes. */
import { formatStatus, type SupervisorStatus } from "../../../domain/kernel/Supervisor.ts"
import { alter, type Draft, fail, Failure, processOf } from "../Draft.ts"
import { textOf } from "../files/Driver.ts"
import { rename } from "../files/entryCalls.ts"
import { readFile, writeFile } from "../files/fileCalls.ts"
import type { SupervisorTask } from "../processes/Process.ts"

export const taskOf = (draft: Draft, pid: number): SupervisorTask => {
  const { task } = processOf(draft, pid)
  return task._tag === "Supervisor" ? task : fail("ESRCH")
}

export const alterTask = (draft: Draft, pid: number, change: Partial<SupervisorTask>): void => {
  alter(draft, pid, { task: { ...taskOf(draft, pid), ...change } })
}

/**
 * Performs what may fail without a consequence: a directory removed under us has no readers either.
 */
export const leniently = (body: () => void): void => {
  try {
    body()
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
  }
}

const nanoseconds = (micros: number): bigint => BigInt(micros) * 1000n

const statusOf = (draft: Draft, pid: number): SupervisorStatus => {
  const { failed, init, initStart, startedAt, exit } = taskOf(draft, pid)
  return {
    supervisor: { pid, startTime: processOf(draft, pid).startTime },
    ...(init === 0 ? {} : { init: { pid: init, startTime: initStart } }),
    ...(startedAt === 0 ? {} : { startedAt: nanoseconds(startedAt) }),
    ...(failed === undefined ? {} : { failed }),
    ...(exit === undefined ? {} : {
      exited: {
        at: nanoseconds(exit.at),
        status: { code: exit.code, signal: exit.signal, oomKilled: exit.oomKilled }
      }
    })
  }
}

/** Replaces a status file so that a reader sees the old text or the new. */
const writeStatus = (draft: Draft, pid: number, path: string): void => {
  draft.syscall = "openat"
  writeFile(draft, `${path}.tmp`, formatStatus(statusOf(draft, pid)), { mode: 0o600 })
  draft.syscall = "renameat"
  rename(draft, `${path}.tmp`, path)
}

export const saveStatus = (draft: Draft, pid: number): void =>
  writeStatus(draft, pid, `${taskOf(draft, pid).spec.directory}/status`)

/** The copy that stays when the directory goes. */
export const saveExit = (draft: Draft, pid: number): void => {
  const { exitFile } = taskOf(draft, pid).spec
  if (exitFile !== undefined) leniently(() => writeStatus(draft, pid, exitFile))
}

/** The `oom_kill` counter of the control group, 0 where it can't be read. */
export const readOomKills = (draft: Draft, pid: number): number => {
  const { oomFile } = taskOf(draft, pid).spec
  if (oomFile === "") return 0
  let count = 0
  leniently(() => {
    count = Number(/^oom_kill (\d+)$/m.exec(textOf(readFile(draft, oomFile)))?.[1] ?? 0)
  })
  return count
}
