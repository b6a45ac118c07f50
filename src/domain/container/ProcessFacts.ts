/** What `top` knows of a process, from the texts that the kernel tells in /proc. */
import { parseGroup, parsePasswd } from "./User.ts"

/** Files of /proc/PID that only some columns need: they are read only then. */
export type RareFile = "statm" | "wchan"

export interface ProcessTexts {
  readonly pid: number
  /** /proc/PID/stat, status and cmdline (arguments end with NUL); "" of a process that has gone */
  readonly stat: string
  readonly status: string
  readonly commandLine: string
  readonly rare: { readonly [file in RareFile]?: string }
}

/** The host's files that only some columns need: who is who, how much memory there is, and since when. */
export type HostFile = "/etc/passwd" | "/etc/group" | "/proc/meminfo" | "/proc/stat"

export interface HostTexts {
  /** /proc/uptime */
  readonly uptime: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Minutes that the host's clocks are ahead of UTC at an instant of milliseconds since the epoch. */
  readonly minutesAhead: (instant: number) => number
  readonly rare: { readonly [file in HostFile]?: string }
}

export interface HostFacts {
  readonly now: number
  readonly minutesAhead: (instant: number) => number
  /** Seconds since the machine was started. */
  readonly uptime: number
  /** When that was, in whole seconds since the epoch. */
  readonly bootTime: number
  /** KiB */
  readonly memory: number
  readonly users: ReadonlyMap<number, string>
  readonly groups: ReadonlyMap<number, string>
}

/** Numbers of stat are named as proc_pid_stat(5) explains them. */
export interface ProcessFacts {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Device number, 0 without a terminal. */
  readonly terminal: number
  /** The process group that its terminal listens to, or -1. */
  readonly foreground: number
  readonly flags: number
  readonly minorFaults: number
  readonly majorFaults: number
  /** Seconds of a processor. */
  readonly cpu: number
  readonly priority: number
  readonly nice: number
  readonly threads: number
  /** Seconds since it was started. */
  readonly age: number
  /** Seconds from the machine's start to its own. */
  readonly startedAt: number
  /** KiB */
  readonly virtualMemory: number
  readonly residentMemory: number
  readonly pages: number
  /** Some of its memory cannot be paged out. */
  readonly locked: boolean
  readonly processor: number
  readonly realtimePriority: number
  readonly policy: number
  /** Real, effective, saved and of the file system. */
  readonly users: ReadonlyArray<number>
  readonly groups: ReadonlyArray<number>
  /** "" of a thread of the kernel and of a zombie. */
  readonly commandLine: string
  /** What it waits for in the kernel; "" when that is not known. */
  readonly waitsIn: string
}

/** As ps, which shows no more of a command line than that. */
const longestCommandLine = 131_072

/** Ticks of times in /proc/PID/stat: USER_HZ, which is 100 on every architecture of Linux. */
const ticksPerSecond = 100

/** What a program may have put into its own name must not reach a terminal: as ps shows it. */
const printable = (text: string): string =>
  text.replace(/[\0\n]/g, " ").replace(/[\x01-\x1f\x7f-\x9f]/g, "?")

/** proc_pid_stat(5); the name in parentheses may hold anything, so fields are counted from the last one. */
const statFields = (stat: string): ReadonlyArray<string> => {
  const end = stat.lastIndexOf(")")
  return ["", "", stat.slice(stat.indexOf("(") + 1, end), ...stat.slice(end + 2).trim().split(" ")]
}

const statusNumbers = (status: string, name: string): ReadonlyArray<number> =>
  (new RegExp(`^${name}:\\s*([0-9\\t ]+)`, "m").exec(status)?.[1] ?? "").trim().split(/\s+/).map(Number)

/** The facts of a process that was still there when it was looked at. */
export const processFacts = (texts: ProcessTexts, host: HostFacts): ProcessFacts => {
  const fields = statFields(texts.stat)
  // As the manual page counts
  const field = (number: number): number => Number(fields[number] ?? 0)
  const kilobytes = (name: string): number => statusNumbers(texts.status, name)[0] ?? 0
  const startedAt = field(22) / ticksPerSecond
  const waitsIn = texts.rare.wchan ?? ""
  return {
    pid: texts.pid, name: printable(fields[2] ?? ""), state: fields[3] ?? "?",
    parent: field(4), group: field(5), session: field(6), terminal: field(7), foreground: field(8), flags: field(9),
    minorFaults: field(10), majorFaults: field(12), cpu: (field(14) + field(15)) / ticksPerSecond,
    priority: field(18), nice: field(19), threads: field(20), age: Math.max(0, host.uptime - startedAt), startedAt,
    virtualMemory: Math.floor(field(23) / 1024), residentMemory: kilobytes("VmRSS"),
    pages: Number(/^[0-9]+/.exec(texts.rare.statm ?? "")?.[0] ?? 0), locked: kilobytes("VmLck") > 0,
    processor: field(39), realtimePriority: field(40), policy: field(41),
    users: statusNumbers(texts.status, "Uid"), groups: statusNumbers(texts.status, "Gid"),
    commandLine: printable(texts.commandLine.slice(0, longestCommandLine).replace(/\0+$/, "")),
    waitsIn: waitsIn === "0" ? "" : printable(waitsIn)
  }
}

/** Texts that were not read say nothing: then ids have no names. */
export const hostFacts = ({ minutesAhead, now, rare, uptime }: HostTexts): HostFacts => ({
  now, minutesAhead, uptime: Number(uptime.split(" ")[0]),
  bootTime: Number(/^btime ([0-9]+)$/m.exec(rare["/proc/stat"] ?? "")?.[1] ?? 0),
  memory: Number(/^MemTotal:\s+([0-9]+)/m.exec(rare["/proc/meminfo"] ?? "")?.[1] ?? 0),
  users: new Map(parsePasswd(rare["/etc/passwd"] ?? "").toReversed().map(({ name, uid }) => [uid, name])),
  groups: new Map(parseGroup(rare["/etc/group"] ?? "").toReversed().map(({ gid, name }) => [gid, name]))
})
