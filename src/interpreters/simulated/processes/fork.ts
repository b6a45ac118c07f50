/** clone(2): a new process, charged to its cgroups, in the namespaces asked for. */
import type { NamespaceKind } from "../../../domain/kernel/InitOp.ts"
import { requireTaskRoom } from "../cgroups/cgroupTree.ts"
import { enterCgroups } from "../cgroups/membership.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { capability, hasCapability, requireCapability } from "./credentials.ts"
import { hold } from "./descriptors.ts"
import { alterNamespace, namespaceAt, referAll, unshare } from "./namespaces.ts"
import type { Descriptor, Process, Task } from "./Process.ts"
import { schedule } from "./schedule.ts"

export interface Cloning {
  readonly task: Task
  /** Namespaces that the clone makes. */
  readonly namespaces?: ReadonlyArray<NamespaceKind>
  /** CLONE_INTO_CGROUP: a cgroup2 cgroup. */
  readonly cgroup?: number
  /** The parent's when absent. */
  readonly stdio?: readonly [Descriptor, Descriptor, Descriptor]
}

/** USER_HZ: /proc counts start times in hundredths of a second since boot. */
const ticks = 100

/** RLIMIT_NPROC: counts the processes of the user; root and the capable are exempt. */
const requireProcessLimit = (draft: Draft, parent: Process): void => {
  const limit = parent.limits.nproc?.soft
  if (limit === undefined || limit === "unlimited" || parent.uid === 0) return
  const user = draft.initial.user
  if (
    hasCapability(draft, parent, capability.sysResource, user) ||
    hasCapability(draft, parent, capability.sysAdmin, user)
  ) return
  const own = draft.processes.values().filter((one) => one.uid === parent.uid).length
  if (own >= limit) fail("EAGAIN")
}

/**
 * Takes a number in a pid namespace; the first process there is its init. ENOMEM when the init has
 * died.
 */
const takePid = (draft: Draft, namespace: number, hostPid: number): number => {
  const { next, init, dead } = namespaceAt(draft, "pid", namespace)
  if (dead) fail("ENOMEM")
  alterNamespace(
    draft,
    "pid",
    namespace,
    init === 0 ? { next: next + 1, init: hostPid } : { next: next + 1 }
  )
  return next
}

/** Numbers of a process from its own namespace up to the host's. */
const takePids = (draft: Draft, hostPid: number, innermost: number): Process["pids"] => {
  const pids: Array<{ namespace: number; pid: number }> = []
  for (let namespace = innermost; namespace !== draft.initial.pid;) {
    pids.push({ namespace, pid: takePid(draft, namespace, hostPid) })
    namespace = namespaceAt(draft, "pid", namespace).parent
  }
  return [...pids, { namespace: draft.initial.pid, pid: hostPid }]
}

/**
 * EAGAIN (pids.max, RLIMIT_NPROC), ENOMEM (dead pid namespace), EPERM (namespaces); gives the host
 * pid.
 */
export const fork = (draft: Draft, parentPid: number, cloning: Cloning): number => {
  const parent = processOf(draft, parentPid)
  const wanted = cloning.namespaces ?? []
  const cgroups = cloning.cgroup === undefined
    ? parent.cgroups
    : parent.cgroups.with(draft.cgroups.get(cloning.cgroup)!.hierarchy, cloning.cgroup)
  if (wanted.length > 0 && !wanted.includes("user")) {
    requireCapability(draft, parent, capability.sysAdmin)
  }
  if (namespaceAt(draft, "pid", parent.pidForChildren).dead) fail("ENOMEM")
  requireProcessLimit(draft, parent)
  requireTaskRoom(draft, cgroups)
  const { next: pid } = namespaceAt(draft, "pid", draft.initial.pid)
  alterNamespace(draft, "pid", draft.initial.pid, { next: pid + 1 })
  const { exit: _exit, ...inherited } = parent
  draft.processes = draft.processes.set(pid, {
    ...inherited,
    pid,
    parent: parentPid,
    children: [],
    pids: [],
    task: cloning.task,
    state: "running",
    due: false,
    pending: [],
    cgroups,
    memory: 0,
    cpu: 0,
    startedAt: draft.now,
    startTime: Math.floor((draft.now - draft.bootedAt) * ticks / 1_000_000),
    namespaces: { ...parent.namespaces, pid: parent.pidForChildren, time: parent.timeForChildren },
    stdio: cloning.stdio ?? parent.stdio,
    pipes: []
  })
  referAll(draft, processOf(draft, pid))
  unshare(draft, pid, wanted, true)
  const born = processOf(draft, pid)
  alter(draft, pid, { pids: takePids(draft, pid, born.namespaces.pid) })
  alter(draft, parentPid, { children: [...processOf(draft, parentPid).children, pid] })
  enterCgroups(draft, processOf(draft, pid))
  for (const descriptor of born.stdio) hold(draft, descriptor)
  schedule(draft, pid, 0)
  return pid
}
