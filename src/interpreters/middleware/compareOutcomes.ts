/** Whether an operation came to the same then and now, as far as the same can be expected. */
import type { FileStatus, KernelTag } from "../../domain/kernel/KernelOp.ts"
import { parseStatus } from "../../domain/kernel/Supervisor.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"
import type { Translation } from "./Translation.ts"

/**
 * Results that depend on the machine, its clock or its load: only whether they came is compared.
 */
const incomparable: ReadonlySet<KernelTag> = new Set<KernelTag>([
  "HostRead", "TreeSize", "FileReadRange", "CgroupRead", "CgroupProcesses", "ArchivePull",
  "LockAcquire", "SupervisorStart", "ChannelOpen", "ChannelRead", "ArchiveRead", "ArchiveWrite",
  "LayerWrite", "TreeList", "TreeLook", "BlobOpen"
])

/** A status file without its numbers and times: which facts there are, and how it ended. */
const statusGist = (text: string): string | undefined => {
  const status = parseStatus(text)
  if (status === undefined) return undefined
  const { exited, failed, init, startedAt } = status
  return JSON.stringify({
    init: init !== undefined,
    started: startedAt !== undefined,
    failed: failed ?? null,
    exited: exited?.status ?? null
  })
}

/** How large a directory itself is, is its file system's affair. */
const statusFacts = (status: FileStatus): FileStatus => status.type === "directory" ? { ...status, size: 0 } : status

const show = (outcome: TraceOutcome, tag: KernelTag, translation: Translation): string => {
  switch (outcome._tag) {
    case "Interrupted":
      return "interrupted"
    case "Failure":
      return outcome.error.errno
    case "Success": {
      const { value } = outcome
      if (incomparable.has(tag)) return "success"
      if (tag === "LockTry") return value === undefined ? "taken" : "locked"
      if (tag === "RootStat" || tag === "FileStat") return JSON.stringify(statusFacts(value as FileStatus))
      if (tag === "FileRead") return statusGist(String(value)) ?? translation.text(String(value))
      return translation.text(JSON.stringify(value) ?? "success")
    }
  }
}

export const compareOutcomes = (
  entry: TraceEntry,
  actual: TraceOutcome,
  translation: Translation
): { readonly expected: string; readonly actual: string } | undefined => {
  // An interruption may come before or after the operation's own end
  if (entry.outcome._tag === "Interrupted" || actual._tag === "Interrupted") return undefined
  const [then, now] = [
    show(entry.outcome, entry.op.tag, translation),
    show(actual, entry.op.tag, translation)
  ]
  return then === now ? undefined : { expected: then, actual: now }
}
