/** Columns of the layouts of ps that have a letter, such as -f and u (ps(1), output format control). */
import { type ColumnName, type ProcessColumn, processColumns, sysvUser } from "./ProcessColumn.ts"

type Names = ReadonlyArray<ColumnName | ProcessColumn>

/** The layouts of options without a dash. */
export const bsdLayouts: { readonly [letter: string]: Names } = {
  u: ["user", "pid", "%cpu", "%mem", "vsz", "rss", "tname", "stat", "start_time", "bsdtime", "args"],
  l: ["f", "uid", "pid", "ppid", "priority", "ni", "vsz", "rss", "wchan", "stat", "tname", "bsdtime", "args"],
  j: ["ppid", "pid", "pgid", "sid", "tname", "tpgid", "stat", "uid", "bsdtime", "args"]
}

/**
 * The layout of any mixture of -f, -F, -l, -j and -y; none of them is the plain one. `bsd`: other options were of
 * BSD's manner, as in `ps -f x`.
 */
export const sysvLayout = (letters: ReadonlySet<string>, bsd: boolean): Names => {
  const extra = letters.has("F")
  const full = extra || letters.has("f")
  const long = letters.has("l")
  const terse = letters.has("y")
  const some = (holds: boolean, ...names: Names): Names => holds ? names : []
  return [
    ...some(long && !terse, "f"), ...some(long, "s"),
    ...some(full, sysvUser), ...some(long && !full, "uid"),
    "pid", ...some(full || long, "ppid"), ...some(letters.has("j"), "pgid", "sid"), ...some(full || long, "c"),
    ...some(long, "opri", "ni", terse ? "rss" : "addr", "sz", "wchan"),
    ...some(extra && !long, "sz"), ...some(extra && !terse, "rss"), ...some(extra, "psr"),
    ...some(full, "stime"), "tname", ...some(bsd && !long, "stat"), bsd ? "bsdtime" : "time",
    bsd ? full || long ? "cmd" : "args" : full ? "cmd" : "ucmd"
  ]
}

/** `c`: columns of command lines and what is shown there instead. */
export const otherNames: ReadonlyMap<ProcessColumn, ProcessColumn> = new Map<ProcessColumn, ProcessColumn>([
  [processColumns.args, processColumns.ucomm], [processColumns.command, processColumns.ucomm],
  [processColumns.cmd, processColumns.ucmd]
])
