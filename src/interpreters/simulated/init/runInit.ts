/**
 * A turn of the child between clone and exec: one InitOp, with the kernel's errors. The first
 * failure is reported to the supervisor and ends the child.
 */
import { errnoNumber } from "../../../domain/kernel/errno.ts"
import type { InitOp } from "../../../domain/kernel/InitOp.ts"
import { alter, current, type Draft, fail, Failure } from "../Draft.ts"
import { toHost } from "../processes/credentials.ts"
import { endProcess } from "../processes/exit.ts"
import type { InitReport } from "../processes/Process.ts"
import { schedule, wake } from "../processes/schedule.ts"
import { alterInit, initTask, supervisorOf } from "./InitState.ts"
import { performInitOp } from "./performInitOp.ts"

/** What a failed start exits with; nobody reads it. */
const failedStart = 127

const report = (draft: Draft, parent: number, content: InitReport): void => {
  const supervisor = draft.processes.get(parent)
  if (supervisor?.task._tag !== "Supervisor") return
  alter(draft, parent, { task: { ...supervisor.task, report: content } })
  wake(draft, parent)
}

/** Up to the pivot host directories are walked that only the host's root may enter: see native/init/child.c. */
const outside: ReadonlySet<InitOp["_tag"]> = new Set<InitOp["_tag"]>([
  "CgroupAttach", "NamespaceUnshare", "NamespaceJoin", "NamespaceEnter", "TimeNamespace", "Hostname", "Domainname",
  "MountPropagation", "OomScoreAdjust", "TreeOpen", "RootOverlay", "RootBind", "PivotRoot", "LoopbackUp"
])

const needsHost = (op: InitOp): boolean => outside.has(op._tag)

/** Once the maps are written, the process is the root of its user namespace. */
const becomeNamespaceRoot = (draft: Draft): void => {
  const process = current(draft)
  const { user } = process.namespaces
  draft.syscall = "setresgid"
  const gid = toHost(draft, user, "gidMap", 0) ?? fail("EINVAL", "user namespace")
  draft.syscall = "setresuid"
  const uid = toHost(draft, user, "uidMap", 0) ?? fail("EINVAL", "user namespace")
  alter(draft, process.pid, { uid, gid, groups: [] })
  alterInit(draft, { entered: true })
}

/** A fault that was planned for this operation, if it is its turn. */
const takeFault = (draft: Draft, index: number, op: InitOp): string | undefined => {
  const matches = (operation: string | number) => operation === op._tag || operation === index
  let errno: string | undefined
  draft.initFaults = draft.initFaults.flatMap((fault) => {
    if (!matches(fault.operation)) return [fault]
    if (fault.occurrence > 0) return [{ ...fault, occurrence: fault.occurrence - 1 }]
    errno ??= fault.errno
    return []
  })
  return errno
}

/** The object of an operation, for failures that name none. */
const subjectOf = (op: InitOp | undefined): string => {
  switch (op?._tag) {
    case "Hostname":
    case "Domainname":
    case "Keyring":
      return op.name
    case "Sysctl":
      return op.key
    case "OomScoreAdjust":
      return "/proc/self/oom_score_adj"
    case "RootBind":
    case "RootOverlay":
    case "PivotRoot":
      return op.at
    case "MountFilesystem":
    case "MountDevpts":
    case "MountTree":
      return op.target
    case "CgroupAttach":
      return op.files[0] ?? ""
    case "TreeOpen":
      return op.source
    default:
      return op !== undefined && "path" in op ? op.path : ""
  }
}

const perform = (draft: Draft, index: number, op: InitOp): void => {
  const task = initTask(draft)
  if (
    !task.entered && !needsHost(op) &&
    supervisorOf(draft)?.spec.namespaces.includes("user") === true
  ) {
    becomeNamespaceRoot(draft)
  }
  draft.syscall = op._tag
  const planned = takeFault(draft, index, op)
  if (planned !== undefined) fail(planned)
  performInitOp(draft, op)
}

export const runInit = (draft: Draft, pid: number): void => {
  const { program, next } = initTask(draft)
  const { parent } = current(draft)
  const op = program[next]
  try {
    if (op === undefined) {
      draft.syscall = "execve"
      return fail("EINVAL", "the program has no Exec")
    }
    perform(draft, next, op)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    const failed = {
      operation: next,
      errno: errnoNumber(failure.errno),
      syscall: draft.syscall,
      path: failure.path ?? subjectOf(op)
    }
    report(draft, parent, { at: draft.now, failed })
    return endProcess(draft, pid, { code: failedStart, signal: 0 })
  }
  if (op!._tag === "Exec") report(draft, parent, { at: draft.now })
  else alterInit(draft, { next: next + 1 })
  schedule(draft, pid, 0)
}
