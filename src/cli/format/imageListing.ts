/** The columns of `images` (docker/cli, cli/command/formatter/image.go). */
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Listing } from "../../domain/text/formatRows.ts"
import { humanAgo } from "../../domain/text/humanDuration.ts"
import { formatCreatedAt, readTimestamp } from "../../domain/text/Timestamp.ts"
import { type Circumstances, shortId } from "./containerListing.ts"

const none = "<none>"

/** `name:tag` in two; the tag follows the last colon. */
export const splitReference = (reference: string): readonly [repository: string, tag: string] => {
  const colon = reference.lastIndexOf(":")
  return reference === "" ? [none, none] : [reference.slice(0, colon), reference.slice(colon + 1)]
}

export const imageListing = (
  { now, truncate, zone }: Circumstances, withDigests: boolean
): Listing<ImageRecord> => {
  const created = (image: ImageRecord): bigint => readTimestamp(image.createdAt) ?? 0n
  return {
    typeName: "*formatter.imageContext",
    columns: [
      { name: "ID", heading: "IMAGE ID", value: ({ id }) => truncate ? shortId(id) : id },
      { name: "Repository", heading: "REPOSITORY", value: ({ reference }) => splitReference(reference)[0] },
      { name: "Tag", heading: "TAG", value: ({ reference }) => splitReference(reference)[1] },
      { name: "Digest", heading: "DIGEST", value: () => none },
      {
        name: "CreatedSince", heading: "CREATED",
        value: (image) => humanAgo(Number((now - created(image)) / 1_000_000n))
      },
      {
        name: "CreatedAt", heading: "CREATED AT",
        value: (image) => {
          const { minutes, name } = zone(Number(created(image) / 1_000_000n))
          return formatCreatedAt(created(image), minutes, name)
        }
      },
      { name: "Size", heading: "SIZE", value: ({ size }) => formatDecimalSize(size, 3) },
      { name: "Containers", heading: "CONTAINERS", value: () => "N/A" },
      { name: "VirtualSize", heading: "SIZE", value: ({ size }) => formatDecimalSize(size) },
      { name: "SharedSize", heading: "SHARED SIZE", value: () => "N/A" },
      { name: "UniqueSize", heading: "UNIQUE SIZE", value: () => "N/A" }
    ],
    defaultFormat: withDigests
      ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
      : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
    quietFormat: "{{.ID}}"
  }
}
