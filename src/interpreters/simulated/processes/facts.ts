/**
 * What a program may know of itself and of the processes beside it, in the numbers of its
 * namespaces.
 */
import type { Facts, Seen } from "../behaviours/Behaviour.ts"
import type { Draft } from "../Draft.ts"
import { pathOf } from "../files/resolve.ts"
import { overflowId, toInside } from "./credentials.ts"
import { namespaceAt } from "./namespaces.ts"
import type { Process } from "./Process.ts"

/** The number that a process has in the namespace of another; 0 when it is not to be seen there. */
export const pidSeenBy = (viewer: Process, seen: Process | undefined): number =>
  seen?.pids.find((one) => one.namespace === viewer.pids[0]!.namespace)?.pid ?? 0

/** The process with a number in the caller's namespace. */
export const findByPid = (draft: Draft, viewer: Process, pid: number): Process | undefined => {
  const namespace = viewer.pids[0]!.namespace
  if (namespace === draft.initial.pid) return draft.processes.get(pid)
  return draft.processes.values().find((one) =>
    one.pids.some((each) => each.namespace === namespace && each.pid === pid)
  )
}

export const factsOf = (draft: Draft, process: Process): Facts => {
  const { user, uts } = process.namespaces
  const inside = (kind: "uidMap" | "gidMap", id: number) =>
    toInside(draft, user, kind, id) ?? overflowId
  return {
    pid: process.pids[0]!.pid,
    parent: pidSeenBy(process, draft.processes.get(process.parent)),
    uid: inside("uidMap", process.uid),
    gid: inside("gidMap", process.gid),
    groups: process.groups.map((group) => inside("gidMap", group)),
    hostname: namespaceAt(draft, "uts", uts).hostname,
    directory: pathOf(draft, process.directory, process.root),
    environment: process.environment,
    umask: process.umask,
    stdio: [process.stdio[0]._tag, process.stdio[1]._tag, process.stdio[2]._tag],
    now: draft.now,
    machine: draft.host.machine,
    kernelRelease: draft.host.kernelRelease,
    cpus: draft.host.cpus,
    effectiveCapabilities: process.capabilities.effective
  }
}

export const seenProcesses = (draft: Draft, viewer: Process): ReadonlyArray<Seen> =>
  draft.processes.values().flatMap((one) => {
    const pid = pidSeenBy(viewer, one)
    return pid === 0 || one.state === "zombie"
      ? []
      : [{
        pid,
        uid: toInside(draft, viewer.namespaces.user, "uidMap", one.uid) ?? overflowId,
        argv: one.argv
      }]
  }).sort((one, other) => one.pid - other.pid)
