/**
 * Archives that are malicious or broken, each with what must become of it. They are made as they
 * are read, so that one may be longer than memory. Whoever unpacks layers is to be shown all of
 * them, over the files of `hostileLower`.
 */
import { gzipSync, zstdCompressSync } from "node:zlib"
import type { LayerErrorKind } from "../../../src/domain/layer/LayerError.ts"
import type { LayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import type { TarFault } from "../../../src/domain/layer/TarEntry.ts"
import {
  type FileEntry,
  impliedDirectory,
  type Tree,
  treeOf
} from "../../../src/domain/layer/Tree.ts"
import { ascii, at, concat, end, header, octal, padded, pax, sign } from "./archives.ts"

export type Outcome =
  | { readonly _tag: "Refused"; readonly by: "tar"; readonly kind: TarFault["kind"] }
  | { readonly _tag: "Refused"; readonly by: "layer"; readonly kind: LayerErrorKind }
  /** Not recognised, or damaged, before it is an archive at all. */
  | { readonly _tag: "Refused"; readonly by: "compression" }
  /** Nothing outside the root is touched; in the root these are there, and those are not. */
  | {
      readonly _tag: "Contained"
      readonly has: ReadonlyArray<string>
      readonly hasNot: ReadonlyArray<string>
    }

export interface HostileArchive {
  readonly name: string
  /** The bytes, in pieces; compressed ones can be decompressed piece by piece. */
  readonly pieces: () => Iterable<Uint8Array>
  readonly compression: "none" | "gzip" | "zstd"
  /** Limits that make it short to see that they hold. */
  readonly limits: Partial<LayerLimits>
  /** Over the files of `hostileLower`. */
  readonly over: Outcome
  /** By itself, as a layer of overlayfs. */
  readonly alone: Outcome
}

const lowerFile: FileEntry = {
  ...impliedDirectory,
  type: "file",
  mode: 0o644,
  size: 5,
  content: "lower",
  target: "",
  devmajor: 0,
  devminor: 0,
  link: null
}
const lowerLink = (target: string): FileEntry => ({
  ...lowerFile,
  type: "symlink",
  mode: 0o777,
  size: 0,
  content: null,
  target
})

/** What the archives are unpacked over, symlinks that lead out of it included. */
export const hostileLower: Tree = treeOf([
  ["etc/passwd", lowerFile],
  ["d/old", lowerFile],
  ["up", lowerLink("../../../outside")],
  ["abs", lowerLink("/outside")]
])

const tar = (kind: TarFault["kind"]): Outcome => ({ _tag: "Refused", by: "tar", kind })
const layer = (kind: LayerErrorKind): Outcome => ({ _tag: "Refused", by: "layer", kind })
const contained = (has: ReadonlyArray<string>, hasNot: ReadonlyArray<string> = []): Outcome => ({
  _tag: "Contained",
  has,
  hasNot
})

type Fields = Readonly<Record<number, string | Uint8Array>>
const file = (name: string | Uint8Array, content = "evil", fields: Fields = {}): Uint8Array =>
  concat(
    header({ [at.name]: name, [at.size]: octal(content.length), ...fields }),
    padded(ascii(content))
  )
const other = (type: string, name: string, linkname = "", fields: Fields = {}): Uint8Array =>
  header({ [at.name]: name, [at.typeflag]: type, [at.linkname]: linkname, ...fields })
const symlink = (name: string, target: string): Uint8Array => other("2", name, target)
const hardlink = (name: string, target: string): Uint8Array => other("1", name, target)
const dir = (name: string): Uint8Array => other("5", name)
const device = (type: "3" | "4", major: number, minor: number): Uint8Array =>
  other(type, "device", "", {
    [at.devmajor]: `${major.toString(8).padStart(7, "0")}\0`,
    [at.devmajor + 8]: `${minor.toString(8).padStart(7, "0")}\0`
  })
const long = (type: "L" | "K", name: string): Uint8Array =>
  concat(
    header({ [at.name]: "././@LongLink", [at.typeflag]: type, [at.size]: octal(name.length + 1) }),
    padded(ascii(`${name}\0`))
  )
const paxFile = (path: string): Uint8Array => concat(pax("x", ["path", path]), file("ignored"))
const base256 = (...bytes: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.from({ length: 12 }, (_, index) => bytes.at(index - 12) ?? (index === 0 ? 0x80 : 0))

const plain = { compression: "none", limits: {} } as const

/** An archive that ends as it should. */
const whole = (
  name: string,
  over: Outcome,
  ...parts: ReadonlyArray<Uint8Array>
): HostileArchive => ({ ...plain, name, pieces: () => [concat(...parts, end)], over, alone: over })

/** Bytes with nothing added. */
const raw = (name: string, over: Outcome, ...parts: ReadonlyArray<Uint8Array>): HostileArchive => ({
  ...plain,
  name,
  pieces: () => [concat(...parts)],
  over,
  alone: over
})

/** One that is made while it is read. */
const lazy = (
  name: string,
  over: Outcome,
  pieces: () => Iterable<Uint8Array>,
  limits: Partial<LayerLimits> = {}
): HostileArchive => ({ ...plain, name, pieces, limits, over, alone: over })

const alone = (archive: HostileArchive, outcome: Outcome): HostileArchive => ({
  ...archive,
  alone: outcome
})
const limited = (archive: HostileArchive, limits: Partial<LayerLimits>): HostileArchive => ({
  ...archive,
  limits
})

const longPath = (length: number): string => "sixteen letters!/".repeat(300).slice(0, length)
const deep = (levels: number): string => "a/".repeat(levels)

const paths: ReadonlyArray<HostileArchive> = [
  whole("dot-dot", layer("path"), file("../evil")),
  whole("dot-dot further on", layer("path"), file("d/../../evil")),
  whole("dot-dot in a pax record", layer("path"), paxFile("../evil")),
  whole("dot-dot in a GNU long name", layer("path"), long("L", "../evil"), file("ignored")),
  whole("dot-dot in the prefix field", layer("path"), file("evil", "", { [at.prefix]: ".." })),
  whole("dot-dot as a directory", layer("path"), dir("..")),
  whole("dot-dot inside", contained(["etc/evil"]), file("d/../etc/evil")),
  whole("an absolute path", contained(["etc/evil"]), file("/etc/evil")),
  whole("an absolute path with dot-dot", contained(["etc/evil"]), file("/../../etc/evil")),
  whole("many slashes", contained(["etc/evil"]), file("//etc///evil")),
  whole("many dots", contained(["evil"]), file("./././evil")),
  whole("backslashes", contained(["..\\..\\evil"]), file("..\\..\\evil")),
  whole("the root as a file", layer("root"), file(".")),
  whole("the root as a file by dot-dot", layer("root"), file("d/..")),
  whole("the root as a symlink", layer("root"), symlink("/", "/etc")),
  whole("the root as a hard link", layer("root"), hardlink("./", "etc/passwd")),
  whole("no name", layer("root"), file("")),
  whole("a NUL in a pax path", tar("damaged"), paxFile("evil\0.txt")),
  whole("a newline in a name", contained(["e\nvil"]), file("e\nvil")),
  whole("escape codes in a name", contained(["\x1b[2Jevil"]), file("\x1b[2Jevil")),
  whole("a name that reads backwards", contained(["\u202etxt.live"]), paxFile("\u202etxt.live")),
  whole("a name that is no UTF-8", contained(["\udcff\udcfe"]), file(Uint8Array.of(0xff, 0xfe))),
  whole("an overlong dot-dot", contained(["\udcc0\udcae\udcc0\udcae"]), file("\xc0\xae\xc0\xae/f")),
  whole("a name of 255 bytes", contained(["a".repeat(255)]), paxFile("a".repeat(255))),
  whole("a name of 256 bytes", layer("path"), paxFile("a".repeat(256))),
  whole("a path of 4095 bytes", contained([longPath(4095)]), paxFile(longPath(4095))),
  whole("a path of 4096 bytes", layer("pathLength"), paxFile(longPath(4096))),
  whole("a path of 5000 bytes", tar("limit"), long("L", "a".repeat(5000)), file("ignored")),
  whole("1000 directories deep", contained([`${deep(1000)}f`]), paxFile(`${deep(1000)}f`)),
  whole("1001 directories deep", layer("depth"), paxFile(`${deep(1001)}f`)),
  whole(
    "deeper by symlinks",
    layer("depth"),
    paxFile(`${deep(600)}f`),
    pax("x", ["linkpath", deep(600)]),
    symlink("l", "ignored"),
    paxFile(`l/${deep(600)}f`)
  )
]

const chain = (count: number): ReadonlyArray<Uint8Array> =>
  Array.from(
    { length: count },
    (_, index) => symlink(`l${index}`, index === 0 ? "d" : `l${index - 1}`)
  )

const symlinks: ReadonlyArray<HostileArchive> = [
  whole(
    "an absolute symlink written through",
    contained(["etc/evil"]),
    symlink("l", "/etc"),
    file("l/evil")
  ),
  whole(
    "a climbing symlink written through",
    contained(["etc/evil"]),
    symlink("l", "../../../../etc"),
    file("l/evil")
  ),
  whole(
    "a symlink two levels down",
    contained(["etc/evil"]),
    dir("x"),
    symlink("x/l", "../../../etc"),
    file("x/l/evil")
  ),
  whole(
    "an absolute symlink two levels down",
    contained(["etc/evil"], ["x/etc"]),
    dir("x"),
    symlink("x/l", "/etc"),
    file("x/l/evil")
  ),
  whole("a symlink to itself", layer("loop"), symlink("l", "l"), file("l/evil")),
  whole(
    "symlinks to one another",
    layer("loop"),
    symlink("l", "m"),
    symlink("m", "l"),
    file("l/evil")
  ),
  whole("40 symlinks in a row", contained(["d/evil"]), ...chain(40), file("l39/evil")),
  whole("41 symlinks in a row", layer("loop"), ...chain(41), file("l40/evil")),
  whole(
    "a maze of symlinks",
    layer("loop"),
    symlink("l0", "."),
    ...Array.from({ length: 30 }, (_, index) => symlink(`l${index + 1}`, `l${index}/l${index}`)),
    file("l30/evil")
  ),
  whole(
    "a symlink that becomes a directory",
    contained(["l/evil"], ["etc/evil"]),
    symlink("l", "/etc"),
    dir("l"),
    file("l/evil")
  ),
  whole(
    "a directory that becomes a symlink",
    contained(["etc/evil"], ["x/f"]),
    dir("x"),
    file("x/f"),
    symlink("x", "/etc"),
    file("x/evil")
  ),
  whole(
    "a symlink swapped between two writes",
    contained(["etc/one", "d/two"]),
    symlink("l", "etc"),
    file("l/one"),
    symlink("l", "d"),
    file("l/two")
  ),
  whole(
    "a file over a symlink",
    contained(["l"], ["etc/evil"]),
    symlink("l", "/etc/evil"),
    file("l")
  ),
  whole(
    "a symlink to /proc/self/root",
    contained(["proc/self/root/evil"]),
    symlink("l", "/proc/self/root"),
    file("l/evil")
  ),
  whole(
    "a symlink to a name that is too long",
    layer("path"),
    pax("x", ["linkpath", "a".repeat(300)]),
    symlink("l", "ignored"),
    file("l/evil")
  ),
  whole(
    "a symlink of 4096 bytes",
    layer("pathLength"),
    pax("x", ["linkpath", longPath(4096)]),
    symlink("l", "ignored")
  ),
  whole("a symlink to nothing", tar("damaged"), symlink("l", "")),
  whole(
    "a whiteout through a symlink",
    contained(["l"], ["etc/passwd"]),
    symlink("l", "/etc"),
    file("l/.wh.passwd", "")
  ),
  whole(
    "an opaque marker through a symlink to the root",
    contained(["l", "new"], ["etc", "d", "up"]),
    symlink("l", "../.."),
    file("new"),
    file("l/.wh..wh..opq", "")
  ),
  alone(
    whole("through a climbing symlink below", contained(["outside/evil", "up"]), file("up/evil")),
    contained(["up/evil"])
  ),
  alone(
    whole("through an absolute symlink below", contained(["outside/evil"]), file("abs/evil")),
    contained(["abs/evil"])
  )
]

const hardlinks: ReadonlyArray<HostileArchive> = [
  whole("a hard link outside", layer("path"), hardlink("h", "../../etc/shadow")),
  whole("a hard link outside by a long link", layer("path"), long("K", "../x"), hardlink("h", "x")),
  alone(
    whole("an absolute hard link", contained(["h"]), hardlink("h", "/etc/passwd")),
    layer("link")
  ),
  whole("a hard link to nothing", layer("link"), hardlink("h", "nothing")),
  whole("a hard link to no name", tar("damaged"), hardlink("h", "")),
  whole("a hard link to a directory", layer("link"), dir("x"), hardlink("h", "x")),
  whole("a hard link to the root", layer("link"), hardlink("h", "/")),
  whole("a hard link to itself", layer("link"), hardlink("h", "h")),
  alone(
    whole(
      "a hard link through a symlink",
      contained(["h"]),
      symlink("l", "../../.."),
      hardlink("h", "l/etc/passwd")
    ),
    layer("link")
  ),
  whole(
    "a hard link through a symlink outside",
    layer("link"),
    symlink("l", "../../../tmp"),
    hardlink("h", "l/shadow")
  ),
  whole(
    "a symlink written through by its hard link",
    contained(["h", "s"], ["etc/evil"]),
    symlink("s", "/etc/evil"),
    hardlink("h", "s"),
    file("h")
  ),
  whole("a hard link to what is hidden", layer("link"), file(".wh.d", ""), hardlink("h", "d/old")),
  whole(
    "a hard link with data",
    tar("damaged"),
    file("f"),
    other("1", "h", "f", { [at.size]: octal(4) }),
    padded(ascii("evil"))
  )
]

const devices: ReadonlyArray<HostileArchive> = [
  whole("the device 0/0, a whiteout of overlayfs", layer("device"), device("3", 0, 0)),
  whole("a device that is cut to 0/0", layer("device"), device("3", 0x1000, 0)),
  whole("a minor number of 21 bits", layer("device"), device("4", 8, 0x100000)),
  whole("the first disk", contained(["device"]), device("4", 8, 0)),
  whole(
    "a device number of 64 bits",
    tar("damaged"),
    other(
      "3",
      "n",
      "",
      { [at.devmajor]: Uint8Array.of(0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) }
    )
  ),
  whole("a file below a fifo", layer("notDirectory"), other("6", "p"), file("p/evil")),
  whole("a file below a device", layer("notDirectory"), device("3", 1, 3), file("device/evil")),
  whole("a file below a file", layer("notDirectory"), file("f"), file("f/evil")),
  whole("a set-id file", contained(["su"]), file("su", "evil", { [at.mode]: "0006755\0" }))
]

const repeated = function* (count: number, make: (index: number) => Uint8Array) {
  const together = 64
  for (let index = 0; index < count; index += together) {
    const some = Math.min(together, count - index)
    yield concat(...Array.from({ length: some }, (_, offset) => make(index + offset)))
  }
}

const again = (count: number, bytes: Uint8Array): Iterable<Uint8Array> =>
  repeated(count, () => bytes)

const whiteouts: ReadonlyArray<HostileArchive> = [
  whole("a whiteout of no name", layer("whiteout"), file(".wh.", "")),
  whole("a whiteout of the directory itself", layer("whiteout"), file("d/.wh..", "")),
  whole("a whiteout of the parent", layer("whiteout"), file("d/.wh...", "")),
  whole("a whiteout with a slash", layer("whiteout"), file(".wh.etc/passwd", "")),
  whole("a whiteout by dot-dot", contained([], ["etc/passwd"]), file("d/../etc/.wh.passwd", "")),
  whole("a whiteout that is a directory", layer("whiteout"), dir(".wh.d")),
  whole("a whiteout that is a symlink", layer("whiteout"), symlink(".wh.d", "/etc")),
  whole("a whiteout that is a device", layer("whiteout"), other("3", ".wh.d")),
  whole("a whiteout with data", contained([], ["d"]), file(".wh.d", "data")),
  whole("a whiteout by hard link", contained([], ["d"]), hardlink(".wh.d", "nothing")),
  whole(
    "a directory that becomes a whiteout by a symlink",
    layer("whiteout"),
    symlink("l", ".wh.d"),
    file("l/evil")
  ),
  whole("files of AUFS", contained([], [".wh..wh.plnk"]), file(".wh..wh.plnk/1", "evil")),
  whole(
    "a hard link into AUFS's directory",
    layer("whiteout"),
    file(".wh.x/1", "evil"),
    hardlink("h", ".wh.x/1")
  ),
  lazy("100,000 whiteouts of one name", contained([], ["d"]), function* () {
    yield* again(100_000, file(".wh.d", ""))
    yield end
  }),
  lazy("10,000 opaque markers over 10,000 files", contained(["d/9999"], ["d/old"]), function* () {
    yield* repeated(10_000, (index) => file(`d/${index}`, ""))
    yield* again(10_000, file("d/.wh..wh..opq", ""))
    yield end
  }),
  lazy("10,000 whiteouts between files", contained(["d/9998"], ["d/old"]), function* () {
    yield* repeated(10_000, (index) => file(index % 2 === 0 ? `d/${index}` : ".wh.d", ""))
    yield end
  })
]

const broken: ReadonlyArray<HostileArchive> = [
  raw("nothing at all", contained([])),
  raw("half a header", tar("truncated"), header().subarray(0, 300)),
  raw("data that ends early", tar("truncated"), file("f", "evil".repeat(200)).subarray(0, 900)),
  raw("a pax header that ends early", tar("truncated"), pax("x", ["path", "f"]).subarray(0, 520)),
  raw("a pax header without an entry", tar("truncated"), pax("x", ["path", "f"])),
  whole("a pax header before the end", tar("damaged"), pax("x", ["path", "f"])),
  raw("a GNU long name without an entry", tar("truncated"), long("L", "evil")),
  whole("a GNU long name before the end", tar("damaged"), long("L", "evil")),
  whole("a wrong checksum", tar("damaged"), (() => {
    const block = header()
    block[3]! ^= 1
    return block
  })()),
  raw("a single block of zeros", tar("damaged"), end.subarray(512), file("f")),
  raw("text", tar("damaged"), padded(ascii("<html>404 Not Found</html>"))),
  whole("a size below zero", tar("damaged"), header({ [at.size]: new Uint8Array(12).fill(0xff) })),
  whole(
    "a size beyond 2^53",
    tar("damaged"),
    header({ [at.size]: base256(0x40, 0, 0, 0, 0, 0, 0, 0) })
  ),
  whole("a size that is no number", tar("damaged"), header({ [at.size]: "999999999999" })),
  raw("a size larger than the archive", tar("truncated"), header({ [at.size]: octal(1e6) }), end),
  whole("a pax size below zero", tar("damaged"), pax("x", ["size", "-1"]), header()),
  raw(
    "a pax size larger than the archive",
    tar("truncated"),
    pax("x", ["size", "99999"]),
    file("f"),
    end
  ),
  whole("a pax size smaller than the data", tar("damaged"), pax("x", ["size", "0"]), file("f")),
  whole(
    "a directory with data",
    tar("damaged"),
    header({ [at.name]: "x/", [at.typeflag]: "5", [at.size]: octal(4) }),
    padded(ascii("evil"))
  ),
  whole(
    "a symlink with data",
    tar("damaged"),
    header({ [at.typeflag]: "2", [at.linkname]: "x", [at.size]: octal(4) }),
    padded(ascii("evil"))
  ),
  whole("an id of 33 bits", tar("damaged"), pax("x", ["uid", "4294967296"]), header()),
  whole("the id -1", tar("damaged"), pax("x", ["gid", "4294967295"]), header()),
  whole("a time that is none", tar("damaged"), pax("x", ["mtime", "noon"]), header()),
  whole(
    "a time in the far future",
    contained(["name"]),
    pax("x", ["mtime", "9007199254740991"]),
    header()
  ),
  whole("a type that nobody knows", tar("unsupported"), other("M", "x")),
  whole("the label of a volume", contained([], ["../x"]), other("V", "../x")),
  raw("entries after the end", contained(["f"], ["evil"]), file("f"), end, file("evil"), end),
  whole(
    "one file three times",
    contained(["f"]),
    file("f", "1"),
    file("f", "22"),
    file("f", "333")
  ),
  whole(
    "a file, a directory and a file of one name",
    contained(["f"], ["f/g"]),
    file("f"),
    dir("f"),
    file("f/g"),
    file("f")
  )
]

/** As many as a pax header of 1 MiB has room for. */
const manyXattrs = (space: string): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: 2 ** 20 / 32 }, (_, index) => [
    `SCHILY.xattr.${space}.${index.toString(36)}`,
    ""
  ])
const xattr = (name: string, value: string): Uint8Array => pax("x", [`SCHILY.xattr.${name}`, value])
const sparse = (map: string, size: number, stored: number): Uint8Array =>
  concat(
    pax(
      "x",
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", String(size)]
    ),
    header({ [at.size]: octal(stored) }),
    padded(ascii(map))
  )

const extensions: ReadonlyArray<HostileArchive> = [
  whole(
    "a pax header of 2 MiB",
    tar("limit"),
    pax("x", ["comment", "a".repeat(2 << 20)]),
    header()
  ),
  raw(
    "a pax header of an exabyte",
    tar("limit"),
    header({ [at.typeflag]: "x", [at.size]: base256(0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64) })
  ),
  raw(
    "a GNU long name of a gigabyte",
    tar("limit"),
    header({ [at.typeflag]: "L", [at.size]: octal(2 ** 30) })
  ),
  whole(
    "a pax record longer than its header",
    tar("damaged"),
    header({ [at.typeflag]: "x", [at.size]: octal(12) }),
    padded(ascii("99 path=evil\n")),
    header()
  ),
  whole(
    "a pax record of length 0",
    tar("damaged"),
    header({ [at.typeflag]: "x", [at.size]: octal(12) }),
    padded(ascii("0 path=evil\n")),
    header()
  ),
  lazy("10,000 pax headers before one entry", contained(["name"]), function* () {
    yield* again(10_000, pax("x", ["comment", "again"]))
    yield header()
    yield end
  }),
  lazy("10,000 global pax headers", contained(["name"], ["a".repeat(400)]), function* () {
    yield* again(10_000, pax("g", ["path", "a".repeat(400)]))
    yield header()
    yield end
  }),
  raw(
    "a global pax header of an exabyte",
    tar("limit"),
    header({ [at.typeflag]: "g", [at.size]: base256(0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64) })
  ),
  lazy("very many attributes for 2,000 entries", contained(["f0", "f1999"]), function* () {
    yield pax("g", ...manyXattrs("user"))
    yield* repeated(2000, (index) => concat(xattr("security.selinux", "evil"), file(`f${index}`)))
    yield end
  }),
  lazy("very many attributes, then 2,000 global pax headers", contained(["name"]), function* () {
    yield pax("g", ...manyXattrs("user"))
    yield* again(2000, pax("g"))
    yield header()
    yield end
  }),
  whole("very many attributes", tar("limit"), pax("x", ...manyXattrs("user")), header()),
  lazy("very many attributes that no layer carries", contained(["f0", "f19"]), function* () {
    const records = pax("x", ...manyXattrs("trusted"))
    yield* repeated(20, (index) => concat(records, file(`f${index}`)))
    yield end
  }),
  whole(
    "a path for all entries",
    contained(["a", "b"], ["evil"]),
    pax("g", ["path", "evil"]),
    file("a"),
    file("b")
  ),
  whole(
    "a path of dot-dot for all entries",
    contained(["a"], ["evil"]),
    pax("g", ["path", "../evil"]),
    file("a")
  ),
  whole(
    "an attribute that redirects",
    contained(["name"]),
    xattr("trusted.overlay.redirect", "/etc"),
    header()
  ),
  whole(
    "an attribute of another overlay",
    contained(["x"]),
    xattr("user.overlay.opaque", "y"),
    dir("x")
  ),
  whole(
    "a label of a security module",
    contained(["name"]),
    xattr("security.selinux", "evil"),
    header()
  ),
  whole(
    "an attribute of 65,537 bytes",
    tar("limit"),
    xattr("user.a", "a".repeat(65_537)),
    header()
  ),
  whole("an attribute whose name has a NUL", tar("damaged"), xattr("user.a\0b", "a"), header()),
  whole(
    "an attribute whose name is too long",
    tar("damaged"),
    xattr(`user.${"a".repeat(300)}`, "a"),
    header()
  ),
  whole(
    "a sparse map beyond the file",
    tar("damaged"),
    sparse("1\n9\n3\n", 10, 515),
    new Uint8Array(512)
  ),
  whole(
    "a sparse map that overlaps",
    tar("damaged"),
    sparse("2\n0\n3\n2\n3\n", 10, 518),
    new Uint8Array(512)
  ),
  whole(
    "a sparse map of more than is there",
    tar("damaged"),
    sparse("1\n0\n9\n", 10, 515),
    new Uint8Array(512)
  ),
  whole(
    "a sparse map with a negative part",
    tar("damaged"),
    sparse("1\n-5\n3\n", 10, 515),
    new Uint8Array(512)
  ),
  whole(
    "a sparse map that says it has 10^9 parts",
    tar("limit"),
    sparse(`${10 ** 9}\n`, 10, 2 ** 30)
  ),
  lazy("an old sparse map without end", tar("limit"), function* () {
    const block = header({ [at.typeflag]: "S", 482: "\x01" })
    yield block
    const more = new Uint8Array(512)
    for (let part = 0; part < 21; part++) more.set(ascii("00000000001\x0000000000001\0"), part * 24)
    more[504] = 1
    yield* again(20_000, more)
  }),
  whole("a file of two tebibytes of hole", tar("limit"), sparse(`0\n`, 2 ** 41, 512)),
  limited(
    whole(
      "holes that add up",
      layer("expandedSize"),
      sparse("0\n", 2 ** 20, 512),
      sparse("0\n", 2 ** 20, 512)
    ),
    { expandedBytes: 2 ** 20 }
  ),
  whole(
    "a sparse format of the future",
    tar("unsupported"),
    pax("x", ["GNU.sparse.major", "9"], ["GNU.sparse.minor", "0"], ["GNU.sparse.realsize", "1"]),
    header()
  )
]

const many: ReadonlyArray<HostileArchive> = [
  lazy(
    "a million entries",
    layer("entries"),
    function* () {
      const block = header({ [at.name]: "d/0000000" })
      yield* repeated(1_000_000, (index) => {
        block.set(ascii(String(index).padStart(7, "0")), 2)
        return new Uint8Array(sign(block))
      })
      yield end
    },
    { entries: 20_000 }
  ),
  lazy(
    "files that add up",
    layer("expandedSize"),
    function* () {
      yield* repeated(2000, (index) => file(`f${index}`, "a".repeat(1024)))
      yield end
    },
    { expandedBytes: 2 ** 20 }
  )
]

const zeros = 4 << 20

/** A file without end, of zeros; each piece is a member or frame of its own. */
const bomb = (
  compression: "gzip" | "zstd",
  compress: (bytes: Uint8Array) => Uint8Array
): HostileArchive => ({
  name: `a bomb of ${compression}`,
  compression,
  pieces: function* () {
    yield compress(header({ [at.size]: octal(2 ** 32) }))
    const piece = compress(new Uint8Array(zeros))
    for (let count = 0; count < 2 ** 10; count++) yield piece
  },
  limits: { ratioFloor: 2 * zeros },
  over: layer("ratio"),
  alone: layer("ratio")
})

const damagedBy = (
  name: string,
  compression: "gzip" | "zstd",
  change: (bytes: Uint8Array) => Uint8Array
): HostileArchive => {
  const whole = concat(file("f", "evil"), end)
  const bytes = new Uint8Array(compression === "gzip" ? gzipSync(whole) : zstdCompressSync(whole))
  const outcome: Outcome = { _tag: "Refused", by: "compression" }
  const pieces = () => [change(new Uint8Array(bytes))]
  return { name, compression, pieces, limits: {}, over: outcome, alone: outcome }
}

const compressed: ReadonlyArray<HostileArchive> = [
  bomb("gzip", (bytes) => gzipSync(bytes)),
  bomb("zstd", (bytes) => zstdCompressSync(bytes)),
  damagedBy("gzip that ends early", "gzip", (bytes) => bytes.subarray(0, bytes.length - 12)),
  damagedBy("gzip with a wrong checksum", "gzip", (bytes) => {
    bytes[bytes.length - 8]! ^= 1
    return bytes
  }),
  damagedBy("zstd that ends early", "zstd", (bytes) => bytes.subarray(0, bytes.length - 8)),
  damagedBy("zstd that is damaged", "zstd", (bytes) => bytes.fill(0xff, 6, 20)),
  raw(
    "xz",
    { _tag: "Refused", by: "compression" },
    Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 0, 0)
  )
]

export const hostileArchives: ReadonlyArray<HostileArchive> = [
  ...paths,
  ...symlinks,
  ...hardlinks,
  ...devices,
  ...whiteouts,
  ...broken,
  ...extensions,
  ...many,
  ...compressed
]
