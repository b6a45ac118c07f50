/**
 * The end of a process: what it held goes, its children get another parent, the first process of a
 * pid namespace takes the others with it (pid_namespaces(7)), and the parent learns of it.
 */
import { leaveCgroups, releaseCgroups } from "../cgroups/membership.ts"
import { alter, type Draft, processOf } from "../Draft.ts"
import { drop } from "../mounts/mountTree.ts"
import { closeDescriptors } from "./descriptors.ts"
import { releaseHandles } from "./handles.ts"
import { alterNamespace, namespaceAt, releaseAll, releaseNamespace } from "./namespaces.ts"
import type { ExitRecord, Process } from "./Process.ts"
import { cancel, wake } from "./schedule.ts"
import { isInit, sendSignal, signals } from "./signals.ts"

/** Live processes in a pid namespace or below it, but for one. */
const othersIn = (draft: Draft, namespace: number, except: number): ReadonlyArray<Process> =>
  draft.processes.values().filter((one) =>
    one.pid !== except && one.state !== "zombie" &&
    one.pids.some((pid) => pid.namespace === namespace)
  )

/** Who takes the children of a dead process: the first of its pid namespace, or of the host. */
const reaperOf = (draft: Draft, process: Process): number => {
  for (const { namespace } of process.pids) {
    const { init } = namespaceAt(draft, "pid", namespace)
    if (init !== 0 && init !== process.pid && draft.processes.get(init)?.state !== "zombie") {
      return init
    }
  }
  return 0
}

/** Removes a zombie; its number is free again. */
export const reap = (draft: Draft, pid: number): void => {
  const process = processOf(draft, pid)
  releaseCgroups(draft, process)
  const parent = draft.processes.get(process.parent)
  if (parent !== undefined) {
    alter(draft, parent.pid, { children: parent.children.filter((child) => child !== pid) })
  }
  draft.processes = draft.processes.remove(pid)
  releaseNamespace(draft, process.namespaces.pid)
  if (process.pidForChildren !== process.namespaces.pid) {
    releaseNamespace(draft, process.pidForChildren)
  }
}

/**
 * A zombie that can be waited for: the first of a pid namespace only after all others have gone.
 */
export const isReapable = (draft: Draft, process: Process): boolean =>
  process.state === "zombie" &&
  !(isInit(process) && othersIn(draft, process.namespaces.pid, process.pid).length > 0)

/** Tells the parent, or reaps at once where the parent does not care. */
const announce = (draft: Draft, pid: number): void => {
  const process = draft.processes.get(pid)
  if (process === undefined || !isReapable(draft, process)) return
  const parent = draft.processes.get(process.parent)
  // The host's init reaps what falls to it; a dead namespace's remains are reaped by the kernel
  if (
    parent === undefined || parent.state === "zombie" || parent.task._tag === "Idle" ||
    parent.task._tag === "Engine"
  ) {
    reap(draft, pid)
    return
  }
  sendSignal(draft, parent.pid, signals.SIGCHLD, "kernel")
  wake(draft, parent.pid)
}

const endNamespace = (draft: Draft, process: Process): void => {
  alterNamespace(draft, "pid", process.namespaces.pid, { dead: true })
  for (const other of othersIn(draft, process.namespaces.pid, process.pid)) {
    sendSignal(draft, other.pid, signals.SIGKILL, "kernel")
  }
}

const handOver = (draft: Draft, process: Process): void => {
  const reaper = reaperOf(draft, process)
  for (const child of process.children) {
    alter(draft, child, { parent: reaper })
    const taker = draft.processes.get(reaper)
    if (taker !== undefined) alter(draft, reaper, { children: [...taker.children, child] })
    announce(draft, child)
  }
  alter(draft, process.pid, { children: [] })
}

/** Ends a process. Its zombie stays until it is waited for. */
export const endProcess = (draft: Draft, pid: number, exit: ExitRecord): void => {
  const process = draft.processes.get(pid)
  if (process === undefined || process.state === "zombie") return
  cancel(draft, pid)
  closeDescriptors(draft, pid)
  releaseHandles(draft, pid)
  if (process.task._tag === "Init") {
    for (const mount of Object.values(process.task.slots)) drop(draft, mount)
  }
  leaveCgroups(draft, process)
  alter(draft, pid, { state: "zombie", exit, memory: 0, pending: [], due: false })
  if (isInit(process)) endNamespace(draft, process)
  releaseAll(draft, process)
  handOver(draft, processOf(draft, pid))
  announce(draft, pid)
  // The first process of each namespace it was in may have waited for this one
  for (const { namespace } of process.pids) {
    const owner = draft.namespaces.get(namespace)
    if (owner?.kind === "pid" && owner.dead && owner.init !== pid) announce(draft, owner.init)
  }
}

/** Ends a process by a signal. */
export const killProcess = (draft: Draft, pid: number, signal: number): void =>
  endProcess(draft, pid, { code: 128 + signal, signal })
