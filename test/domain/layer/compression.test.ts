import { execFileSync } from "node:child_process"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import {
  compressionRefusal,
  detectCompression,
  detectionBytes
} from "../../../src/domain/layer/compression.ts"
import { ascii, fixture, header } from "./archives.ts"

const archive = fixture("gnu-ustar")
const begin = (bytes: Uint8Array) => detectCompression(bytes.subarray(0, detectionBytes))

describe("compression is known by the first bytes", () => {
  it("of gzip and zstd as Node writes them", () => {
    expect(begin(gzipSync(archive))).toBe("gzip")
    expect(begin(zstdCompressSync(archive))).toBe("zstd")
  })

  it("of gzip as its own program writes it", () => {
    expect(begin(execFileSync("gzip", { input: archive }))).toBe("gzip")
  })

  it.each([
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04]],
    ["zstd", [0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]],
    ["bzip2", [...ascii("BZh9"), 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
    ["bzip2", [...ascii("BZh1"), 0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]
  ] as const)("of %s", (compression, bytes) => {
    expect(begin(Uint8Array.from(bytes))).toBe(compression)
  })

  it("of a tar archive, also when its first file has the name of a compression", () => {
    expect(begin(archive)).toBe("none")
    expect(begin(header({ 0: "BZh91AY" }))).toBe("none")
  })

  it("of a stream too short to be anything", () => {
    for (const bytes of [[], [0x1f], [0x1f, 0x8b], [0xfd, 0x37]])
      expect(begin(Uint8Array.from(bytes))).toBe("none")
  })
})

describe("what is known but not read", () => {
  it("is refused with the way out", () => {
    expect(compressionRefusal("xz")).toMatch(/compressed with xz; only gzip, zstd .*xz -dc FILE/)
    expect(compressionRefusal("bzip2")).toMatch(/bzip2 -dc FILE/)
  })

  it("is nothing else", () => {
    expect((["none", "gzip", "zstd"] as const).map(compressionRefusal)).toEqual([
      undefined,
      undefined,
      undefined
    ])
  })
})
