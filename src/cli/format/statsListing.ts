/** The columns of `stats` (docker/cli, cli/command/container/formatter_stats.go). */
import type { Display } from "../../domain/cgroup/StatsDisplay.ts"
import { formatBinarySize, formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Listing } from "../../domain/text/formatRows.ts"
import type { StatsSample } from "../../programs/Engine.ts"
import { shortId } from "./containerListing.ts"

/** Of a container that does not run. */
const idle: Display = {
  cpuPercent: 0, memoryUsage: 0, memoryLimit: 0, memoryPercent: 0, blockRead: 0, blockWrite: 0, pids: 0
}

export interface StatsRow extends StatsSample {
  /** As the user named the container, or its id. */
  readonly reference: string
}

const percent = (value: number): string => `${value.toFixed(2)}%`
const pair = (one: number, other: number, format: (bytes: number) => string): string =>
  `${format(one)} / ${format(other)}`
const decimal = (bytes: number): string => formatDecimalSize(bytes, 3)

/** Containers have no network of their own that counts yet. */
const noTraffic = "0B / 0B"

export const statsListing = (truncate: boolean): Listing<StatsRow> => {
  const of = (row: StatsRow): Display => row.display ?? idle
  return {
    typeName: "*container.statsContext",
    columns: [
      { name: "Container", heading: "CONTAINER", value: ({ reference }) => reference },
      { name: "Name", heading: "NAME", value: ({ record }) => record.name },
      { name: "ID", heading: "CONTAINER ID", value: ({ record }) => truncate ? shortId(record.id) : record.id },
      { name: "CPUPerc", heading: "CPU %", value: (row) => percent(of(row).cpuPercent) },
      {
        name: "MemUsage", heading: "MEM USAGE / LIMIT",
        value: (row) => pair(of(row).memoryUsage, of(row).memoryLimit, formatBinarySize)
      },
      { name: "MemPerc", heading: "MEM %", value: (row) => percent(of(row).memoryPercent) },
      { name: "NetIO", heading: "NET I/O", value: () => noTraffic },
      { name: "BlockIO", heading: "BLOCK I/O", value: (row) => pair(of(row).blockRead, of(row).blockWrite, decimal) },
      { name: "PIDs", heading: "PIDS", value: (row) => String(of(row).pids) }
    ],
    defaultFormat:
      "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
    quietFormat: "{{.ID}}"
  }
}
