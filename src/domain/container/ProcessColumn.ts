/** The columns that `top` can show: names, titles and texts as ps has them (ps(1), standard format specifiers). */
import type { HostFacts, HostFile, ProcessFacts, RareFile } from "./ProcessFacts.ts"
import * as Times from "./processTimes.ts"

export interface ProcessColumn {
  readonly title: string
  /** `width`: columns on the screen; where `width` is given below it is kept to, unless another is asked for. */
  readonly show: (process: ProcessFacts, host: HostFacts, width: number) => string
  /** What rows are sorted by. */
  readonly order: (process: ProcessFacts, host: HostFacts) => number | string
  /** What must be read for it besides stat, status and cmdline. */
  readonly file?: RareFile
  readonly hostFile?: HostFile
  readonly width?: number
  /** Rows of a forest are indented here. */
  readonly indented?: true
}

const number = (title: string, value: (process: ProcessFacts) => number): ProcessColumn => ({
  title, show: (process) => String(value(process)), order: value
})

const text = (title: string, show: (process: ProcessFacts) => string): ProcessColumn => ({ title, show, order: show })

const time = (title: string, show: (start: Times.Start) => string): ProcessColumn => ({
  title, hostFile: "/proc/stat",
  show: ({ startedAt }, { bootTime, minutesAhead, now }) => {
    const local = (instant: number) => new Date(instant + minutesAhead(instant) * 60_000)
    return show({ at: local((bootTime + Math.floor(startedAt)) * 1000), now: local(now) })
  },
  order: ({ startedAt }) => startedAt
})

/** A name that is too long for its column ends with `+`. */
const cut = (name: string, width: number): string => name.length <= width ? name : `${name.slice(0, width - 1)}+`

/** As ps makes them. */
const nameWidth = 8
const waitWidth = 6

/** `index`: real, effective or saved. An id that the host has no name for is shown itself. */
const named = (title: string, of: "users" | "groups", index: number): ProcessColumn => ({
  title, width: nameWidth, hostFile: of === "users" ? "/etc/passwd" : "/etc/group",
  show: (process, host, width) => {
    const id = process[of][index] ?? 0
    const name = host[of].get(id)
    return name === undefined ? String(id) : cut(name, width)
  },
  order: (process, host) => {
    const id = process[of][index] ?? 0
    return host[of].get(id) ?? String(id)
  }
})

const real = 0
const effective = 1
const saved = 2

/** `tty_nr` is major and minor in one (proc_pid_stat(5)). */
const terminal = (device: number): string => {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  // Documentation/admin-guide/devices.txt: 136 to 143 are pseudo-terminals, 4 consoles and then serial lines
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
  if (major === 5 && minor === 1) return "console"
  return device === 0 ? "?" : `${major}:${minor}`
}

/** Thousandths of a processor since its start. */
const load = ({ age, cpu }: ProcessFacts): number => age === 0 ? 0 : Math.floor(cpu * 1000 / age)

const tenths = (thousandths: number): string => (thousandths / 10).toFixed(1)

const percentCpu: ProcessColumn = {
  title: "%CPU", order: load,
  // No decimals where they would not fit
  show: (process) => load(process) > 999 ? String(Math.floor(load(process) / 10)) : tenths(load(process))
}

const share = ({ residentMemory }: ProcessFacts, { memory }: HostFacts): number =>
  memory === 0 ? 0 : Math.min(999, Math.floor(residentMemory * 1000 / memory))

const percentMemory: ProcessColumn = {
  title: "%MEM", order: share, show: (process, host) => tenths(share(process, host)), hostFile: "/proc/meminfo"
}

/** ps(1), process state codes. */
const status = (process: ProcessFacts): string => [
  process.state,
  process.nice < 0 ? "<" : process.nice > 0 ? "N" : "",
  process.locked ? "L" : "",
  process.session === process.pid ? "s" : "",
  process.threads > 1 ? "l" : "",
  process.foreground === process.group ? "+" : ""
].join("")

const commandName = ({ name }: ProcessFacts): string => name

const commandLine = ({ commandLine, name, state }: ProcessFacts): string =>
  commandLine === "" ? `[${name}]${state === "Z" ? " <defunct>" : ""}` : commandLine

const command = (title: string, show: (process: ProcessFacts) => string): ProcessColumn =>
  ({ ...text(title, show), indented: true })

/** sched(7): names of scheduling policies by number; 4 is not used. */
const policies = ["TS", "FF", "RR", "B", "?", "IDL", "DLN", "EXT"]

const cpuTime: ProcessColumn = { title: "TIME", order: ({ cpu }) => cpu, show: ({ cpu }) => Times.cpuTime(cpu) }
const forks = 0x40 // PF_FORKNOEXEC, linux/sched.h
/** ps(1), process flags: bit 1 forked but did not exec, 4 used super-user privileges. */
const flags = text("F", (process) => ((process.flags / forks) & 7).toString(8))
const scheduling = text("CLS", ({ policy }) => policies[policy] ?? "?")
const user = named("USER", "users", effective)
const group = named("GROUP", "groups", effective)
const groupId = (title: string) => number(title, (process) => process.group)
const session = (title: string) => number(title, (process) => process.session)
const resident = (title: string) => number(title, ({ residentMemory }) => residentMemory)
const virtual = number("VSZ", ({ virtualMemory }) => virtualMemory)
const tty = (title: string) => text(title, (process) => terminal(process.terminal))
/** Only the usual policies, 0 and 3, heed it (sched(7)). */
const niceness: ProcessColumn = {
  title: "NI", order: ({ nice }) => nice,
  show: ({ nice, policy }) => policy === 0 || policy === 3 ? String(nice) : "-"
}
const load99 = number("C", (process) => Math.min(99, Math.floor(load(process) / 10)))
const oldPriority = number("PRI", ({ priority }) => priority + 60)
const ids = (title: string, of: "users" | "groups", index: number) =>
  number(title, (process) => process[of][index] ?? 0)

/** Columns by the names that -o and --sort take. */
export const processColumns = {
  "%cpu": percentCpu, pcpu: percentCpu, c: load99, util: load99,
  "%mem": percentMemory, pmem: percentMemory,
  addr: text("ADDR", () => "-"),
  args: command("COMMAND", commandLine), command: command("COMMAND", commandLine), cmd: command("CMD", commandLine),
  comm: command("COMMAND", commandName), ucomm: command("COMMAND", commandName), ucmd: command("CMD", commandName),
  fname: text("COMMAND", ({ name }) => name.slice(0, 8)),
  bsdstart: time("START", Times.startMinutes), start: time("STARTED", Times.startSeconds),
  start_time: time("START", Times.startTime), stime: time("STIME", Times.startTime),
  lstart: time("STARTED", Times.startInFull),
  bsdtime: { ...cpuTime, show: ({ cpu }) => Times.shortCpuTime(cpu) }, cputime: cpuTime, time: cpuTime,
  cputimes: number("TIME", ({ cpu }) => Math.floor(cpu)), times: number("TIME", ({ cpu }) => Math.floor(cpu)),
  etime: { title: "ELAPSED", order: ({ age }) => age, show: ({ age }) => Times.elapsedTime(age) },
  etimes: number("ELAPSED", ({ age }) => Math.floor(age)),
  class: scheduling, cls: scheduling, policy: { ...scheduling, title: "POL" },
  egid: ids("EGID", "groups", effective), gid: ids("GID", "groups", effective),
  rgid: ids("RGID", "groups", real), sgid: ids("SGID", "groups", saved),
  egroup: { ...group, title: "EGROUP" }, group,
  rgroup: named("RGROUP", "groups", real), sgroup: named("SGROUP", "groups", saved),
  euid: ids("EUID", "users", effective), uid: ids("UID", "users", effective),
  ruid: ids("RUID", "users", real), suid: ids("SUID", "users", saved),
  euser: { ...user, title: "EUSER" }, user, uname: user,
  ruser: named("RUSER", "users", real), suser: named("SUSER", "users", saved),
  f: flags, flag: flags, flags,
  maj_flt: number("MAJFL", ({ majorFaults }) => majorFaults),
  majflt: number("MAJFLT", ({ majorFaults }) => majorFaults),
  min_flt: number("MINFL", ({ minorFaults }) => minorFaults),
  minflt: number("MINFLT", ({ minorFaults }) => minorFaults),
  ni: niceness, nice: niceness,
  nlwp: number("NLWP", ({ threads }) => threads), thcount: number("THCNT", ({ threads }) => threads),
  opri: oldPriority, intpri: oldPriority, pri: number("PRI", ({ priority }) => 39 - priority),
  priority: number("PRI", ({ priority }) => priority),
  pgid: groupId("PGID"), pgrp: groupId("PGRP"),
  pid: number("PID", ({ pid }) => pid), tgid: number("TGID", ({ pid }) => pid),
  ppid: number("PPID", ({ parent }) => parent),
  psr: number("PSR", ({ processor }) => processor),
  rss: resident("RSS"), rssize: resident("RSS"), rsz: resident("RSZ"),
  rtprio: text("RTPRIO", ({ realtimePriority }) => realtimePriority === 0 ? "-" : String(realtimePriority)),
  s: text("S", ({ state }) => state), state: text("S", ({ state }) => state), stat: text("STAT", status),
  sess: session("SESS"), session: session("SESS"), sid: session("SID"),
  sz: { ...number("SZ", ({ pages }) => pages), file: "statm" },
  tname: tty("TTY"), tt: tty("TT"), tty: tty("TT"), tpgid: number("TPGID", ({ foreground }) => foreground),
  vsize: virtual, vsz: virtual,
  wchan: {
    title: "WCHAN", order: ({ waitsIn }) => waitsIn, file: "wchan", width: waitWidth,
    show: ({ waitsIn }, _, width) => waitsIn === "" ? "-" : waitsIn.slice(0, width)
  }
} as const satisfies { readonly [name: string]: ProcessColumn }

export type ColumnName = keyof typeof processColumns

/** The column of a name that a user wrote. */
export const findColumn = (name: string): ProcessColumn | undefined =>
  Object.hasOwn(processColumns, name) ? processColumns[name as ColumnName] : undefined

/** Who it belongs to, as -f titles it. */
export const sysvUser: ProcessColumn = { ...user, title: "UID" }
