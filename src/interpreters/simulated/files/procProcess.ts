/** The files of /proc/PID, as texts (proc_pid_status(5), proc_pid_stat(5) and their neighbours). */
import type { NamespaceKind, RlimitName } from "../../../domain/kernel/InitOp.ts"
import { current, type Draft, fail } from "../Draft.ts"
import { cgroupPath, mountInfo, mountTable } from "../mounts/mountInfo.ts"
import { capability, hasCapability, overflowId, toInside } from "../processes/credentials.ts"
import type { Process } from "../processes/Process.ts"
import { alter } from "../Draft.ts"
import type { IdRange, Limit } from "../World.ts"
import { alterNamespace, namespaceAt } from "../processes/namespaces.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** TASK_COMM_LEN − 1 */
const nameLength = 15

/** A program's comm is the name it was executed by, whatever link or interpreter that is. */
export const nameOf = (process: Process): string => baseName(process.executable || process.argv[0] || "").slice(0, nameLength)

const letter = (process: Process): string => process.state === "zombie" ? "Z" : process.state === "stopped" ? "T" : "S"

const mask = (numbers: ReadonlyArray<number>): string =>
  numbers.reduce((bits, number) => bits | (1n << BigInt(number)), 0n).toString(16).padStart(16, "0")

/** Signal n is bit n − 1. */
const signalMask = (numbers: ReadonlyArray<number>): string => mask(numbers.map((number) => number - 1))

/** A pid as the namespace of the proc mount has it; 0 when it does not. */
export const pidIn = (namespace: number, process: Process | undefined): number =>
  process?.pids.find((one) => one.namespace === namespace)?.pid ?? 0

const status = (draft: Draft, process: Process, namespace: number): string => {
  const viewer = current(draft).namespaces.user
  const uid = toInside(draft, viewer, "uidMap", process.uid) ?? overflowId
  const gid = toInside(draft, viewer, "gidMap", process.gid) ?? overflowId
  const { capabilities: sets, task } = process
  const groups = process.groups.map((group) => toInside(draft, viewer, "gidMap", group) ?? overflowId)
  return [
    `Name:\t${nameOf(process)}`, `Umask:\t${process.umask.toString(8).padStart(4, "0")}`,
    `State:\t${letter(process)} (${{ Z: "zombie", T: "stopped", S: "sleeping" }[letter(process)]})`,
    `Tgid:\t${pidIn(namespace, process)}`, `Pid:\t${pidIn(namespace, process)}`,
    `PPid:\t${pidIn(namespace, draft.processes.get(process.parent))}`, "TracerPid:\t0",
    `Uid:\t${[uid, uid, uid, uid].join("\t")}`, `Gid:\t${[gid, gid, gid, gid].join("\t")}`,
    `Groups:\t${groups.join(" ")} `, `NSpid:\t${process.pids.map((one) => one.pid).reverse().join("\t")}`,
    `VmRSS:\t${String(Math.ceil(process.memory / 1024)).padStart(8)} kB`, "Threads:\t1",
    `SigPnd:\t${signalMask(process.pending)}`, "SigBlk:\t0000000000000000",
    `SigIgn:\t${signalMask(task._tag === "Program" ? task.ignored : [])}`,
    `SigCgt:\t${signalMask(task._tag === "Program" ? task.caught : [])}`,
    `CapInh:\t${mask(sets.inheritable)}`, `CapPrm:\t${mask(sets.permitted)}`, `CapEff:\t${mask(sets.effective)}`,
    `CapBnd:\t${mask(sets.bounding)}`, `CapAmb:\t${mask(sets.ambient)}`,
    `NoNewPrivs:\t${process.noNewPrivileges ? 1 : 0}`, `Seccomp:\t${process.seccomp > 0 ? 2 : 0}`,
    `Seccomp_filters:\t${process.seccomp}`, ""
  ].join("\n")
}

/** USER_HZ */
const ticks = 100
const pageSize = 4096

const stat = (draft: Draft, process: Process, namespace: number): string => {
  const cpu = Math.floor(process.cpu * ticks / 1_000_000)
  const resident = Math.ceil(process.memory / pageSize)
  return [
    pidIn(namespace, process), `(${nameOf(process)})`, letter(process), pidIn(namespace, draft.processes.get(process.parent)),
    pidIn(namespace, process), pidIn(namespace, draft.processes.get(process.session)), 0, -1, 4194304, 0, 0, 0, 0, cpu, 0, 0,
    0, 20, 0, 1, 0, process.startTime, process.memory, resident, "18446744073709551615",
    ...Array.from({ length: 12 }, () => 0), 17, 0, ...Array.from({ length: 13 }, () => 0)
  ].join(" ") + "\n"
}

const cgroups = (draft: Draft, process: Process): string => {
  const namespace = draft.namespaces.get(current(draft).namespaces.cgroup)
  return draft.hierarchies.map((hierarchy, index) => {
    const top = namespace?.kind === "cgroup" ? cgroupPath(draft, namespace.roots[index]!) : ""
    const path = cgroupPath(draft, process.cgroups[index]!)
    const seen = path === top ? "/" : path.startsWith(`${top}/`) ? path.slice(top.length) : `/..${path}`
    const names = hierarchy.version === 2 ? "" : hierarchy.name === "" ? hierarchy.controllers.join(",") : `name=${hierarchy.name}`
    return { number: hierarchy.version === 2 ? 0 : index + 1, line: `${names}:${seen}` }
  }).sort((one, other) => other.number - one.number).map(({ number, line }) => `${number}:${line}\n`).join("")
}

/** Rows of /proc/PID/limits: title, unit, and what a process has when nobody set it. */
const limitRows: ReadonlyArray<readonly [RlimitName, string, string, number | "unlimited", number | "unlimited"]> = [
  ["cpu", "Max cpu time", "seconds", "unlimited", "unlimited"],
  ["fsize", "Max file size", "bytes", "unlimited", "unlimited"],
  ["data", "Max data size", "bytes", "unlimited", "unlimited"],
  ["stack", "Max stack size", "bytes", 8388608, "unlimited"],
  ["core", "Max core file size", "bytes", 0, "unlimited"],
  ["rss", "Max resident set", "bytes", "unlimited", "unlimited"],
  ["nproc", "Max processes", "processes", 31433, 31433],
  ["nofile", "Max open files", "files", 1024, 1048576],
  ["memlock", "Max locked memory", "bytes", 8388608, 8388608],
  ["as", "Max address space", "bytes", "unlimited", "unlimited"],
  ["locks", "Max file locks", "locks", "unlimited", "unlimited"],
  ["sigpending", "Max pending signals", "signals", 31433, 31433],
  ["msgqueue", "Max msgqueue size", "bytes", 819200, 819200],
  ["nice", "Max nice priority", "", 0, 0],
  ["rtprio", "Max realtime priority", "", 0, 0],
  ["rttime", "Max realtime timeout", "us", "unlimited", "unlimited"]
]

/** The limit of a process, by default the kernel's. */
export const limitOf = (process: Process, name: RlimitName): Limit => {
  const row = limitRows.find(([one]) => one === name)!
  return process.limits[name] ?? { soft: row[3], hard: row[4] }
}

const limits = (process: Process): string => {
  const rows = limitRows.map(([name, title, unit]) => {
    const { soft, hard } = limitOf(process, name)
    return `${title.padEnd(25)} ${String(soft).padEnd(20)} ${String(hard).padEnd(20)} ${unit.padEnd(9)} \n`
  })
  return `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} ${"Units".padEnd(9)} \n${rows.join("")}`
}

const idMap = (ranges: ReadonlyArray<IdRange>): string =>
  ranges.map((one) => [one.inside, one.outside, one.count].map((id) => String(id).padStart(10)).join(" ") + "\n").join("")

const zeroEnded = (words: ReadonlyArray<string>): string => words.map((word) => `${word}\0`).join("")

type Text = (draft: Draft, process: Process, namespace: number) => string

const texts: { readonly [name: string]: Text } = {
  cgroup: cgroups,
  cmdline: (_draft, process) => zeroEnded(process.argv),
  comm: (_draft, process) => `${nameOf(process)}\n`,
  environ: (_draft, process) => zeroEnded(process.environment),
  gid_map: (draft, process) => idMap(namespaceAt(draft, "user", process.namespaces.user).gidMap),
  limits: (_draft, process) => limits(process),
  mountinfo: (draft, process) => mountInfo(draft, process),
  mounts: (draft, process) => mountTable(draft, process),
  oom_score: (_draft, process) => `${Math.max(0, 666 + Math.floor(process.oomScoreAdjust * 2 / 3))}\n`,
  oom_score_adj: (_draft, process) => `${process.oomScoreAdjust}\n`,
  personality: (_draft, process) => `${process.personality.toString(16).padStart(8, "0")}\n`,
  setgroups: () => "allow\n",
  stat,
  statm: (_draft, process) => {
    const resident = Math.ceil(process.memory / pageSize)
    return `${resident} ${resident} 0 0 0 0 0\n`
  },
  status,
  timens_offsets: (draft, process) => {
    const { monotonic, boottime } = namespaceAt(draft, "time", process.timeForChildren)
    const row = (name: string, offset: number) =>
      `${name.padEnd(10)} ${String(Math.floor(offset / 1e9)).padStart(10)} ${String(offset % 1e9).padStart(9)}\n`
    return row("monotonic", monotonic) + row("boottime", boottime)
  },
  uid_map: (draft, process) => idMap(namespaceAt(draft, "user", process.namespaces.user).uidMap)
}

export const processFiles: ReadonlyArray<string> = Object.keys(texts)

export const isWritableProcessFile = (name: string): boolean =>
  ["oom_score_adj", "uid_map", "gid_map", "setgroups", "comm", "timens_offsets"].includes(name)

export const readProcessFile = (draft: Draft, process: Process, namespace: number, name: string): string =>
  (texts[name] ?? fail("ENOENT"))(draft, process, namespace)

/** The score at least CAP_SYS_RESOURCE has set: below it only such a process may go (fs/proc/base.c). */
const writeOomScore = (draft: Draft, process: Process, text: string): void => {
  if (!/^-?\d+$/.test(text)) fail("EINVAL")
  const value = Number(text)
  if (value < -1000 || value > 1000) fail("EINVAL")
  const lowers = value < process.oomScoreAdjust
  if (lowers && !hasCapability(draft, current(draft), capability.sysResource, draft.initial.user)) fail("EACCES")
  alter(draft, process.pid, { oomScoreAdjust: value })
}

/** UID_GID_MAP_MAX_EXTENTS */
const mapLines = 340

/** map_write(): once, without overlap, by someone privileged in the parent namespace. */
const writeIdMap = (draft: Draft, process: Process, kind: "uidMap" | "gidMap", text: string): void => {
  const id = process.namespaces.user
  const namespace = namespaceAt(draft, "user", id)
  const caller = current(draft)
  if (namespace[kind].length > 0) fail("EPERM")
  const ranges = text.split("\n").filter((line) => line.trim() !== "").map((line): IdRange => {
    const fields = line.trim().split(/\s+/).map(Number)
    if (fields.length !== 3 || fields.some((one) => !Number.isInteger(one) || one < 0)) fail("EINVAL")
    return { inside: fields[0]!, outside: fields[1]!, count: fields[2]! }
  })
  if (ranges.length === 0 || ranges.length > mapLines || ranges.some((one) => one.count === 0)) fail("EINVAL")
  const overlap = (field: "inside" | "outside") => ranges.some((one, at) =>
    ranges.some((other, index) =>
      index > at && one[field] < other[field] + other.count && other[field] < one[field] + one.count))
  if (overlap("inside") || overlap("outside")) fail("EINVAL")
  const capable = hasCapability(draft, caller, kind === "uidMap" ? capability.setuid : capability.setgid, namespace.parent)
  const single = ranges.length === 1 && ranges[0]!.count === 1 &&
    ranges[0]!.outside === (kind === "uidMap" ? caller.uid : caller.gid)
  if (!capable && !single) fail("EPERM")
  alterNamespace(draft, "user", id, { [kind]: ranges })
}

export const writeProcessFile = (draft: Draft, process: Process, name: string, text: string): void => {
  switch (name) {
    case "oom_score_adj":
      return writeOomScore(draft, process, text.trim())
    case "uid_map":
      return writeIdMap(draft, process, "uidMap", text)
    case "gid_map":
      return writeIdMap(draft, process, "gidMap", text)
    case "setgroups":
    case "comm":
      return
    default:
      return fail("EACCES")
  }
}

export const namespaceFiles: ReadonlyArray<string> = [
  "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"
]

/** The namespace that /proc/PID/ns/NAME stands for. */
export const namespaceOfFile = (process: Process, name: string): number =>
  name === "pid_for_children"
    ? process.pidForChildren
    : name === "time_for_children"
    ? process.timeForChildren
    : process.namespaces[name as NamespaceKind]
