/** The files of /proc/PID, as texts (proc_pid_status(5), proc_pid_stat(5) and their neighbours). */
import type { NamespaceKind } from "../../../domain/kernel/InitOp.ts"
import { current, type Draft, fail } from "../Draft.ts"
import { cgroupPath, mountInfo, mountTable } from "../mounts/mountInfo.ts"
import { namespaceAt } from "../processes/namespaces.ts"
import type { Process } from "../processes/Process.ts"
import type { IdRange } from "../World.ts"
import { limits } from "./processLimits.ts"
import { nameOf, pageSize, stat, status } from "./processStatus.ts"

const cgroups = (draft: Draft, process: Process): string => {
  const namespace = draft.namespaces.get(current(draft).namespaces.cgroup)
  return draft.hierarchies.map((hierarchy, index) => {
    const top = namespace?.kind === "cgroup" ? cgroupPath(draft, namespace.roots[index]!) : ""
    const path = cgroupPath(draft, process.cgroups[index]!)
    const seen = path === top
      ? "/"
      : path.startsWith(`${top}/`)
      ? path.slice(top.length)
      : `/..${path}`
    const names = hierarchy.version === 2
      ? ""
      : hierarchy.name === ""
      ? hierarchy.controllers.join(",")
      : `name=${hierarchy.name}`
    return { number: hierarchy.version === 2 ? 0 : index + 1, line: `${names}:${seen}` }
  }).sort((one, other) => other.number - one.number).map(({ number, line }) =>
    `${number}:${line}\n`
  ).join("")
}

const idMap = (ranges: ReadonlyArray<IdRange>): string =>
  ranges.map((one) =>
    [one.inside, one.outside, one.count].map((id) => String(id).padStart(10)).join(" ") + "\n"
  ).join("")

const zeroEnded = (words: ReadonlyArray<string>): string =>
  words.map((word) => `${word}\0`).join("")

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
  oom_score: (_draft, process) =>
    `${Math.max(0, 666 + Math.floor(process.oomScoreAdjust * 2 / 3))}\n`,
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
    const row = (name: string, offset: number) => {
      const seconds = String(Math.floor(offset / 1e9)).padStart(10)
      return `${name.padEnd(10)} ${seconds} ${String(offset % 1e9).padStart(9)}\n`
    }
    return row("monotonic", monotonic) + row("boottime", boottime)
  },
  uid_map: (draft, process) => idMap(namespaceAt(draft, "user", process.namespaces.user).uidMap)
}

export const processFiles: ReadonlyArray<string> = Object.keys(texts)

export const isWritableProcessFile = (name: string): boolean =>
  ["oom_score_adj", "uid_map", "gid_map", "setgroups", "comm", "timens_offsets"].includes(name)

export const readProcessFile = (
  draft: Draft,
  process: Process,
  namespace: number,
  name: string
): string => (texts[name] ?? fail("ENOENT"))(draft, process, namespace)

export const namespaceFiles: ReadonlyArray<string> = [
  "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user",
  "uts"
]

/** The namespace that /proc/PID/ns/NAME stands for. */
export const namespaceOfFile = (process: Process, name: string): number =>
  name === "pid_for_children"
    ? process.pidForChildren
    : name === "time_for_children"
    ? process.timeForChildren
    : process.namespaces[name as NamespaceKind]
