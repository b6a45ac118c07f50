/** `top`: the processes of a container as ps would list them, from the texts of /proc. */
import type { ListedColumn, ProcessListing, SortKey } from "./ProcessListing.ts"
import {
  type HostFacts, hostFacts, type HostFile, type HostTexts, type ProcessFacts, processFacts, type ProcessTexts,
  type RareFile
} from "./ProcessFacts.ts"

export interface ProcessTable {
  readonly titles: ReadonlyArray<string>
  readonly processes: ReadonlyArray<ReadonlyArray<string>>
}

const sorting = ({ columns, sort }: ProcessListing) => [...columns, ...sort].map(({ column }) => column)

/** What must be read of each process besides stat, status and cmdline. */
export const rareFiles = (listing: ProcessListing): ReadonlyArray<RareFile> =>
  [...new Set(sorting(listing).flatMap(({ file }) => file ?? []))]

/** What must be read of the host besides /proc/uptime. */
export const hostFiles = (listing: ProcessListing): ReadonlyArray<HostFile> =>
  [...new Set(sorting(listing).flatMap(({ hostFile }) => hostFile ?? []))]

const sorted = (
  processes: ReadonlyArray<ProcessFacts>, keys: ReadonlyArray<SortKey>, host: HostFacts
): ReadonlyArray<ProcessFacts> =>
  processes.toSorted((one, other) => {
    for (const { column, descending } of keys) {
      const [a, b] = [column.order(one, host), column.order(other, host)]
      if (a !== b) return (a < b ? -1 : 1) * (descending ? -1 : 1)
    }
    return one.pid - other.pid
  })

interface Row {
  readonly process: ProcessFacts
  readonly indent: string
}

/** Deeper rows are indented no further. */
const deepestIndent = 400

/** Children after their parents. Who has no parent here is a root. */
const grown = (processes: ReadonlyArray<ProcessFacts>, drawn: boolean): ReadonlyArray<Row> => {
  const known = new Set(processes.map(({ pid }) => pid))
  const isRoot = ({ parent, pid }: ProcessFacts) => !known.has(parent) || parent === pid
  const children = Map.groupBy(processes.filter((one) => !isRoot(one)), ({ parent }) => parent)
  const rows: Array<Row> = []
  // Deep trees are the container's to make: no recursion
  const waiting: Array<Row & { readonly below: string }> =
    processes.filter(isRoot).toReversed().map((process) => ({ process, indent: "", below: "" }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { below, process } = next
    rows.push(next)
    const young = children.get(process.pid) ?? []
    waiting.push(...young.map((process, index) => {
      const [step, under] = drawn ? [" \\_ ", index < young.length - 1 ? " |  " : "    "] : ["  ", "  "]
      return { process, indent: `${below}${step}`, below: `${below}${under}`.slice(0, deepestIndent) }
    }).toReversed())
  }
  return rows
}

const cellOf = (
  { column, width }: ListedColumn, isLast: boolean, { indent, process }: Row, host: HostFacts
): string => {
  const shown = column.show(process, host, isLast ? Number.POSITIVE_INFINITY : width)
  return column.indented ? `${indent}${shown}` : shown
}

/** Processes that went while we looked are left out. */
export const processTable = (
  listing: ProcessListing, texts: ReadonlyArray<ProcessTexts>, hostTexts: HostTexts
): ProcessTable => {
  const { columns, forest, sort } = listing
  const host = hostFacts(hostTexts)
  const processes = sorted(texts.filter(({ stat }) => stat !== "").map((one) => processFacts(one, host)), sort, host)
  const rows = forest === "none"
    ? processes.map((process) => ({ process, indent: "" }))
    : grown(processes, forest === "drawn")
  const last = columns.length - 1
  return {
    titles: columns.map(({ title }) => title),
    processes: rows.map((row) => columns.map((column, index) => cellOf(column, index === last, row, host)))
  }
}
