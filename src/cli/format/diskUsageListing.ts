/** The rows of `system df` (docker/cli, cli/command/formatter/disk_usage.go). */
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Listing } from "../../domain/text/formatRows.ts"

export interface UsageRow {
  readonly type: "Images" | "Containers" | "Local Volumes" | "Build Cache"
  readonly total: number
  readonly active: number
  /** Bytes. */
  readonly size: number
  readonly reclaimable: number
}

const reclaimableText = ({ reclaimable, size }: UsageRow): string =>
  size === 0 ? formatDecimalSize(reclaimable) : `${formatDecimalSize(reclaimable)} (${Math.trunc(reclaimable / size * 100)}%)`

export const diskUsageListing: Listing<UsageRow> = {
  typeName: "*formatter.diskUsageImagesContext",
  columns: [
    { name: "Type", heading: "TYPE", value: ({ type }) => type },
    { name: "TotalCount", heading: "TOTAL", value: ({ total }) => String(total) },
    { name: "Active", heading: "ACTIVE", value: ({ active }) => String(active) },
    { name: "Size", heading: "SIZE", value: ({ size }) => formatDecimalSize(size) },
    { name: "Reclaimable", heading: "RECLAIMABLE", value: reclaimableText }
  ],
  defaultFormat: "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
  quietFormat: "{{.Type}}"
}
