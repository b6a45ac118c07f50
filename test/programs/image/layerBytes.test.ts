/** What is looked at before the first byte of a layer is written. */
import * as v8 from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { firstUnwritable } from "../../../src/programs/image/layerBytes.ts"

const entry = (path: string): TarEntry => ({
  path, type: "file", mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", size: 0, mtime: { seconds: 0, nanoseconds: 0 },
  linkpath: "", devmajor: 0, devminor: 0, xattrs: new Map(), sparse: null
})

describe("the look for a file that no archive can hold", () => {
  it("stops at the first one", () => {
    const files = function*() {
      yield { entry: entry("a") }
      yield { entry: entry("b\0c") }
      throw new Error("looked further")
    }
    expect(firstUnwritable(files())?.message).toContain("b")
    expect(firstUnwritable([{ entry: entry("a") }])).toBeUndefined()
  })

  it("keeps nothing of the files before", () => {
    v8.setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    const count = 50_000
    let grown = Infinity
    const files = function*() {
      collect()
      const before = process.memoryUsage().arrayBuffers
      for (let index = 0; index < count; index++) yield { entry: entry(`file${index}`) }
      collect()
      grown = process.memoryUsage().arrayBuffers - before
    }
    expect(firstUnwritable(files())).toBeUndefined()
    expect(grown).toBeLessThan(count * 512 / 10)
  })
})
