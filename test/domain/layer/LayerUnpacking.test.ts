import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { defaultLayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import {
  checkRatio,
  type LayerForm,
  startLayer,
  stepLayer,
  type UnpackOperation
} from "../../../src/domain/layer/LayerUnpacking.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"

const entry = (path: string, over: Partial<TarEntry> = {}): TarEntry => ({
  path,
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  sparse: null,
  ...over
})

const planned = (
  form: LayerForm,
  ...entries: ReadonlyArray<TarEntry>
): ReadonlyArray<UnpackOperation> => {
  let unpacking = startLayer(form)
  const all: Array<UnpackOperation> = []
  for (const one of entries) {
    const step = Result.getOrThrow(stepLayer(unpacking, one))
    all.push(...step.operations)
    unpacking = step.unpacking
  }
  return all
}

const outline = (operations: ReadonlyArray<UnpackOperation>): ReadonlyArray<string> =>
  operations.map(({ _tag, path }) => `${_tag} ${path.join("/")}`)

describe("the operations of a layer", () => {
  const entries = [
    entry(".", { type: "dir" }),
    entry("/d", { type: "dir", mtime: { seconds: 5, nanoseconds: 6 } }),
    entry("d/.wh.gone"),
    entry("d/.wh..wh..opq"),
    entry(".wh..wh..opq"),
    entry(".wh..wh.plnk/1"),
    entry("./d//f")
  ]

  it("for a directory of overlayfs mark what is hidden", () => {
    expect(outline(planned("overlay", ...entries))).toEqual([
      "Make ",
      "Make d",
      "MakeWhiteout d/gone",
      "MarkOpaque d",
      "MarkOpaque ",
      "Make d/f"
    ])
  })

  it("for a copy of the layers below remove it", () => {
    expect(outline(planned("flat", ...entries)).slice(2, 5)).toEqual([
      "RemoveLower d/gone",
      "ClearLower d",
      "ClearLower "
    ])
  })

  it("have a safe path for the target of a hard link, and leave that of a symlink", () => {
    const [link, symlink] = planned(
      "flat",
      entry("h", { type: "hardlink", linkpath: "/a/../b" }),
      entry("s", { type: "symlink", linkpath: "../../x" })
    )
    expect(link).toMatchObject({ link: ["b"] })
    expect(symlink).toMatchObject({ link: null, entry: { linkpath: "../../x" } })
  })

  it("carry the attributes of layers and no others, on files and directories only", () => {
    const names = ["security.capability", "user.a", "user.overlay.opaque", "trusted.a"]
    const xattrs = new Map(names.map((name) => [name, Uint8Array.of(1)]))
    const [file, fifo] = planned(
      "flat",
      entry("f", { xattrs }),
      entry("p", { type: "fifo", xattrs })
    )
    expect(file).toMatchObject({ entry: { xattrs: new Map([...xattrs].slice(0, 2)) } })
    expect(fifo).toMatchObject({ entry: { xattrs: new Map() } })
  })

  it("are refused too deep before anybody resolves a path", () => {
    const limits = { ...defaultLayerLimits, depth: 2 }
    const step = stepLayer(startLayer("flat", limits), entry("a/b/c/f"))
    expect(Result.isFailure(step) && step.failure.kind).toBe("depth")
  })

  it("come of a step that may be taken again", () => {
    const before = startLayer("flat")
    const first = stepLayer(before, entry("a", { type: "dir", size: 0 }))
    expect(stepLayer(before, entry("a", { type: "dir", size: 0 }))).toEqual(first)
    expect(before).toEqual(startLayer("flat"))
  })
})

describe("the ratio of compression", () => {
  const limits = { ...defaultLayerLimits, ratio: 10, ratioFloor: 1000 }

  it("is of no interest in a small archive", () => {
    expect(checkRatio(limits, 1, 1000)).toBeUndefined()
  })

  it("may be what the limit says, and not more", () => {
    expect(checkRatio(limits, 101, 1010)).toBeUndefined()
    expect(checkRatio(limits, 101, 1011)).toMatchObject({ kind: "ratio" })
    expect(checkRatio(limits, 101, 1011)!.message).toContain("raise the limit ratio")
  })
})
