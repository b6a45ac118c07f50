/** How many bytes come back when images go: what only they need of layers and stored contents. Pure. */
import type { InspectedImage } from "../../programs/Images.ts"

interface Content {
  readonly key: string
  readonly bytes: number
}

/** Unpacked layers, and the blobs they and the manifest come from. */
const contentsOf = ({ configSize, image, layerSizes }: InspectedImage): ReadonlyArray<Content> => [
  ...image.record.layers.flatMap(({ blob, chainId }, index) => [
    { key: `layer ${chainId}`, bytes: layerSizes[index] ?? 0 }, { key: `blob ${blob.digest}`, bytes: blob.size }
  ]),
  { key: `blob ${image.record.target.digest}`, bytes: image.record.target.size },
  { key: `blob ${image.id}`, bytes: configSize }
]

/** `all` has the ones that go, too. The engine's own images take no room that would come back. */
export const reclaimable = (all: ReadonlyArray<InspectedImage>, goes: (id: string) => boolean): number => {
  const stored = all.filter(({ image }) => image.builtin === undefined)
  const kept = new Set(stored.filter(({ image }) => !goes(image.id)).flatMap(contentsOf).map(({ key }) => key))
  const gone = new Map(
    stored.filter(({ image }) => goes(image.id)).flatMap(contentsOf).filter(({ key }) => !kept.has(key))
      .map(({ bytes, key }) => [key, bytes])
  )
  return [...gone.values()].reduce((sum, bytes) => sum + bytes, 0)
}
