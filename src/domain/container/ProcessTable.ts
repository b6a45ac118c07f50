/** `top`: the processes of a container as `ps -ef` shows them, from the texts of /proc. */

export interface ProcessTable {
  readonly titles: ReadonlyArray<string>
  readonly processes: ReadonlyArray<ReadonlyArray<string>>
}

export interface ProcessTexts {
  readonly pid: number
  /** /proc/PID/stat, status and cmdline (arguments end with NUL) */
  readonly stat: string
  readonly status: string
  readonly commandLine: string
}

/** Ticks of times in /proc/PID/stat: USER_HZ, which is 100 on every architecture of Linux. */
const ticksPerSecond = 100

/** proc_pid_stat(5); the name in parentheses may hold anything, so fields are counted from the last one. */
const statFields = (stat: string): ReadonlyArray<string> => {
  const end = stat.lastIndexOf(")")
  return ["", stat.slice(stat.indexOf("(") + 1, end), ...stat.slice(end + 2).trim().split(" ")]
}

const two = (value: number): string => String(value).padStart(2, "0")

const clock = (seconds: number): string =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.floor(seconds) % 60)}`

/** tty_nr is major and minor in one (proc_pid_stat(5)); 136 to 143 are pseudo-terminals. */
const terminal = (number: number): string => {
  const major = (number >> 8) & 0xfff
  const minor = (number & 0xff) | ((number >> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`
  return number === 0 ? "?" : `${major}:${minor}`
}

const startText = (startedAt: Date, now: Date): string =>
  now.getTime() - startedAt.getTime() < 86_400_000
    ? `${two(startedAt.getUTCHours())}:${two(startedAt.getUTCMinutes())}`
    : startedAt.toUTCString().slice(5, 11)

/** `bootTime` and `now` in milliseconds since the epoch. Processes that went while we looked are left out. */
export const processTable = (
  processes: ReadonlyArray<ProcessTexts>, times: { readonly bootTime: number; readonly now: number }
): ProcessTable => ({
  titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
  processes: processes.filter(({ stat }) => stat !== "").map(({ commandLine, pid, stat, status }) => {
    // Indices are field numbers of the manual page less one
    const fields = statFields(stat)
    const cpu = (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
    const startedAt = times.bootTime + Number(fields[21]) * 1000 / ticksPerSecond
    const age = Math.max(1, (times.now - startedAt) / 1000)
    return [
      /^Uid:\s+([0-9]+)/m.exec(status)?.[1] ?? "?", String(pid), fields[3] ?? "?",
      String(Math.floor(100 * cpu / age)), startText(new Date(startedAt), new Date(times.now)),
      terminal(Number(fields[6])), clock(cpu),
      commandLine === "" ? `[${fields[1]}]` : commandLine.replace(/\0+$/, "").replaceAll("\0", " ")
    ]
  })
})
