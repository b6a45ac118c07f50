import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Change, changeOf, changePath } from "../../../src/domain/layer/Change.ts"

const below = (path: ReadonlyArray<string>): boolean => path[0] === "old"
const read = (path: string) => changeOf(path.split("/"), below)

describe("an entry of a layer", () => {
  it.each([
    ["new/file", { _tag: "Add", path: ["new", "file"] }],
    ["old/file", { _tag: "Modify", path: ["old", "file"] }],
    ["a/.wh.b", { _tag: "Delete", path: ["a", "b"] }],
    [".wh.b", { _tag: "Delete", path: ["b"] }],
    ["a/.wh..wh..opq", { _tag: "Opaque", path: ["a"] }],
    [".wh..wh..opq", { _tag: "Opaque", path: [] }],
    ["a/.wh", { _tag: "Add", path: ["a", ".wh"] }],
    ["a/.wh..hidden", { _tag: "Delete", path: ["a", ".hidden"] }]
  ] as const)("%s is a change", (path, change) => {
    expect(read(path)).toEqual(Result.succeed(change))
  })

  it.each([".wh..wh.aufs", ".wh..wh.plnk/123.456", ".wh..wh.orph"])(
    "%s of AUFS is passed over",
    (path) => {
      expect(read(path)).toEqual(Result.succeed(null))
    }
  )

  it.each(["a/.wh.", "a/.wh..", "a/.wh...", ".wh.a/b"])("%s is refused", (path) => {
    expect(Result.isFailure(read(path))).toBe(true)
  })
})

describe("a change", () => {
  const name = fc
    .string({ unit: fc.constantFrom(..."abw.h"), minLength: 1, maxLength: 8 })
    .filter((text) => ![".", ".."].includes(text) && !text.startsWith(".wh."))
  const path = fc.array(name, { minLength: 1, maxLength: 4 })

  it("comes back from the path that it was given", () => {
    fc.assert(
      fc.property(path, fc.constantFrom("Add", "Modify", "Delete", "Opaque"), (path, tag) => {
        const change: Change = { _tag: tag as Change["_tag"], path }
        const entry = Result.getOrThrow(changePath(change))
        expect(changeOf(entry, () => tag === "Modify")).toEqual(Result.succeed(change))
      })
    )
  })

  it("of a file with the name of a whiteout, or that deletes the root, can't be written", () => {
    expect(Result.isFailure(changePath({ _tag: "Add", path: ["a", ".wh.b"] }))).toBe(true)
    expect(Result.isFailure(changePath({ _tag: "Delete", path: [] }))).toBe(true)
  })
})
