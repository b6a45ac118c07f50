/** The columns of `history` (docker/cli, cli/command/image/formatter_history.go). */
import type { HistoryRow } from "../../domain/image/imageHistory.ts"
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Listing } from "../../domain/text/formatRows.ts"
import { humanAgo } from "../../domain/text/humanDuration.ts"
import { formatTimestamp, readTimestamp } from "../../domain/text/Timestamp.ts"
import { type Circumstances, shortId } from "./containerListing.ts"
import { ellipsis } from "./ellipsis.ts"
import { noTime } from "./imageListing.ts"

const second = 1_000_000_000n

/** Whole seconds, rounded down. */
const secondsOf = (time: bigint): bigint => time - ((time % second) + second) % second

export const historyListing = ({ now, truncate, zone }: Circumstances, human: boolean): Listing<HistoryRow> => {
  const createdAt = ({ created }: HistoryRow): bigint => secondsOf(readTimestamp(created) ?? noTime)
  const printed = (row: HistoryRow) =>
    formatTimestamp(createdAt(row), zone(Number(createdAt(row) / 1_000_000n)).minutes)
  return {
    typeName: "*image.historyContext",
    columns: [
      { name: "ID", heading: "IMAGE", value: ({ id }) => truncate && id.startsWith("sha") ? shortId(id) : id },
      { name: "CreatedAt", heading: "CREATED AT", value: printed },
      {
        name: "CreatedSince", heading: "CREATED",
        value: (row) => {
          if (!human) return printed(row)
          return createdAt(row) <= 0n ? "N/A" : humanAgo(Number((now - createdAt(row)) / 1_000_000n))
        }
      },
      {
        name: "CreatedBy", heading: "CREATED BY",
        value: ({ createdBy }) => {
          const text = createdBy.replaceAll("\t", " ")
          return truncate ? ellipsis(text, 45) : text
        }
      },
      { name: "Size", heading: "SIZE", value: ({ size }) => human ? formatDecimalSize(size, 3) : String(size) },
      { name: "Comment", heading: "COMMENT", value: ({ comment }) => comment }
    ],
    defaultFormat: `table {{.ID}}\t{{.${human ? "CreatedSince" : "CreatedAt"}}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
    quietFormat: "{{.ID}}"
  }
}
