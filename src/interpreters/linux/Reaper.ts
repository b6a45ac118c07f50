/**
 * Waits for supervisors that were born to this process, so that none stays a zombie. Only for them, by pid:
 * other children belong to Node. SIGCHLD says when, and every start asks too.
 */
import { readlinkSync } from "node:fs"
import type { Addon } from "./addon.ts"

/** Milliseconds between looks where no signal arrives: in a worker thread. */
const workerInterval = 500

/** Children of the process, whichever interpreter started them. */
const children = new Set<number>()
let watching = false

const sweep = (addon: Addon): void => {
  // ECHILD: somebody else waited for it, or SIGCHLD is ignored and the kernel did.
  for (const pid of children) if (addon.reap(pid) !== 0) children.delete(pid)
}

/** By proc (`PID/task/TID`): loading node:worker_threads for it takes milliseconds. */
const isMainThread = (): boolean => {
  const [pid, thread] = readlinkSync("/proc/thread-self").split("/task/")
  return pid === thread
}

const watch = (addon: Addon): void => {
  if (watching) return
  watching = true
  if (isMainThread()) {
    // Node keeps no process alive for a signal's sake.
    process.on("SIGCHLD", () => sweep(addon))
  } else {
    setInterval(() => sweep(addon), workerInterval).unref()
  }
}

/** Takes on the duty for a child, and does what is due for the others. */
export const reapLater = (addon: Addon, pid: number): void => {
  watch(addon)
  sweep(addon)
  children.add(pid)
}

/** Whether the child has not been waited for yet. */
export const isUnreaped = (pid: number): boolean => children.has(pid)
