/** The columns of `images` (docker/cli, cli/command/formatter/image.go). */
import { familiarName, type Reference } from "../../domain/image/Reference.ts"
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import type { Listing } from "../../domain/text/formatRows.ts"
import { humanAgo } from "../../domain/text/humanDuration.ts"
import { formatCreatedAt, readTimestamp } from "../../domain/text/Timestamp.ts"
import type { StoredImage } from "../../programs/image/imageRecords.ts"
import { type Circumstances, shortId } from "./containerListing.ts"

const none = "<none>"

/** Go's zero time, which stands for no time: nanoseconds since the epoch. */
export const noTime = -62_135_596_800_000_000_000n

/** What `system df -v` also knows of an image. */
export interface ImageSizes {
  readonly shared: number
  readonly unique: number
  readonly containers: number
}

export interface ImageRow {
  readonly image: StoredImage
  readonly repository: string
  readonly tag: string
  readonly digest: string
  readonly sizes: ImageSizes | undefined
}

const byRepository = (references: ReadonlyArray<Reference>): Map<string, ReadonlyArray<Reference>> =>
  Map.groupBy(references, familiarName)

/** A row for each name, and with digests for each digest of it. An image without any has one row, too. */
export const imageRows = (
  images: ReadonlyArray<StoredImage>, options: { readonly digests: boolean; readonly ownDigests: boolean }
): ReadonlyArray<ImageRow> => images.flatMap((image) => {
  const row = (repository: string, tag: string, digest: string): ImageRow => ({ image, repository, tag, digest, sizes: undefined })
  if (image.tags.length + image.digests.length === 0) return [row(none, none, none)]
  const digests = byRepository(image.digests)
  const tags = byRepository(image.tags)
  const tagged = [...tags].flatMap(([repository, named]) => named.flatMap(({ tag = none }) => {
    const own = options.digests ? digests.get(repository) ?? [] : []
    return own.length === 0 ? [row(repository, tag, none)] : own.map(({ digest = none }) => row(repository, tag, digest))
  }))
  const others = [...digests].filter(([repository]) => !tags.has(repository)).flatMap(([repository, named]) =>
    options.ownDigests
      ? named.map(({ digest = none }) => row(repository, none, digest))
      : [row(repository, none, "")])
  return [...tagged, ...others]
})

const sizeOrNothing = (bytes: number | undefined): string => bytes === undefined ? "N/A" : formatDecimalSize(bytes)

const created = "{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}"

export const imageListing = ({ now, truncate, zone }: Circumstances, withDigests: boolean): Listing<ImageRow> => {
  const createdAt = ({ image }: ImageRow): bigint => readTimestamp(image.record.createdAt) ?? 0n
  return {
    typeName: "*formatter.imageContext",
    columns: [
      { name: "ID", heading: "IMAGE ID", value: ({ image }) => truncate ? shortId(image.id) : image.id },
      { name: "Repository", heading: "REPOSITORY", value: ({ repository }) => repository },
      { name: "Tag", heading: "TAG", value: ({ tag }) => tag },
      { name: "Digest", heading: "DIGEST", value: ({ digest }) => digest },
      {
        name: "CreatedSince", heading: "CREATED",
        value: (row) => createdAt(row) === noTime ? "" : humanAgo(Number((now - createdAt(row)) / 1_000_000n))
      },
      {
        name: "CreatedAt", heading: "CREATED AT",
        value: (row) => {
          const { minutes, name } = zone(Number(createdAt(row) / 1_000_000n))
          return formatCreatedAt(createdAt(row), minutes, name)
        }
      },
      { name: "Size", heading: "SIZE", value: ({ image }) => formatDecimalSize(image.record.size, 3) },
      { name: "Containers", heading: "CONTAINERS", value: ({ sizes }) => sizes === undefined ? "N/A" : String(sizes.containers) },
      { name: "VirtualSize", heading: "SIZE", value: ({ image }) => formatDecimalSize(image.record.size) },
      { name: "SharedSize", heading: "SHARED SIZE", value: ({ sizes }) => sizeOrNothing(sizes?.shared) },
      { name: "UniqueSize", heading: "UNIQUE SIZE", value: ({ sizes }) => sizeOrNothing(sizes?.unique) }
    ],
    defaultFormat: withDigests
      ? `table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t${created}\t{{.Size}}`
      : `table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t${created}\t{{.Size}}`,
    quietFormat: "{{.ID}}"
  }
}
