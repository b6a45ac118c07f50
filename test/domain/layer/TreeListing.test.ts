import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RecordReader, RecordWriter } from "../../../src/domain/layer/EntryRecord.ts"
import {
  emptyTree, entriesOf, type FileEntry, impliedDirectory, nodeAt, portableListing, treeOf
} from "../../../src/domain/layer/Tree.ts"
import { decodeListing, defaultListingLimits, encodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { tree } from "./trees.ts"

const file: FileEntry = {
  ...impliedDirectory, type: "file", mode: 0o644, size: 5, content: null, target: "", devmajor: 0, devminor: 0, link: null
}
const errorOf = (bytes: Uint8Array, limits = defaultListingLimits): string => {
  const result = decodeListing(bytes, limits)
  return Result.isFailure(result) ? result.failure.message : "it did not fail"
}

describe("the listing of a tree", () => {
  it("read again is the tree, but for contents", () => {
    fc.assert(fc.property(tree, (tree) => {
      const again = Result.getOrThrow(decodeListing(encodeListing(entriesOf(tree))))
      const withoutContents = portableListing(tree).map(([path, entry]) =>
        [path, entry.type === "dir" ? entry : { ...entry, content: null, size: entry.type === "file" ? entry.size : 0 }])
      expect(portableListing(again)).toEqual(withoutContents)
    }))
  })

  it("keeps the marks of overlayfs, and sockets", () => {
    const xattrs = new Map([["trusted.overlay.opaque", Uint8Array.of(0x79)]])
    const bytes = encodeListing([["", emptyTree], ["d", { ...impliedDirectory, xattrs }], ["s", { ...file, type: "socket", size: 0 }]])
    const read = Result.getOrThrow(decodeListing(bytes))
    expect(nodeAt(read, "d")?.xattrs).toEqual(xattrs)
    expect(nodeAt(read, "s")?.type).toBe("socket")
  })

  it("of paths that were looked at one by one has each once, and implies what is above them", () => {
    const writer = new RecordWriter()
    const record = { ...file, path: "a/b/f", linkpath: "" }
    writer.entry(record)
    writer.entry({ ...record, type: "hardlink", linkpath: "a/b/f" })
    writer.entry({ ...record, path: "a/g", type: "hardlink", linkpath: "a/b/f" })
    const read = Result.getOrThrow(decodeListing(writer.take()))
    expect(portableListing(read)).toEqual(portableListing(treeOf([
      ["a/b/f", { ...file, link: "x" }], ["a/g", { ...file, link: "x" }]
    ])))
  })

  it("that was cut off or damaged is refused, never misread", () => {
    const bytes = encodeListing(entriesOf(treeOf([["a", impliedDirectory], ["a/f", file]])))
    for (let length = 1; length < bytes.length; length++) {
      const result = decodeListing(bytes.subarray(0, length))
      if (Result.isSuccess(result)) expect([...entriesOf(result.success)].length).toBeLessThan(3)
      else expect(result.failure.offset).toBeLessThanOrEqual(length)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeListing(bytes)))
    fc.assert(fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const damaged = new Uint8Array(bytes)
      damaged[at] = byte
      void decodeListing(damaged)
    }))
  })

  it("with paths that are none, or below a file, is refused", () => {
    for (const path of ["a//b", "/a", "a/", "..", "a/../b", "."]) {
      expect(errorOf(encodeListing([[path, file]]))).toContain("is no path of a tree")
    }
    expect(errorOf(encodeListing([["a", file], ["a/b/c", file]]))).toContain("\"a/b/c\" lies below something that is no directory")
    const writer = new RecordWriter()
    writer.entry({ ...file, path: "b", type: "hardlink", linkpath: "a" })
    expect(errorOf(writer.take())).toContain("\"b\" is another name of \"a\"")
  })

  it("with more entries or levels than allowed is refused", () => {
    const bytes = encodeListing([["a", impliedDirectory], ["a/b", file]])
    expect(errorOf(bytes, { entries: 1, depth: 10 })).toContain("more than 1 entries")
    expect(errorOf(bytes, { entries: 2, depth: 1 })).toContain("more than 1 names")
    expect(errorOf(bytes, { entries: 2, depth: 2 })).toBe("it did not fail")
  })
})

describe("numbers of records", () => {
  it("of 64 bits come back, also below zero", () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
      const writer = new RecordWriter()
      writer.i64(value)
      expect(new RecordReader(writer.take()).i64()).toBe(value)
    }))
  })
})
