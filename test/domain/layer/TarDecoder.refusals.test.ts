import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { finish, start, step, type TarEvent } from "../../../src/domain/layer/TarDecoder.ts"
import { defaultLimits, type TarLimits } from "../../../src/domain/layer/TarLimits.ts"
import {
  ascii,
  at,
  concat,
  decode,
  end,
  fixture,
  fixtures,
  header,
  inPieces,
  octal,
  padded,
  pax,
  sign,
  character
} from "./archives.ts"

const file = concat(header({ [at.size]: octal(3) }), padded(ascii("abc")))
const long = (type: "L" | "K", name: string): Uint8Array =>
  concat(
    header({ [at.typeflag]: type, [at.size]: octal(name.length + 1) }),
    padded(ascii(`${name}\0`))
  )
const link = header({ [at.typeflag]: "2", [at.linkname]: "target" })
const record = (text: string): Uint8Array =>
  concat(header({ [at.typeflag]: "x", [at.size]: octal(text.length) }), padded(ascii(text)))

const errorOf = (archive: Uint8Array, limits: Partial<TarLimits> = {}) => {
  const decoded = decode([archive], limits)
  expect(decoded.outline.at(-1)).toBe("Failed")
  return decoded.error!
}

describe("a checksum", () => {
  it("that does not agree is an error at the header", () => {
    const archive = concat(file, header())
    archive[1024 + 5]! ^= 1
    expect(errorOf(archive)).toMatchObject({ kind: "damaged", offset: 1024 })
  })

  it("may be the sum of signed bytes", () => {
    const block = header({ [at.name]: Uint8Array.of(0xc3, 0xa9) })
    const unsigned = Number.parseInt(new TextDecoder().decode(block.subarray(148, 154)), 8)
    block.set(ascii((unsigned - 512).toString(8).padStart(6, "0")), 148)
    expect(decode([block]).files[0]!.entry.path).toBe("é")
  })

  it("makes text and compressed data no archive", () => {
    expect(errorOf(padded(ascii("no archive at all"))).message).toMatch(
      /at byte 0: .*checksum.*no tar archive/
    )
  })
})

describe("an archive that ends too early", () => {
  it.each([
    ["in a header", file.subarray(0, 511)],
    ["in a header after a file", concat(file, header().subarray(0, 1))],
    ["in the data of a file", file.subarray(0, 514)],
    ["before the data of a file", file.subarray(0, 512)],
    ["after a long name", long("L", "name")],
    ["in a pax header", pax("x", ["path", "name"]).subarray(0, 520)],
    ["after a pax header", pax("x", ["path", "name"])],
    ["in the second block of zeros", concat(file, end.subarray(0, 700))]
  ])("%s is truncated", (_, archive) => {
    expect(errorOf(archive)).toMatchObject({ kind: "truncated", offset: archive.length })
  })

  it("names the file whose data is missing", () => {
    expect(errorOf(file.subarray(0, 514)).entry).toBe("name")
  })

  it("with its end right after a pax header is damaged", () => {
    expect(errorOf(concat(pax("x", ["path", "name"]), end)).kind).toBe("damaged")
  })

  it("with one block of zeros in the middle is damaged", () => {
    expect(errorOf(concat(file, end.subarray(512), file))).toMatchObject({ kind: "damaged" })
  })
})

describe("a header", () => {
  it.each([
    ["a size that is no number", { [at.size]: "12z4567890\0" }, "size"],
    ["a size below zero", { [at.size]: new Uint8Array(12).fill(0xff) }, "size"],
    [
      "a size beyond 2^53",
      { [at.size]: Uint8Array.of(0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0) },
      "size"
    ],
    [
      "a size below zero and no file",
      { [at.typeflag]: "x", [at.size]: new Uint8Array(12).fill(0xff) },
      "size"
    ],
    ["a mode that is no number", { [at.mode]: "rwxr-xr-" }, "mode"],
    ["an id of 33 bits", { [at.uid]: Uint8Array.of(0x80, 0, 0, 1, 0, 0, 0, 0) }, "uid"],
    ["the id -1, which leaves the owner alone", { [at.gid]: new Uint8Array(8).fill(0xff) }, "gid"],
    ["a link to nothing", { [at.typeflag]: "2" }, "link to nothing"]
  ])("with %s is damaged", (_, fields, reason) => {
    expect(errorOf(header(fields))).toMatchObject({
      kind: "damaged",
      reason: expect.stringContaining(reason)
    })
  })

  it("of a type that is no file is unsupported", () => {
    const error = errorOf(header({ [at.typeflag]: "M" }))
    expect(error).toMatchObject({ kind: "unsupported", entry: "name" })
    expect(error.message).toContain('"M"')
  })
})

describe("a pax header", () => {
  it.each([
    ["without a length", "path=name\n"],
    ["with a length of zero", "0 path=name\n"],
    ["with a length beyond its end", "99 path=name\n"],
    ["with a length that is too short", "10 path=name\n"],
    ["without a key", "9 =name\n\n"],
    ["without a value", "12 pathname\n"],
    ["with zeros after its records", "13 path=name\n\0\0"]
  ])("%s is damaged", (_, body) => {
    const error = errorOf(concat(record(body), header()))
    expect(error).toMatchObject({ kind: "damaged", offset: 0 })
    expect(error.reason).toContain("LENGTH KEY=VALUE")
  })

  it.each([
    ["a size that is no number", ["size", "abc"], "malformed"],
    ["a size below zero", ["size", "-1"], "malformed"],
    ["a time that is none", ["mtime", "noon"], "malformed"],
    ["an id of 33 bits", ["uid", "4294967296"], "malformed"],
    ["a NUL in a name", ["path", "a\0b"], "NUL"],
    ["an attribute without name", ["SCHILY.xattr.", "a"], "no name"],
    ["an attribute in no base64", ["LIBARCHIVE.xattr.user.a", "*"], "not well encoded"],
    ["an attribute in cut base64", ["LIBARCHIVE.xattr.user.a", "YWJjZ"], "not well encoded"],
    [
      "an attribute with half a quoted byte",
      ["LIBARCHIVE.xattr.user.%6", "YQ"],
      "not well encoded"
    ],
    ["the length of a part but no offset", ["GNU.sparse.numbytes", "1"], "GNU.sparse.offset"],
    ["a sparse file without a size", ["GNU.sparse.map", "0,1"], "size is missing"]
  ] as const)("with %s is damaged", (_, pair, reason) => {
    const error = errorOf(concat(pax("x", pair), header()))
    expect(error).toMatchObject({ kind: "damaged", offset: 0 })
    expect(error.reason).toContain(reason)
  })

  it.each([
    ["0,2,1,1", "overlap"],
    ["5,2,0,1", "out of order"],
    ["0,2,2", "offset without a length"],
    ["0,2,8,1,9,2", "end at byte 11 of 10"]
  ])("with the map %s of a sparse file is damaged", (map, reason) => {
    const records = pax("x", ["GNU.sparse.size", "10"], ["GNU.sparse.map", map])
    const error = errorOf(concat(records, header({ [at.size]: octal(3) }), padded(ascii("abc"))))
    expect(error).toMatchObject({ kind: "damaged", offset: 0 })
    expect(error.reason).toContain(reason)
  })

  it("with a sparse format of the future is unsupported", () => {
    const records = pax(
      "x",
      ["GNU.sparse.major", "2"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", "1"]
    )
    expect(errorOf(concat(records, header())).kind).toBe("unsupported")
  })
})

describe("a sparse file", () => {
  const sparse = (map: string, size: number, stored: number): Uint8Array =>
    concat(
      pax(
        "x",
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.realsize", String(size)]
      ),
      header({ [at.size]: octal(stored) }),
      padded(ascii(map)),
      new Uint8Array(1024)
    )

  it("is taken when its map agrees", () => {
    expect(decode([sparse("1\n5\n3\n", 10, 515)]).error).toBeUndefined()
  })

  it.each([
    ["beyond its size", "1\n9\n3\n", 10, 515],
    ["with more data than the archive has", "1\n0\n4\n", 10, 515],
    ["without a number of parts", "many\n5\n3\n", 10, 515],
    ["with parts that are no numbers", "1\nx\n3\n", 10, 515],
    ["whose parts overlap", "2\n0\n3\n2\n3\n", 10, 518],
    ["whose parts are out of order", "2\n5\n3\n0\n3\n", 10, 518],
    ["with fewer parts than said", "2\n5\n3\n", 10, 515],
    ["whose map ends with a line without end", `1\n${"0".repeat(510)}`, 10, 1024 * 1024]
  ])("%s is damaged", (_, map, size, stored) => {
    expect(errorOf(sparse(map, size, stored))).toMatchObject({ kind: "damaged", entry: "name" })
  })
})

describe("a GNU sparse file", () => {
  it("keeps nothing of blocks that go on with its map but are empty", () => {
    const more = new Uint8Array(512)
    more[504] = 1
    const [, one] = step(start(), concat(header({ [at.typeflag]: "S", 482: "\x01" }), more))
    const [, many] = step(one, concat(...Array.from({ length: 50 }, () => more)))
    expect({ ...many, offset: 0 }).toEqual({ ...one, offset: 0 })
    expect(finish(many)).toMatchObject([{ _tag: "Failed", error: { kind: "truncated" } }])
  })
})

describe("limits", () => {
  const cases: ReadonlyArray<readonly [keyof TarLimits, number, Uint8Array, Uint8Array]> = [
    ["entries", 2, concat(file, file), concat(file, file, file)],
    [
      "pathBytes",
      10,
      concat(long("L", "0123456789"), file),
      concat(long("L", "0123456789a"), file)
    ],
    [
      "pathBytes",
      10,
      concat(long("K", "0123456789"), link),
      concat(long("K", "0123456789a"), link)
    ],
    [
      "pathBytes",
      10,
      concat(pax("x", ["path", "é".repeat(5)]), file),
      concat(pax("x", ["path", "é".repeat(6)]), file)
    ],
    [
      "pathBytes",
      5,
      link.fill(0, at.linkname + 5, at.linkname + 6) && sign(link),
      header({ [at.name]: "sixsix" })
    ],
    [
      "paxBytes",
      512,
      pax("g", ["comment", "a".repeat(490)]),
      pax("g", ["comment", "a".repeat(510)])
    ],
    [
      "xattrNamesBytes",
      14,
      concat(
        pax(
          "x",
          ["SCHILY.xattr.user.a", "1"],
          ["SCHILY.xattr.user.b", "2"],
          ["SCHILY.xattr.user.a", "3"],
          ["SCHILY.xattr.trusted.c", "4"]
        ),
        file
      ),
      concat(pax("x", ["SCHILY.xattr.user.a", "1"], ["SCHILY.xattr.user.bc", "2"]), file)
    ],
    [
      "xattrBytes",
      4,
      concat(pax("x", ["SCHILY.xattr.user.a", "1234"]), file),
      concat(pax("x", ["SCHILY.xattr.user.a", "12345"]), file)
    ],
    ["expandedBytes", 6, concat(file, file), concat(file, file, file)],
    ["fragments", 60, fixture("gnu-sparse-0.0"), fixture("gnu-sparse-0.0")],
    ["fragments", 60, fixture("gnu-sparse-0.1"), fixture("gnu-sparse-0.1")],
    ["fragments", 60, fixture("gnu-sparse-1.0"), fixture("gnu-sparse-1.0")],
    ["fragments", 60, fixture("gnu-sparse-old"), fixture("gnu-sparse-old")]
  ]

  it.each(cases)(
    "on %s of %i let that many pass and stop one more",
    (limit, most, within, beyond) => {
      const sparse = limit === "fragments" ? 1 : 0
      expect(decode([within], { [limit]: most + sparse }).error).toBeUndefined()
      const error = errorOf(beyond, { [limit]: most - sparse })
      expect(error.kind).toBe("limit")
      expect(error.message).toContain(`raise the limit ${limit}`)
    }
  )

  it("hold for a file that is nearly all hole", () => {
    expect(errorOf(fixture("gnu-huge"), { expandedBytes: 2 ** 33 }).kind).toBe("limit")
  })

  it("let a small archive name nothing that memory can't hold", () => {
    const bomb = pax(
      "x",
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", "1"]
    )
    const map = padded(ascii(`${"9".repeat(15)}\n`))
    expect(errorOf(concat(bomb, header({ [at.size]: octal(2 ** 30) }), map)).kind).toBe("limit")
  })
})

/** Runs an archive through the decoder in chunks of `size` bytes and gives all events. */
const eventsOf = (archive: Uint8Array, size: number): ReadonlyArray<TarEvent> => {
  let decoder = start()
  const events: Array<TarEvent> = []
  for (const chunk of inPieces(archive, size)) {
    const [found, next] = step(decoder, chunk)
    events.push(...found)
    decoder = next
  }
  return [...events, ...finish(decoder)]
}

/**
 * What holds of any input: one end, at the end; every Entry has its EntryEnd unless that was the
 * failure.
 */
const isWellFormed = (events: ReadonlyArray<TarEvent>): void => {
  const tags = events.map((event) => event._tag)
  expect(["End", "Failed"]).toContain(tags.at(-1))
  expect(tags.filter((tag) => tag === "End" || tag === "Failed")).toHaveLength(1)
  const outline = tags.filter((tag) => tag !== "Data").join(" ")
  expect(outline).toMatch(/^(Entry EntryEnd )*((Entry )?Failed|End)$/)
}

describe("whatever the bytes", () => {
  const mutation = fc.record({
    name: fc.constantFrom(...fixtures),
    changes: fc.array(
      fc.record({ place: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) }),
      {
        minLength: 1,
        maxLength: 8
      }
    ),
    sign: fc.boolean(),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.constantFrom(61, 512, 65_536)
  })

  it("the decoder ends with End or Failed and never throws, for noise", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 700 }),
        (bytes, size) => {
          isWellFormed(eventsOf(bytes, size))
        }
      )
    )
  })

  it("and for archives with changed, signed again and missing bytes", () => {
    fc.assert(
      fc.property(mutation, ({ changes, cut, name, sign: resign, size }) => {
        const archive = fixture(name)
        // Most changes go to the first blocks, where the headers are.
        const reach = Math.min(archive.length, 8192)
        for (const { byte, place } of changes) archive[Math.floor(place * (reach - 1))] = byte
        if (resign) {
          for (let block = 0; block < reach; block += 512) {
            if (archive[block + at.magic] === 0x75) sign(archive, block)
          }
        }
        isWellFormed(
          eventsOf(
            cut < 0.5 ? archive : archive.subarray(0, Math.floor(cut * archive.length)),
            size
          )
        )
      }),
      { numRuns: 500 }
    )
  })

  it("and for any records in a pax header", () => {
    const key = fc.constantFrom(
      "path",
      "linkpath",
      "size",
      "uid",
      "mtime",
      "GNU.sparse.major",
      "GNU.sparse.minor",
      "GNU.sparse.map",
      "GNU.sparse.offset",
      "GNU.sparse.numbytes",
      "GNU.sparse.size",
      "GNU.sparse.realsize",
      "GNU.sparse.name",
      "SCHILY.xattr.user.a",
      "LIBARCHIVE.xattr.user.%61"
    )
    const value = fc.oneof(
      fc.constantFrom(
        "0",
        "1",
        "512",
        "1,2",
        "0,3,3,0",
        "-1",
        "1e9",
        "9".repeat(19),
        "9".repeat(400),
        "YQ",
        "YQ=="
      ),
      fc.string({ unit: character, maxLength: 20 })
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 6 }), (records) => {
        isWellFormed(
          eventsOf(concat(pax("x", ...records), file, padded(ascii("1\n0\n3\n")), end), 65_536)
        )
      }),
      { numRuns: 500 }
    )
  })

  it("a step leaves its decoder as it was, so that it may be taken again", () => {
    fc.assert(
      fc.property(fc.constantFrom(...fixtures), fc.nat(20_000), (name, cut) => {
        const archive = fixture(name)
        const [, decoder] = step(start(defaultLimits), archive.subarray(0, cut))
        const rest = archive.subarray(cut)
        expect(step(decoder, rest)).toEqual(step(decoder, rest))
      })
    )
  })
})
