/** What was pruned, in docker's words. */
import { familiarReference } from "../../../domain/image/Reference.ts"
import { formatDecimalSize } from "../../../domain/text/ByteSize.ts"
import type { StoredImage } from "../../../programs/image/imageRecords.ts"

const imageLines = ({ digests, id, tags }: StoredImage): ReadonlyArray<string> =>
  [...[...tags, ...digests].map((name) => `untagged: ${familiarReference(name)}`), `deleted: ${id}`]

export const prunedText = (
  containers: ReadonlyArray<string>, images: ReadonlyArray<StoredImage>, bytes: number
): string => {
  const part = (title: string, lines: ReadonlyArray<string>) => lines.length === 0 ? "" : `${[title, ...lines].join("\n")}\n\n`
  return part("Deleted Containers:", containers) + part("Deleted Images:", images.flatMap(imageLines)) +
    `Total reclaimed space: ${formatDecimalSize(bytes)}\n`
}
