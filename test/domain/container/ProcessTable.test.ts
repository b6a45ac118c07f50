import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { processColumns } from "../../../src/domain/container/ProcessColumn.ts"
import type { HostTexts, ProcessTexts } from "../../../src/domain/container/ProcessFacts.ts"
import { parseProcessListing } from "../../../src/domain/container/ProcessListing.ts"
import { hostFiles, processTable, rareFiles } from "../../../src/domain/container/ProcessTable.ts"

interface Shown {
  readonly name?: string
  readonly state?: string
  readonly parent?: number
  /** Fields of stat from `tty_nr` to `rss` that matter, by number. */
  readonly stat?: { readonly [field: number]: number }
  readonly uids?: string
  readonly gids?: string
  readonly status?: string
  readonly commandLine?: string
  readonly wchan?: string
}

/** The texts of a process that was started 1000 s after the machine, with 2.5 s of CPU time. */
const process = (pid: number, shown: Shown = {}): ProcessTexts => {
  const fields = Array.from({ length: 53 }, () => 0)
  for (const [number, value] of Object.entries({
    4: shown.parent ?? 1, 5: pid, 6: pid, 8: -1, 9: 0x400100, 14: 200, 15: 50, 18: 20, 20: 1, 22: 100_000, 23: 4_194_304, 39: 3,
    ...shown.stat
  })) fields[Number(number)] = value
  return {
    pid, stat: `${pid} (${shown.name ?? "sleep"}) ${shown.state ?? "S"} ${fields.slice(4).join(" ")}\n`,
    status: `Name:\tx\nUid:\t${shown.uids ?? "0\t0\t0\t0"}\nGid:\t${shown.gids ?? "0\t0\t0\t0"}\nVmRSS:\t    2048 kB\n${shown.status ?? ""}`,
    commandLine: shown.commandLine ?? "sleep\x001000\0", rare: { statm: "1024 512 0 0 0 0 0\n", wchan: shown.wchan ?? "do_wait" }
  }
}

const boot = Date.UTC(2024, 4, 1, 10, 0, 0) / 1000

const host = (more: Partial<HostTexts> = {}): HostTexts => ({
  uptime: "5000.00 0.00\n", now: (boot + 5000) * 1000, minutesAhead: () => 0,
  rare: {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nsystemd-network:x:100:100::/:/bin/false\n",
    "/etc/group": "root:x:0:\nwww-data:x:33:\n", "/proc/meminfo": "MemTotal:       65536 kB\n", "/proc/stat": `cpu 0\nbtime ${boot}\n`
  },
  ...more
})

const table = (options: string, processes: ReadonlyArray<ProcessTexts>, texts = host()) =>
  processTable(Result.getOrThrow(parseProcessListing([options])), processes, texts).processes

/** The cell of a column for one process. */
const cell = (column: string, shown: Shown = {}, texts = host()): string => table(`-o ${column},pid`, [process(7, shown)], texts)[0]![0]!

describe("the table of processes", () => {
  it("is ps -ef's without options, aux's with them", () => {
    expect(table("", [process(7)])).toEqual([["root", "7", "1", "0", "10:16", "?", "00:00:02", "sleep 1000"]])
    expect(table("aux", [process(7)]))
      .toEqual([["root", "7", "0.0", "3.1", "4096", "2048", "?", "Ss", "10:16", "0:02", "sleep 1000"]])
  })

  it("leaves out what ended while it was read", () => {
    expect(table("-o pid", [process(7), { ...process(8), stat: "", status: "" }])).toEqual([["7"]])
  })

  it("shows every column that it knows of a process of which little is told", () => {
    const empty: ProcessTexts = { pid: 7, stat: "7 (x) S", status: "", commandLine: "", rare: {} }
    const texts = host({ uptime: "", rare: {} })
    for (const name of Object.keys(processColumns)) {
      const shown = table(`-o pid,${name}`, [empty], texts)[0]!
      expect([name, shown.length, typeof shown[1]]).toEqual([name, 2, "string"])
    }
  })

  it("reads only what its columns need", () => {
    const needs = (options: string) => {
      const listing = Result.getOrThrow(parseProcessListing([options]))
      return [...rareFiles(listing), ...hostFiles(listing)]
    }
    expect(needs("-o pid,uid,cmd")).toEqual([])
    expect(needs("-o pid,wchan,sz,user")).toEqual(["wchan", "statm", "/etc/passwd"])
    expect(needs("-o pid --sort group")).toEqual(["/etc/group"])
    expect(needs("aux")).toEqual(["/etc/passwd", "/proc/meminfo", "/proc/stat"])
  })
})

describe("cells", () => {
  it.each<[string, Shown, string]>([
    // Who
    ["user", { uids: "0\t100\t0\t0" }, "systemd+"], ["user:20", { uids: "0\t100\t0\t0" }, "systemd-network"],
    ["ruser", { uids: "0\t100\t0\t0" }, "root"], ["uid", { uids: "0\t100\t0\t0" }, "100"], ["suid", { uids: "1\t2\t3\t4" }, "3"],
    ["user", { uids: "65536\t65536\t65536\t65536" }, "65536"], ["group", { gids: "0\t33\t0\t0" }, "www-data"],
    ["rgroup", { gids: "0\t33\t0\t0" }, "root"], ["gid", { gids: "0\t33\t0\t0" }, "33"],
    // What
    ["comm", { name: "a) b (c" }, "a) b (c"], ["comm", { name: "a\x1b[2J\n" }, "a?[2J "],
    ["args", { commandLine: "sh\0-c\0a\nb\x07\0\0" }, "sh -c a b?"], ["args", { commandLine: "", name: "kthreadd" }, "[kthreadd]"],
    ["cmd", { commandLine: "", name: "sh", state: "Z" }, "[sh] <defunct>"], ["ucmd", { name: "sh", state: "Z" }, "sh"],
    ["args", { commandLine: "x".repeat(200_000) }, "x".repeat(131_072)],
    // How
    ["stat", { state: "R", stat: { 19: -5, 6: 9, 5: 9, 8: 9, 20: 4 }, status: "VmLck:\t  12 kB\n" }, "R<Ll+"],
    ["stat", { stat: { 19: 5 } }, "SNs"], ["s", { state: "T" }, "T"], ["f", { stat: { 9: 0x40 } }, "1"], ["f", {}, "4"],
    ["ni", { stat: { 19: -5 } }, "-5"], ["ni", { stat: { 41: 1 } }, "-"], ["pri", {}, "19"], ["opri", {}, "80"], ["priority", {}, "20"],
    ["cls", { stat: { 41: 2 } }, "RR"], ["rtprio", {}, "-"], ["rtprio", { stat: { 40: 50 } }, "50"], ["nlwp", { stat: { 20: 3 } }, "3"],
    ["wchan", {}, "do_wai"], ["wchan:20", {}, "do_wait"], ["wchan", { wchan: "0" }, "-"], ["psr", {}, "3"],
    // Where
    ["tty", { stat: { 7: (136 << 8) + 5 } }, "pts/5"], ["tty", { stat: { 7: (137 << 8) + 1 } }, "pts/257"],
    ["tty", { stat: { 7: (4 << 8) + 1 } }, "tty1"], ["tty", { stat: { 7: (4 << 8) + 64 } }, "ttyS0"],
    ["tty", { stat: { 7: (5 << 8) + 1 } }, "console"], ["tty", { stat: { 7: (204 << 8) + 2 } }, "204:2"],
    // How much
    ["vsz", {}, "4096"], ["sz", {}, "1024"], ["rss", {}, "2048"], ["%mem", {}, "3.1"],
    ["%cpu", { stat: { 14: 40_000, 15: 0 } }, "10.0"], ["%cpu", { stat: { 14: 1_000_000 } }, "250"],
    ["c", { stat: { 14: 40_000, 15: 0 } }, "10"], ["c", { stat: { 14: 1_000_000 } }, "99"],
    ["time", { stat: { 14: 9_000_000, 15: 0 } }, "01-01:00:00"], ["bsdtime", { stat: { 14: 9_000_000, 15: 0 } }, "1500:00"],
    ["times", {}, "2"], ["etime", {}, "01:06:40"], ["etime", { stat: { 22: 495_000 } }, "00:50"], ["etimes", {}, "4000"]
  ])("%s of %j is %s", (column, shown, expected) => expect(cell(column, shown)).toBe(expected))

  it("tell the start by the user's clock: its time, its day, its year", () => {
    const columns = ["stime", "start_time", "start", "bsdstart", "lstart"]
    const after = (seconds: number, minutes = 0) =>
      columns.map((column) => cell(column, {}, host({ now: (boot + seconds) * 1000, minutesAhead: () => minutes })))
    expect(after(5000)).toEqual(["10:16", "10:16", "10:16:40", "10:16", "Wed May  1 10:16:40 2024"])
    expect(after(5000, 120)).toEqual(["12:16", "12:16", "12:16:40", "12:16", "Wed May  1 12:16:40 2024"])
    expect(after(14 * 3600)).toEqual(["May01", "May01", "10:16:40", "10:16", "Wed May  1 10:16:40 2024"])
    expect(after(30 * 86_400)).toEqual(["May01", "May01", "May 01", "May 01", "Wed May  1 10:16:40 2024"])
    expect(after(365 * 86_400)).toEqual(["2024", "2024", "May 01", "May 01", "Wed May  1 10:16:40 2024"])
  })
})

describe("rows", () => {
  const family = [
    process(10, { commandLine: "init" }), process(11, { parent: 10, commandLine: "a" }), process(12, { parent: 10, commandLine: "b" }),
    process(13, { parent: 11, commandLine: "c" }), process(14, { parent: 99, commandLine: "entered" })
  ]

  it("come by pid, or as --sort has it", () => {
    const busy = [process(3, { stat: { 14: 5 } }), process(2, { stat: { 14: 500 } }), process(9, { stat: { 14: 500 } })]
    const pids = (options: string) => table(`-o pid ${options}`, busy).map(([pid]) => pid)
    expect(pids("")).toEqual(["2", "3", "9"])
    expect(pids("--sort=-time,-pid")).toEqual(["9", "2", "3"])
    expect(pids("--sort time")).toEqual(["3", "2", "9"])
  })

  it("grow into a forest", () => {
    expect(table("-o pid,cmd --forest", family)).toEqual([
      ["10", "init"], ["11", " \\_ a"], ["13", " |   \\_ c"], ["12", " \\_ b"], ["14", "entered"]
    ])
    expect(table("-eo pid,cmd -H", family).map(([, cmd]) => cmd)).toEqual(["init", "  a", "    c", "  b", "entered"])
  })

  it("grow deep without harm", () => {
    const chain = Array.from({ length: 3000 }, (_, index) => process(index + 2, { parent: index + 1 }))
    expect(table("-o pid --forest", chain)).toHaveLength(3000)
  })
})
