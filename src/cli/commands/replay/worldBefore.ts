/**
 * What was there before a trace began, as far as the trace shows it: directories that were found, rows and
 * texts that were read though no operation of the trace had made them. Performed first, a simulated machine is in
 * that state.
 */
import { type HostTexts, type KernelOp, op, type RecordRow, type RootSource } from "../../../domain/kernel/KernelOp.ts"
import type { TraceEntry } from "../../../interpreters/middleware/TraceEntry.ts"

export const isCgroup = (path: string): boolean => path.startsWith("/sys/fs/cgroup/")

/** Paths that an operation makes, its parents not counted. */
const madeBy = ({ tag, payload }: KernelOp): ReadonlyArray<string> => {
  switch (tag) {
    case "DirMake": case "DirEnsure": case "DirEnsureLike": case "FileWrite": case "LockAcquire": case "LockTry": return [payload.path]
    case "CgroupMake": case "CgroupEnsure": return [payload.directory]
    case "SupervisorStart": return [`${payload.spec.directory}/status`, payload.spec.exitFile ?? ""]
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
  if (tag === "RootRead" && payload.root._tag === "Layers") {
    const { lower, upper, work } = payload.root
    return [...lower, upper, work].filter((path) => path !== "")
  }
  return tag === "FileStat" && (outcome.value as { readonly type: string }).type === "directory" ? [payload.path] : []
}

/** A container that is started before the trace is performed. */
export interface Started {
  readonly row: RecordRow
  readonly layers: ReadonlyArray<string>
  /** Of its init, in the trace. */
  readonly pid: number
}

/** The directory that has the files of a root, "/" where that is not for us to say. */
export const baseOf = (root: RootSource, started: ReadonlyArray<Started>): string => {
  switch (root._tag) {
    case "Directory":
      return root.path
    case "Layers":
      return root.lower.at(-1) ?? "/"
    case "Process":
      return started.find(({ pid }) => pid === root.process.pid)?.layers.at(-1) ?? "/"
  }
}

/** Texts that were read: of files by their paths, and of a root's by where its lowest layer has them. */
const textsSeen = (
  { op: { payload, tag }, outcome }: TraceEntry, started: ReadonlyArray<Started>
): ReadonlyArray<readonly [path: string, text: string]> => {
  if (outcome._tag !== "Success") return []
  if (tag === "FileRead") return [[payload.path, outcome.value as string]]
  if (tag !== "RootRead") return []
  const base = baseOf(payload.root, started)
  const texts = outcome.value as { readonly [path: string]: string }
  return base === "/" ? [] : Object.entries(texts).map(([path, text]) => [`${base}${path}`, text] as const)
}

export const rowsSeen = ({ op: { tag }, outcome }: TraceEntry): ReadonlyArray<RecordRow> => {
  if (outcome._tag !== "Success") return []
  if (tag === "RecordList") return outcome.value as ReadonlyArray<RecordRow>
  const found = tag === "RecordGet" && outcome.value !== undefined && outcome.value !== null
  return found ? [outcome.value as RecordRow] : []
}

/** Controllers that a cgroup hands on to its children (cgroup-v2.rst, "Enabling and Disabling"). */
const handedOn = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"]

/**
 * A parent of containers hands on its controllers in v2. In v1 cpusets are born empty and hold nothing until they are
 * filled; the parent's was. What a kernel does not have is refused by it.
 */
const filled = (directory: string, host: HostTexts | undefined): ReadonlyArray<KernelOp> => {
  if (isId(directory.slice(directory.lastIndexOf("/") + 1))) return []
  const write = (file: string, value: string) => op("CgroupWrite", { directory, file, value })
  if (!directory.startsWith("/sys/fs/cgroup/cpuset/")) {
    return handedOn.map((controller) => write("cgroup.subtree_control", `+${controller}`))
  }
  return host === undefined ? [] : [
    write("cpuset.cpus", host.cpuList), write("cpuset.mems", host.memoryNodes), write("cgroup.clone_children", "1")
  ]
}

/** A row has been written as often as its revision says; more writes than this are not repeated. */
const mostWrites = 1000

/** The machine that a trace is of; undefined when the trace does not say. */
export const hostTextsOf = (entries: ReadonlyArray<TraceEntry>): HostTexts | undefined => {
  const read = entries.find(({ op: { tag }, outcome }) => tag === "HostRead" && outcome._tag === "Success")
  return read?.outcome._tag === "Success" ? read.outcome.value as HostTexts : undefined
}

/** `started` write their own texts. */
export const worldBefore = (
  entries: ReadonlyArray<TraceEntry>, started: ReadonlyArray<Started>
): ReadonlyArray<KernelOp> => {
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
    for (const [path, text] of textsSeen(entry, started)) {
      if (known.has(path) || started.some(({ row }) => path.includes(`/containers/${row.key}/`))) continue
      known.add(path)
      before.push(op("DirEnsure", { path: parentOf(path), mode: 0o755 }), op("FileWrite", { path, mode: 0o644, text }))
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
