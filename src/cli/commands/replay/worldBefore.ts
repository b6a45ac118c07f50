/**
 * What was there before a trace began, as far as the trace shows it: directories that were found and rows that
 * were read though no operation of the trace had made them. Performed first, a simulated machine is in that state.
 */
import { type HostTexts, type KernelOp, op, type RecordRow } from "../../../domain/kernel/KernelOp.ts"
import type { TraceEntry } from "../../../interpreters/middleware/TraceEntry.ts"

export const isCgroup = (path: string): boolean => path.startsWith("/sys/fs/cgroup/")

/** Paths that an operation makes, its parents not counted. */
const madeBy = ({ tag, payload }: KernelOp): ReadonlyArray<string> => {
  switch (tag) {
    case "DirMake": case "DirEnsure": case "FileWrite": case "LockAcquire": case "LockTry": return [payload.path]
    case "CgroupMake": case "CgroupEnsure": return [payload.directory]
    default: return []
  }
}

/** Directories of images and containers are called so. */
const isId = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

/** Paths of ours that a listing showed. */
const listed = ({ op: { payload, tag }, outcome }: TraceEntry): ReadonlyArray<string> =>
  tag !== "DirList" || outcome._tag !== "Success"
    ? []
    : (outcome.value as ReadonlyArray<string>).filter(isId).map((name) => `${payload.path}/${name}`)

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** What is called like a container there is its lock file. */
const isLock = (path: string): boolean => parentOf(path).endsWith("/locks")

/** Directories that were looked into or at, and those of ours that were seen in them. */
const directoriesSeen = (entry: TraceEntry): ReadonlyArray<string> => {
  const { op: { payload, tag }, outcome } = entry
  if (outcome._tag !== "Success") return []
  if (tag === "DirList") return [payload.path, ...listed(entry).filter((path) => !isLock(path))]
  return tag === "FileStat" && (outcome.value as { readonly type: string }).type === "directory" ? [payload.path] : []
}

const rowsSeen = ({ op: { tag }, outcome }: TraceEntry): ReadonlyArray<RecordRow> => {
  if (outcome._tag !== "Success") return []
  if (tag === "RecordList") return outcome.value as ReadonlyArray<RecordRow>
  const found = tag === "RecordGet" && outcome.value !== undefined && outcome.value !== null
  return found ? [outcome.value as RecordRow] : []
}

/** v1 cpusets are born empty and hold nothing until they are filled; the parent of containers was. */
const filled = (directory: string, host: HostTexts | undefined): ReadonlyArray<KernelOp> =>
  host === undefined || !directory.startsWith("/sys/fs/cgroup/cpuset/") ? [] : [
    op("CgroupWrite", { directory, file: "cpuset.cpus", value: host.cpuList }),
    op("CgroupWrite", { directory, file: "cpuset.mems", value: host.memoryNodes }),
    op("CgroupWrite", { directory, file: "cgroup.clone_children", value: "1" })
  ]

/** A row has been written as often as its revision says; more writes than this are not repeated. */
const mostWrites = 1000

/** The machine that a trace is of; undefined when the trace does not say. */
export const hostTextsOf = (entries: ReadonlyArray<TraceEntry>): HostTexts | undefined => {
  const read = entries.find(({ op: { tag }, outcome }) => tag === "HostRead" && outcome._tag === "Success")
  return read?.outcome._tag === "Success" ? read.outcome.value as HostTexts : undefined
}

export const worldBefore = (entries: ReadonlyArray<TraceEntry>): ReadonlyArray<KernelOp> => {
  const host = hostTextsOf(entries)
  const known = new Set<string>()
  const before: Array<KernelOp> = []
  for (const entry of entries.toSorted((one, other) => one.index - other.index)) {
    for (const directory of directoriesSeen(entry)) {
      if (directory === "/" || known.has(directory)) continue
      known.add(directory)
      if (isCgroup(directory)) before.push(op("CgroupEnsure", { directory }), ...filled(directory, host))
      else before.push(op("DirEnsure", { path: directory, mode: 0o755 }))
    }
    for (const path of listed(entry).filter(isLock)) {
      if (known.has(path)) continue
      known.add(path)
      before.push(op("DirEnsure", { path: parentOf(path), mode: 0o700 }), op("FileWrite", { path, mode: 0o600, text: "" }))
    }
    const { op: done } = entry
    if (done.tag === "RecordGet" || done.tag === "RecordList") {
      const { collection } = done.payload
      for (const { key, name, revision, value } of rowsSeen(entry)) {
        if (known.has(`${collection}/${key}`)) continue
        known.add(`${collection}/${key}`)
        for (let write = 0; write < Math.min(revision, mostWrites); write++) {
          before.push(op("RecordPut", { collection, key, revision: write, name, value }))
        }
      }
    }
    if (done.tag === "RecordPut") known.add(`${done.payload.collection}/${done.payload.key}`)
    for (const path of madeBy(done)) known.add(path)
  }
  return before
}
