import { execFileSync, spawnSync } from "node:child_process"
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Result from "effect/Result"
import { afterAll, describe, expect, it } from "vitest"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { ascii, concat, decode } from "./archives.ts"

const entry = (fields: Partial<TarEntry>): TarEntry => ({
  path: "name",
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  size: 0,
  mtime: { seconds: 981173106, nanoseconds: 0 },
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  sparse: null,
  ...fields
})

const encode = (fields: Partial<TarEntry>): Uint8Array =>
  Result.getOrThrow(encodeHeader(entry(fields)))
const text = (bytes: Uint8Array, from: number, to: number): string =>
  new TextDecoder().decode(bytes.subarray(from, to))

describe("what ustar can say is said in one block", () => {
  it("that is the one POSIX describes", () => {
    const block = encode({
      path: "dir/name",
      mode: 0o4755,
      uid: 0o7777777,
      size: 8 * 2 ** 30 - 1,
      uname: "root"
    })
    expect(block).toHaveLength(512)
    expect(text(block, 0, 9)).toBe("dir/name\0")
    expect(text(block, 100, 148)).toBe(
      "0004755\x007777777\x000000000\x0077777777777\x0007236701562\0"
    )
    expect(text(block, 156, 157)).toBe("0")
    expect(text(block, 257, 265)).toBe("ustar\x0000")
    expect(text(block, 265, 270)).toBe("root\0")
  })

  it("with a slash after the name of a directory, and the numbers of a device", () => {
    expect(text(encode({ path: "etc", type: "dir" }), 0, 5)).toBe("etc/\0")
    expect(text(encode({ type: "char", devmajor: 1, devminor: 3 }), 329, 345)).toBe(
      "0000001\x000000003\0"
    )
  })

  it.each([
    ["a name of 100 bytes", { path: "n".repeat(100) }],
    ["a prefix of 155 bytes", { path: `${"p".repeat(155)}/${"n".repeat(100)}` }],
    ["a target of 100 bytes", { type: "symlink", linkpath: "t".repeat(100) }],
    ["an owner of 31 bytes", { uname: "u".repeat(31) }],
    ["the last second", { mtime: { seconds: 8 ** 11 - 1, nanoseconds: 0 } }]
  ] as const)("up to %s", (_, fields) => {
    expect(encode(fields)).toHaveLength(512)
  })
})

describe("what ustar can't say is in a pax header in front", () => {
  it.each([
    ["path", { path: "n".repeat(101) }, `path=${"n".repeat(101)}`],
    ["path", { path: `${"p".repeat(156)}/n` }, `path=${"p".repeat(156)}/n`],
    ["path", { path: `/${"n".repeat(100)}` }, `path=/${"n".repeat(100)}`],
    ["path", { path: `${"n".repeat(100)}`, type: "dir" }, `path=${"n".repeat(100)}/`],
    ["path", { path: "é" }, "path=é"],
    ["linkpath", { type: "symlink", linkpath: "t".repeat(101) }, `linkpath=${"t".repeat(101)}`],
    ["uname", { uname: "u".repeat(32) }, `uname=${"u".repeat(32)}`],
    ["gname", { gname: "é" }, "gname=é"],
    ["uid", { uid: 0o10000000 }, "uid=2097152"],
    ["gid", { gid: 4294967294 }, "gid=4294967294"],
    ["size", { size: 8 * 2 ** 30 }, "size=8589934592"],
    ["mtime", { mtime: { seconds: -1, nanoseconds: 0 } }, "mtime=-1"],
    ["mtime", { mtime: { seconds: -1, nanoseconds: 250_000_000 } }, "mtime=-0.75"],
    ["mtime", { mtime: { seconds: 5, nanoseconds: 1 } }, "mtime=5.000000001"],
    ["xattrs", { xattrs: new Map([["user.a=b%", ascii("v")]]) }, "SCHILY.xattr.user.a%3Db%25=v"]
  ] as const)("%s of %o", (_, fields, record) => {
    const bytes = encode(fields)
    expect(text(bytes, 156, 157)).toBe("x")
    const size = Number.parseInt(text(bytes, 124, 135), 8)
    const body = text(bytes, 512, 512 + size)
    expect(body).toBe(`${new TextEncoder().encode(body).length} ${record}\n`)
    expect(bytes.length % 512).toBe(0)
  })

  it("that says so when a name is no UTF-8", () => {
    const records = "21 hdrcharset=BINARY\n9 path=\xff\n"
    expect(encode({ path: "\udcff" }).subarray(512, 512 + records.length)).toEqual(ascii(records))
  })

  it("whose length counts its own digits", () => {
    for (let length = 85; length < 1100; length++) {
      const path = `${"d".repeat(84)}/${"n".repeat(length)}`
      expect(
        decode([encode({ path, linkpath: "", mtime: { seconds: 0, nanoseconds: 1 } })]).files[0]!
          .entry.path
      ).toBe(path)
    }
  })
})

describe("the same entry gives the same bytes", () => {
  it("whatever the order of its attributes", () => {
    const attributes: ReadonlyArray<[string, Uint8Array]> = [
      ["user.a", ascii("1")],
      ["user.b", ascii("2")]
    ]
    const [a, b] = [attributes, attributes.toReversed()].map((xattrs) =>
      encode({ xattrs: new Map(xattrs) })
    )
    expect(a).toEqual(b)
  })

  it("to the last one", () => {
    const path = "päth"
    const xattrs = new Map([["user.a", Uint8Array.of(0, 10)]])
    const bytes = encode({ path, xattrs, uid: 3_000_000, mtime: { seconds: 1, nanoseconds: 500 } })
    expect(text(bytes, 0, 20)).toBe("PaxHeaders/p__th\0\0\0\0")
    expect(text(bytes, 512, 512 + 85)).toBe(
      "14 path=päth\n15 uid=3000000\n19 mtime=1.0000005\n26 SCHILY.xattr.user.a=\0\n\n".padEnd(
        84,
        "\0"
      )
    )
  })
})

describe("an entry that no archive can hold is refused", () => {
  it.each([
    ["without a path", { path: "" }],
    ["with a NUL in its path", { path: "a\0b" }],
    ["that is a file with a slash at its end", { path: "a/" }],
    ["that is a link to nothing", { type: "symlink" }],
    ["that is a file with a target", { linkpath: "target" }],
    ["that is a directory with data", { type: "dir", size: 1 }],
    ["with a negative size", { size: -1 }],
    ["with a fraction of a size", { size: 1.5 }],
    ["with the bits of a type in its mode", { mode: 0o100644 }],
    [
      "with a second of more than a thousand million nanoseconds",
      { mtime: { seconds: 0, nanoseconds: 1e9 } }
    ],
    ["with a device number of 22 bits", { type: "char", devminor: 2 ** 21 }],
    ["with an attribute without name", { xattrs: new Map([["", ascii("")]]) }],
    ["that is a sparse directory", { type: "dir", sparse: [] }],
    ["with parts beyond its size", { size: 10, sparse: [{ offset: 5, length: 6 }] }],
    [
      "with parts that overlap",
      {
        size: 4096,
        sparse: [
          { offset: 0, length: 1024 },
          { offset: 512, length: 1 }
        ]
      }
    ],
    [
      "with a part of half a block",
      {
        size: 4096,
        sparse: [
          { offset: 0, length: 256 },
          { offset: 512, length: 1 }
        ]
      }
    ]
  ] as const)("%s", (_, fields) => {
    const result = encodeHeader(entry(fields))
    expect(Result.isFailure(result) && result.failure.kind).toBe("unencodable")
  })
})

describe("GNU tar unpacks what is encoded", () => {
  const directory = mkdtempSync(join(tmpdir(), "fx-tar-"))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const long = `${"d".repeat(120)}/${"n".repeat(120)}`
  const files: ReadonlyArray<readonly [TarEntry, Uint8Array]> = [
    [entry({ path: "dir", type: "dir", mode: 0o750 }), ascii("")],
    [entry({ path: "dir/file", size: 5, mode: 0o640 }), ascii("hello")],
    [entry({ path: "dir/hard", type: "hardlink", linkpath: "dir/file" }), ascii("")],
    [entry({ path: "dir/soft", type: "symlink", mode: 0o777, linkpath: `/${long}` }), ascii("")],
    [
      entry({ path: long, size: 1, mtime: { seconds: 981173106, nanoseconds: 123456789 } }),
      ascii("x")
    ],
    [entry({ path: "naïve\udcff", size: 1 }), ascii("y")],
    [entry({ path: "pipe", type: "fifo" }), ascii("")],
    [
      entry({
        path: "sparse",
        size: 1 << 20,
        sparse: [
          { offset: 4096, length: 512 },
          { offset: 8192, length: 4 }
        ]
      }),
      concat(new Uint8Array(512).fill(65), ascii("defg"))
    ],
    [entry({ path: "hole", size: 1 << 20, sparse: [] }), ascii("")]
  ]
  const archive = concat(
    ...files.flatMap(([file, data]) => [
      Result.getOrThrow(encodeHeader(file)),
      data,
      padding(data.length)
    ]),
    endOfArchive
  )
  const path = join(directory, "archive.tar")

  it("with names, links, times and holes", () => {
    writeFileSync(path, archive)
    execFileSync(
      "tar",
      ["--warning=no-timestamp", "--no-same-owner", "-xpf", path, "-C", directory],
      { stdio: "pipe" }
    )
    const at = (name: string): string => join(directory, name)
    expect(readFileSync(at("dir/file"), "utf8")).toBe("hello")
    expect(lstatSync(at("dir/hard")).ino).toBe(lstatSync(at("dir/file")).ino)
    expect(lstatSync(at("dir")).mode & 0o7777).toBe(0o750)
    expect(readlinkSync(at("dir/soft"))).toBe(`/${long}`)
    expect(lstatSync(at(long), { bigint: true }).mtimeNs).toBe(981173106_123456789n)
    expect(lstatSync(at("pipe")).isFIFO()).toBe(true)
    expect(
      readFileSync(Buffer.concat([Buffer.from(`${directory}/naïve`), Buffer.of(0xff)]), "utf8")
    ).toBe("y")
    const sparse = new Uint8Array(1 << 20)
    sparse.fill(65, 4096, 4096 + 512)
    sparse.set(ascii("defg"), 8192)
    expect(readFileSync(at("sparse")).equals(sparse)).toBe(true)
    expect(lstatSync(at("hole")).size).toBe(1 << 20)
  })

  const python = spawnSync("python3", ["--version"]).status === 0
  it.skipIf(!python)("and Python's tarfile reads the same, with attributes", () => {
    const program = `import json, sys, tarfile
archive = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
attribute = "SCHILY.xattr.user.a"
print(json.dumps([
    [m.name, m.type.decode(), m.size, m.mtime, m.pax_headers.get(attribute)] for m in archive
]))`
    const input = concat(
      encode({
        path: long,
        xattrs: new Map([["user.a", ascii("v")]]),
        mtime: { seconds: 7, nanoseconds: 5e8 }
      }),
      encode({ path: "sparse", size: 1 << 20, sparse: [] }),
      endOfArchive
    )
    const output = execFileSync("python3", ["-c", program], { input, encoding: "utf8" })
    expect(JSON.parse(output)).toEqual([
      [long, "0", 0, 7.5, "v"],
      ["sparse", "0", 1 << 20, 981173106, null]
    ])
  })
})
