/** The resource limits of a process, and /proc/PID/limits. */
import type { RlimitName } from "../../../domain/kernel/InitOp.ts"
import type { Process } from "../processes/Process.ts"
import type { Limit } from "../World.ts"

/** Rows of /proc/PID/limits: title, unit, and what a process has when nobody set it. */
const limitRows: ReadonlyArray<
  readonly [RlimitName, string, string, number | "unlimited", number | "unlimited"]
> = [
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

export const limits = (process: Process): string => {
  const row = (title: string, soft: unknown, hard: unknown, unit: string) =>
    [title.padEnd(25), String(soft).padEnd(20), String(hard).padEnd(20), unit.padEnd(9), "\n"].join(
      " "
    )
  const rows = limitRows.map(([name, title, unit]) => {
    const { soft, hard } = limitOf(process, name)
    return row(title, soft, hard, unit)
  })
  return row("Limit", "Soft Limit", "Hard Limit", "Units") + rows.join("")
}
