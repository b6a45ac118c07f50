import { describe, expect, it } from "vitest"
import { layerTree } from "../../../src/cli/format/layerTree.ts"

const layer = (name: string, size: number) => ({ chainId: `sha256:chain-${name}`, diffId: `sha256:${name.padEnd(64, "0")}`, size })

describe("a tree of layers", () => {
  const base = layer("ba5e", 5_000_000)
  const left = layer("1ef7", 2000)
  const images = [
    { title: "base:1", layers: [base] },
    { title: "app:1", layers: [base, left, layer("a44", 10)] },
    { title: "app:2", layers: [base, left] },
    { title: "other:1", layers: [base, layer("07e4", 0)] },
    { title: "alone:1", layers: [layer("a10e", 7)] }
  ]

  it("has what images share once, and the images where they end", () => {
    expect(layerTree(images, true)).toBe(
      "LAYER                SIZE      IMAGES\n" +
      "ba5e00000000         5MB       base:1\n" +
      "├─ 1ef700000000      2kB       app:2\n" +
      "│  └─ a44000000000   10B       app:1\n" +
      "└─ 07e400000000      0B        other:1\n" +
      "a10e00000000         7B        alone:1\n"
    )
  })

  it("has whole digests when they are wanted, and images without layers", () => {
    expect(layerTree([{ title: "empty:1", layers: [] }, images[0]!], false)).toBe(
      `${"LAYER".padEnd(74)}SIZE      IMAGES\n${base.diffId}   5MB       base:1\n${"<no layers>".padEnd(74)}0B        empty:1\n`
    )
  })
})
