import { describe, expect, it } from "vitest"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import {
  ascii,
  at,
  concat,
  decode,
  decodeFixture,
  end,
  fixture,
  fixtures,
  header,
  inPieces,
  octal,
  padded,
  pax
} from "./archives.ts"

const noon = { seconds: Date.UTC(2001, 1, 3, 4, 5, 6) / 1000, nanoseconds: 0 }

/** What differs from a plain file of root without data. */
const entry = (fields: Partial<TarEntry>): TarEntry => ({
  path: "",
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  size: 0,
  mtime: noon,
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  sparse: null,
  ...fields
})

const tree = (top: string): ReadonlyArray<TarEntry> => [
  entry({ path: top, type: "dir", mode: 0o755 }),
  entry({ path: `${top}/file`, mode: 0o4751, size: 6 }),
  entry({ path: `${top}/hard`, type: "hardlink", mode: 0o4751, linkpath: `${top}/file` }),
  entry({ path: `${top}/soft`, type: "symlink", mode: 0o777, linkpath: "file" }),
  entry({ path: `${top}/sub`, type: "dir", mode: 0o1777 }),
  entry({ path: `${top}/sub/other`, size: 6 })
]

const nodes: ReadonlyArray<TarEntry> = [
  ...tree("nodes"),
  entry({ path: "nodes/disk", type: "block", devmajor: 259, devminor: 70000 }),
  entry({ path: "nodes/null", type: "char", devmajor: 1, devminor: 3 }),
  entry({ path: "nodes/pipe", type: "fifo" })
]

const entriesOf = (name: string): ReadonlyArray<TarEntry> => {
  const decoded = decodeFixture(name)
  expect(decoded.error).toBeUndefined()
  expect(decoded.outline.at(-1)).toBe("End")
  return decoded.files.map((file) => file.entry)
}

const sorted = (entries: ReadonlyArray<TarEntry>): ReadonlyArray<TarEntry> =>
  entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))

const only = (name: string): TarEntry => {
  const entries = entriesOf(name)
  expect(entries).toHaveLength(1)
  return entries[0]!
}

describe("every kind of file is read", () => {
  it.each(["gnu-ustar", "gnu-gnu", "gnu-pax"])("from %s with its nodes", (name) => {
    expect(sorted(entriesOf(name))).toEqual(sorted(nodes))
  })

  it.each(["gnu-v7", "gnu-incremental", "bsd-v7", "bsd-ustar", "bsd-gnutar", "bsd-pax"])(
    "from %s",
    (name) => {
      expect(sorted(entriesOf(name))).toEqual(sorted(tree("tree")))
    }
  )

  it("with the data of files between their Entry and their EntryEnd", () => {
    const decoded = decodeFixture("gnu-pax")
    expect(decoded.files.find(({ entry }) => entry.path === "nodes/file")?.content).toBe("hello\n")
    expect(decoded.files.find(({ entry }) => entry.path === "nodes/sub/other")?.content).toBe(
      "again\n"
    )
    expect(decoded.outline).toEqual([...nodes.flatMap(() => ["Entry", "EntryEnd"]), "End"])
  })

  it("from archives by Python", () => {
    expect(only("python-ustar")).toEqual(
      entry({
        path: "etc/motd",
        mode: 0o640,
        size: 5,
        uname: "owner",
        mtime: { seconds: 1234567890, nanoseconds: 0 }
      })
    )
    const long = entry({
      path: `${"very/".repeat(60)}long`,
      mode: 0o640,
      size: 5,
      uname: "owner",
      uid: 5_000_000
    })
    expect(only("python-gnu")).toEqual({ ...long, mtime: { seconds: -2, nanoseconds: 0 } })
    expect(only("python-pax")).toEqual({
      ...long,
      mtime: { seconds: -2, nanoseconds: 500_000_000 }
    })
  })
})

describe("names", () => {
  const deep = `${"d".repeat(50)}/${"e".repeat(50)}/${"f".repeat(53)}`

  it("use the prefix of ustar to its last byte", () => {
    expect(only("gnu-ustar-prefix").path).toBe(`${deep}/${"n".repeat(100)}`)
  })

  it.each(["gnu-gnu-long", "gnu-pax-long", "bsd-pax-long"])(
    "and targets may be longer than that in %s",
    (name) => {
      const [file, link] = entriesOf(name)
      expect(file!.path).toBe(`${deep}/${"o".repeat(101)}`)
      expect(link).toMatchObject({
        path: `${deep}/link`,
        type: "symlink",
        linkpath: `${"t/".repeat(100)}target`
      })
    }
  )

  it.each(["gnu-gnu-names", "gnu-pax-names", "bsd-pax-names"])("may be no UTF-8 in %s", (name) => {
    expect(entriesOf(name).map(({ path }) => path)).toEqual([
      "names/zażółć",
      "names/\udcff\udcfe\udcc3"
    ])
  })

  it("use the shorter prefix of star where its mark is", () => {
    const times = { [at.prefix + 131]: "12345670123 12345670123 ", 508: "tar\0" }
    const star = header({ [at.prefix]: "p".repeat(131), ...times })
    expect(decode([star]).files[0]!.entry.path).toBe(`${"p".repeat(131)}/name`)
  })

  it("don't use what GNU tar keeps in the place of the prefix", () => {
    const gnu = header({ [at.magic]: "ustar  \0", [at.prefix]: "12345670123\0" })
    expect(decode([gnu]).files[0]!.entry.path).toBe("name")
  })

  it("of directories lose their slashes, and a file with one is a directory without data", () => {
    const old = header({
      [at.name]: "old//",
      [at.typeflag]: "\0",
      [at.magic]: "\0\0\0\0\0\0\0\0",
      [at.size]: octal(3)
    })
    const decoded = decode([
      concat(old, padded(ascii("abc")), header({ [at.name]: "/", [at.typeflag]: "5" }), end)
    ])
    expect(decoded.files.map(({ entry }) => [entry.type, entry.path, entry.size])).toEqual([
      ["dir", "old", 0],
      ["dir", "/", 0]
    ])
    expect(decoded.outline.at(-1)).toBe("End")
  })
})

describe("numbers that octal digits can't hold", () => {
  it("are read in base 256 from GNU tar", () => {
    expect(only("gnu-gnu-numbers")).toEqual(
      entry({
        path: "numbers",
        size: 4,
        uid: 4_294_967_294,
        gid: 3_000_000,
        mtime: { seconds: Date.UTC(1960, 0, 1) / 1000, nanoseconds: 0 }
      })
    )
    expect(only("gnu-huge")).toMatchObject({ size: 9 * 2 ** 30, sparse: [] })
  })

  it("are read from pax records, times to the nanosecond", () => {
    expect(only("gnu-pax-numbers")).toMatchObject({
      uid: 4_294_967_294,
      gid: 3_000_000,
      mtime: { seconds: Date.UTC(1960, 0, 1) / 1000, nanoseconds: 123_456_789 }
    })
  })

  it("are ids of 32 bits when they are negative, as the kernel sees them", () => {
    const uid = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe)
    expect(decode([header({ [at.uid]: uid })]).files[0]!.entry.uid).toBe(2 ** 32 - 2)
  })
})

describe("the mode", () => {
  it("loses the type of the file that some writers leave in it", () => {
    expect(decode([header({ [at.mode]: "0104755\0" })]).files[0]!.entry.mode).toBe(0o4755)
  })
})

describe("pax headers", () => {
  it.each(["gnu-xattrs", "bsd-xattrs"])("give extended attributes in %s", (name) => {
    expect(new Map([...only(name).xattrs].toSorted())).toEqual(
      new Map([
        ["user.a=b%c", ascii("text")],
        ["user.binary", Uint8Array.of(0, 1, 0x0a, 0xff, 0x3d)]
      ])
    )
  })

  it("for all entries that follow are passed over, as docker and containerd do", () => {
    const own = { uid: 0, gname: "", xattrs: new Map() }
    expect(entriesOf("gnu-global")).toMatchObject([own, own])
    const epoch = { seconds: 0, nanoseconds: 0 }
    const decoded = decode([
      concat(
        pax("g", ["path", "other"], ["uid", "7"], ["size", "9"], ["SCHILY.xattr.user.a", "all"]),
        pax("x", ["gid", "8"], ["SCHILY.xattr.user.b", "own"]),
        header(),
        pax("g", ["GNU.sparse.size", "9"], ["mtime", "noon"]),
        header(),
        end
      )
    ])
    expect(decoded.files.map(({ entry }) => entry)).toEqual([
      entry({ path: "name", mtime: epoch, gid: 8, xattrs: new Map([["user.b", ascii("own")]]) }),
      entry({ path: "name", mtime: epoch })
    ])
    expect(decoded.outline.at(-1)).toBe("End")
  })

  it("of an entry are forgotten when one for all comes in between, as in Go", () => {
    const decoded = decode([
      concat(pax("x", ["path", "own"]), pax("g", ["comment", "c"]), header(), end)
    ])
    expect(decoded.files.map(({ entry }) => entry.path)).toEqual(["name"])
  })

  it("for all entries of git archive, a comment, change nothing", () => {
    const comment = pax("g", ["comment", "0123456789abcdef0123456789abcdef01234567"])
    const archive = concat(comment, pax("x", ["path", "d/f"]), header(), end)
    for (const size of [1, 511, 512, 4096]) {
      const decoded = decode(inPieces(archive, size))
      expect(decoded.files.map(({ entry }) => entry.path)).toEqual(["d/f"])
      expect(decoded.outline).toEqual(["Entry", "EntryEnd", "End"])
    }
  })

  it("lose the attributes that no layer carries", () => {
    const names = ["trusted.overlay.redirect", "user.a", "security.selinux", "security.capability"]
    const records = names.map((name) => [`SCHILY.xattr.${name}`, "v"] as const)
    const decoded = decode([concat(pax("x", ...records), header(), end)])
    expect([...decoded.files[0]!.entry.xattrs.keys()]).toEqual(["user.a", "security.capability"])
  })

  it("override times in GNU tar's own way of writing them", () => {
    const half = { seconds: 1_000_000_000, nanoseconds: 500_000_000 }
    expect(entriesOf("gnu-overridden").map(({ mtime }) => mtime)).toEqual([half, half])
  })

  it("decide how much data follows a header", () => {
    const decoded = decode([
      concat(
        pax("x", ["size", "3"]),
        header({ [at.size]: octal(1024) }),
        padded(ascii("abc")),
        header(),
        end
      )
    ])
    expect(decoded.files[0]?.content).toBe("abc")
    expect(decoded.files).toHaveLength(2)
  })

  it("lose to GNU long names", () => {
    const name = "from-gnu"
    const long = concat(
      header({ [at.typeflag]: "L", [at.size]: octal(9) }),
      padded(ascii(`${name}\0`))
    )
    const record = pax("x", ["path", "from-pax"])
    for (const archive of [concat(long, record, header()), concat(record, long, header())]) {
      expect(decode([archive]).files[0]!.entry.path).toBe(name)
    }
  })
})

describe("sparse files", () => {
  const size = 60 * 16384 + 12345
  const content = new Uint8Array(size)
  for (let part = 0; part < 60; part++)
    content.fill(65 + (part % 26), part * 16384 + 4096, part * 16384 + 8192)
  const parts = Array.from({ length: 60 }, (_, part) => ({
    offset: part * 16384 + 4096,
    length: 4096
  }))

  it.each(["gnu-sparse-old", "gnu-sparse-0.0", "gnu-sparse-0.1", "gnu-sparse-1.0", "bsd-sparse"])(
    "are read from %s",
    (name) => {
      const [sparse, empty] = decodeFixture(name).files
      expect(sparse!.entry).toMatchObject({ path: "sparse", size, sparse: parts })
      expect(sparse!.content).toBe(Buffer.from(content).toString("latin1"))
      if (name.startsWith("gnu"))
        expect(empty!.entry).toMatchObject({ path: "empty-sparse", size: 100_000, sparse: [] })
    }
  )
})

describe("the end of an archive", () => {
  const file = concat(header({ [at.size]: octal(3) }), padded(ascii("abc")))

  it("is two blocks of zeros; what follows is ignored", () => {
    expect(decode([concat(file, end, ascii("garbage")), ascii("more")]).outline).toEqual([
      "Entry",
      "EntryEnd",
      "End"
    ])
    expect(entriesOf("gnu-concatenated").map(({ path }) => path)).toEqual(["tree/file"])
  })

  it("may be missing between two entries, wholly, by half, or with the last padding", () => {
    for (const archive of [
      file,
      concat(file, end.subarray(512)),
      file.subarray(0, 512 + 3),
      new Uint8Array(0)
    ]) {
      expect(decode([archive]).outline.at(-1)).toBe("End")
    }
  })

  it("comes after a volume's label, which is no file", () => {
    expect(entriesOf("gnu-label").map(({ path }) => path)).toEqual(["tree/file"])
  })
})

describe("chunks", () => {
  it.each(fixtures)("of %s may end anywhere", (name) => {
    const archive = fixture(name)
    const whole = decode([archive])
    for (const size of archive.length > 100_000 ? [509] : [1, 511, 1000])
      expect(decode(inPieces(archive, size))).toEqual(whole)
  })

  it("may be Node's buffers, which are used again afterwards", () => {
    const archive = fixture("gnu-pax")
    expect(decode(inPieces(Buffer.from(archive), 100))).toEqual(decode([archive]))
  })
})
