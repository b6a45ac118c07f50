/** The columns of `ps` (docker/cli, cli/command/formatter/container.go). */
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { commandLine } from "../../domain/container/compile.ts"
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Column, Listing } from "../../domain/text/formatRows.ts"
import { GoMethod } from "../../domain/text/goTemplate/GoValue.ts"
import { quoteGo } from "../../domain/text/goQuote.ts"
import { humanAgo, humanDuration } from "../../domain/text/humanDuration.ts"
import { formatCreatedAt, readTimestamp } from "../../domain/text/Timestamp.ts"
import type { Summary } from "../../programs/Engine.ts"
import { ellipsis } from "./ellipsis.ts"

export interface ContainerRow extends Summary {
  /** Bytes; undefined when nobody asked. */
  readonly size: { readonly rw: number; readonly rootFs: number } | undefined
}

export interface Circumstances {
  /** Nanoseconds since the epoch. */
  readonly now: bigint
  readonly zone: (time: number) => { readonly minutes: number; readonly name: string }
  /** Long texts are cut. */
  readonly truncate: boolean
}

const shortIdLength = 12

/** Without `sha256:`, twelve digits. */
export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, shortIdLength)

const millisecondsSince = (time: string | undefined, now: bigint): number =>
  Number((now - (readTimestamp(time ?? "") ?? 0n)) / 1_000_000n)

/** `Up 2 hours`, `Exited (3) 5 seconds ago` (moby, container/state.go). */
export const statusText = ({ record, state }: Summary, now: bigint): string => {
  const code = state.exit?.code ?? 0
  const up = () => `Up ${humanDuration(millisecondsSince(state.startedAt, now))}`
  switch (state.name) {
    case "running": return up()
    case "paused": return `${up()} (Paused)`
    case "restarting": return `Restarting (${code}) ${humanAgo(millisecondsSince(state.finishedAt, now))}`
    case "removing": return "Removal In Progress"
    case "dead": return "Dead"
    case "created": return "Created"
    case "exited":
      return `Exited (${code}) ${humanAgo(millisecondsSince(state.finishedAt ?? record.finishedAt, now))}`
  }
}

const commandText = (record: ContainerRecord): string =>
  commandLine(record.config, record.image)
    .map((word, index) => index > 0 && word.includes(" ") ? `'${word}'` : word).join(" ")

const imageText = (record: ContainerRecord, truncate: boolean): string => {
  const { image } = record.config
  if (image === "") return "<no image>"
  return truncate && record.imageId !== "" && shortId(record.imageId) === shortId(image) ? shortId(image) : image
}

const mountsText = (record: ContainerRecord, truncate: boolean): string =>
  record.config.mounts.flatMap((mount) => mount._tag === "Bind" ? [mount.source] : [])
    .map((source) => truncate ? ellipsis(source, 15) : source).join(",")

/** `12.3kB (virtual 1.23MB)` */
const sizeText = (size: ContainerRow["size"]): string => {
  const { rootFs, rw } = size ?? { rw: 0, rootFs: 0 }
  return rootFs > 0 ? `${formatDecimalSize(rw, 3)} (virtual ${formatDecimalSize(rootFs, 3)})` : formatDecimalSize(rw, 3)
}

const columns = ({ now, truncate, zone }: Circumstances): ReadonlyArray<Column<ContainerRow>> => [
  { name: "ID", heading: "CONTAINER ID", value: ({ record }) => truncate ? shortId(record.id) : record.id },
  { name: "Names", heading: "NAMES", value: ({ record }) => record.name },
  { name: "Image", heading: "IMAGE", value: ({ record }) => imageText(record, truncate) },
  {
    name: "Command", heading: "COMMAND",
    value: ({ record }) => quoteGo(truncate ? ellipsis(commandText(record), 20) : commandText(record))
  },
  {
    name: "CreatedAt", heading: "CREATED AT",
    value: ({ record }) => {
      const created = readTimestamp(record.createdAt) ?? 0n
      const { minutes, name } = zone(Number(created / 1_000_000n))
      return formatCreatedAt(created, minutes, name)
    }
  },
  { name: "RunningFor", heading: "CREATED", value: ({ record }) => humanAgo(millisecondsSince(record.createdAt, now)) },
  { name: "Ports", heading: "PORTS", value: () => "" },
  { name: "State", heading: "STATE", value: ({ state }) => state.name },
  { name: "Status", heading: "STATUS", value: (row) => statusText(row, now) },
  { name: "Size", heading: "SIZE", value: ({ size }) => sizeText(size) },
  {
    name: "Labels", heading: "LABELS",
    value: ({ record }) =>
      Object.entries(record.config.labels).map(([key, value]) => `${key}=${value}`).sort().join(",")
  },
  {
    name: "Label", heading: undefined,
    value: ({ record }) => new GoMethod(["string"], (key = "") => record.config.labels[key] ?? "")
  },
  { name: "Mounts", heading: "MOUNTS", value: ({ record }) => mountsText(record, truncate) },
  { name: "LocalVolumes", heading: "LOCAL VOLUMES", value: () => "0" },
  { name: "Networks", heading: "NETWORKS", value: ({ record }) => record.config.networkMode },
  { name: "Platform", heading: "PLATFORM", value: () => null }
]

export const containerListing = (circumstances: Circumstances, withSize: boolean): Listing<ContainerRow> => ({
  typeName: "*formatter.ContainerContext",
  columns: columns(circumstances),
  defaultFormat: "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}" +
    (withSize ? "\t{{.Size}}" : ""),
  quietFormat: "{{.ID}}"
})
