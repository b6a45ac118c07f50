/** Images as the tree of their layers: what several of them share is there once, with what it takes. */
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import { alignTable } from "../../domain/text/Table.ts"
import { shortId } from "./containerListing.ts"

export interface LayeredImage {
  /** As people call it. */
  readonly title: string
  /** Bottom first. */
  readonly layers: ReadonlyArray<{ readonly chainId: string; readonly diffId: string; readonly size: number }>
}

interface Node {
  readonly diffId: string
  readonly size: number
  readonly images: Array<string>
  readonly above: Map<string, Node>
}

const emptyNode = (diffId: string, size: number): Node => ({ diffId, size, images: [], above: new Map() })

const grow = (images: ReadonlyArray<LayeredImage>): Node => {
  const root = emptyNode("", 0)
  for (const { layers, title } of images) {
    let node = root
    for (const { chainId, diffId, size } of layers) {
      const next = node.above.get(chainId) ?? emptyNode(diffId, size)
      node.above.set(chainId, next)
      node = next
    }
    node.images.push(title)
  }
  return root
}

const linesOf = ({ diffId, images, size }: Node, truncate: boolean, prefix: string): string =>
  `${prefix}${truncate ? shortId(diffId) : diffId}\t${formatDecimalSize(size, 3)}\t${images.join(", ")}`

/** Those that stand on one layer are indented below it; a trunk that does not part goes straight down. */
const below = (node: Node, truncate: boolean, indent: string): ReadonlyArray<string> => {
  const children = [...node.above.values()]
  return children.flatMap((child, index) => {
    const last = index === children.length - 1
    return [
      linesOf(child, truncate, `${indent}${last ? "└─ " : "├─ "}`),
      ...below(child, truncate, `${indent}${last ? "   " : "│  "}`)
    ]
  })
}

/** A line a layer, from the bottom: its digest, what it takes, and the images whose top it is. */
export const layerTree = (images: ReadonlyArray<LayeredImage>, truncate: boolean): string => {
  const root = grow(images)
  const trunks = [...root.above.values()].flatMap((trunk) => [linesOf(trunk, truncate, ""), ...below(trunk, truncate, "")])
  const bare = root.images.length === 0 ? [] : [`<no layers>\t0B\t${root.images.join(", ")}`]
  return alignTable(["LAYER\tSIZE\tIMAGES", ...trunks, ...bare].map((line) => `${line}\n`).join("")).replaceAll(/ +$/gm, "")
}
