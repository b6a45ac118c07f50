/** Layers on this kernel: what only a real one has, and what becomes of an unpacking that is given up. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { beforeEach, describe, expect, it } from "vitest"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { type DirectoryEntry, nodeAt } from "../../../src/domain/layer/Tree.ts"
import { decodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { eventually, linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

const plain: TarEntry = {
  path: "", type: "file", mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", size: 0,
  mtime: { seconds: 1_000_000_000, nanoseconds: 0 }, linkpath: "", devmajor: 0, devminor: 0, xattrs: new Map(),
  sparse: null
}

type Wanted = Partial<TarEntry> & { readonly path: string; readonly data?: Buffer }

const tarOf = (...entries: ReadonlyArray<Wanted>): Uint8Array =>
  Buffer.concat([
    ...entries.flatMap(({ data = Buffer.alloc(0), ...entry }) => [
      Result.getOrThrow(encodeHeader({ ...plain, size: data.length, ...entry })), data, padding(data.length)
    ]),
    endOfArchive
  ])

/** `cap_net_bind_service+p` as struct vfs_cap_data, revision 2. */
const capability = Uint8Array.from([0, 0, 0, 2, 0, 4, 0, 0, ...Array.from({ length: 12 }, () => 0)])

/** struct posix_acl_xattr_header, version 2, and entries of tag, permissions, id: user::rwx, user:7:rwx, group::r-x, mask, other. */
const accessList = ((): Uint8Array => {
  const bytes = Buffer.alloc(4 + 5 * 8)
  bytes.writeUInt32LE(2)
  const entries = [[1, 7, 0xffffffff], [2, 7, 7], [4, 5, 0xffffffff], [0x10, 7, 0xffffffff], [0x20, 5, 0xffffffff]] as const
  entries.forEach(([tag, permissions, id], index) => {
    bytes.writeUInt16LE(tag, 4 + index * 8)
    bytes.writeUInt16LE(permissions, 6 + index * 8)
    bytes.writeUInt32LE(id, 8 + index * 8)
  })
  return new Uint8Array(bytes)
})()

describe.skipIf(obstacle !== undefined)("layers on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => join(linux.directory, name)

  beforeEach(() => {
    for (const name of ["layer", "below"]) {
      fs.rmSync(at(name), { recursive: true, force: true })
      fs.mkdirSync(at(name))
    }
  })

  const unpack = async (
    archive: Uint8Array, form: "overlay" | "flat" = "overlay", below: ReadonlyArray<string> = [], name = "layer"
  ) => {
    const { archive: handle } = await linux.perform("LayerWrite", { path: at(name), form })
    await linux.perform("ArchivePush", { archive: handle, data: archive, last: true })
    const done = await linux.perform("LayerFinish", { archive: handle, below })
    await linux.perform("ArchiveClose", { archive: handle })
    return done
  }
  const listed = async (name = "layer") => {
    const root = { _tag: "Directory", path: at(name) } as const
    return Result.getOrThrow(decodeListing(await linux.perform("TreeList", { root, path: "/", limit: 1 << 20 })))
  }

  it("keep owners beyond 2^21, set-id bits, times to the nanosecond and capabilities", async () => {
    const mtime = { seconds: 1_234_567_890, nanoseconds: 987_654_321 }
    const xattrs = new Map([["security.capability", capability], ["user.note", Uint8Array.of(0, 255)]])
    await unpack(tarOf({
      path: "bin/tool", mode: 0o6755, uid: 3_000_000, gid: 2 ** 31, mtime, xattrs, data: Buffer.from("tool")
    }, { path: "bin", type: "dir", mode: 0o1777, uid: 2 ** 22, mtime }))
    const tree = await listed()
    expect(nodeAt(tree, "bin/tool")).toMatchObject({ mode: 0o6755, uid: 3_000_000, gid: 2 ** 31, mtime, xattrs })
    expect(nodeAt(tree, "bin")).toMatchObject({ mode: 0o1777, uid: 2 ** 22, mtime })
  })

  it("let no file inherit an access control list that its entry has not", async () => {
    const acl = new Map([["system.posix_acl_default", accessList]])
    const archive = tarOf(
      { path: "d", type: "dir", mode: 0o750, xattrs: acl }, { path: "d/f", mode: 0o604 }, { path: "d/e/f", mode: 0o600 },
      { path: "d/e", type: "dir", mode: 0o701 }
    )
    for (const form of ["overlay", "flat"] as const) {
      await unpack(archive, form)
      const tree = await listed()
      const seen = ["d", "d/f", "d/e", "d/e/f"].map((path) => [nodeAt(tree, path)!.mode, [...nodeAt(tree, path)!.xattrs.keys()]])
      expect(seen).toEqual([[0o750, ["system.posix_acl_default"]], [0o604, []], [0o701, []], [0o600, []]])
      fs.rmSync(at("layer"), { recursive: true })
      fs.mkdirSync(at("layer"))
    }
  })

  it("give implied directories the attributes of those below, but none of overlayfs's own", async () => {
    const xattrs = new Map([["user.a", Uint8Array.of(1)], ["system.posix_acl_default", accessList]])
    await unpack(tarOf({ path: "d", type: "dir", mode: 0o2710, uid: 7, xattrs }, { path: "d/.wh..wh..opq" }), "overlay", [], "below")
    expect([...nodeAt(await listed("below"), "d")!.xattrs.keys()].sort()).toContain("trusted.overlay.opaque")
    await unpack(tarOf({ path: "d/f" }), "overlay", [at("below")])
    expect(nodeAt(await listed(), "d")).toMatchObject({ mode: 0o2710, uid: 7, xattrs } satisfies Partial<DirectoryEntry>)
  })

  it("refuse to guess where a directory that is implied is a symlink below", async () => {
    await unpack(tarOf({ path: "d", type: "symlink", linkpath: "e" }), "overlay", [], "below")
    const { archive } = await linux.perform("LayerWrite", { path: at("layer"), form: "overlay" })
    await linux.perform("ArchivePush", { archive, data: tarOf({ path: "d/f" }), last: true })
    const error = await linux.failure("LayerFinish", { archive, below: [at("below")] })
    expect(error).toMatchObject({ op: "LayerFinish", errno: "EINVAL", path: at("layer") })
    expect(error.hint).toMatch(/^layer: "d": .*symlink.*unpack it over the layers below/)
    await linux.perform("ArchiveClose", { archive })
  })

  it("leave the time of a directory alone that was there and that no entry describes", async () => {
    fs.mkdirSync(at("layer/d"))
    fs.writeFileSync(at("layer/d/old"), "")
    fs.utimesSync(at("layer/d"), 5, 5)
    fs.utimesSync(at("layer"), 6, 6)
    await unpack(tarOf({ path: "d/new" }, { path: "d/.wh.old" }), "flat")
    expect([fs.readdirSync(at("layer/d")), fs.statSync(at("layer/d")).mtimeMs, fs.statSync(at("layer")).mtimeMs])
      .toEqual([["new"], 5000, 6000])
  })

  it("make a hard link also in the place of the directory that its file is in", async () => {
    const { contents } = await unpack(tarOf(
      { path: "x/y", data: Buffer.from("kept") }, { path: "x", type: "hardlink", linkpath: "x/y" }
    ))
    expect([fs.readFileSync(at("layer/x"), "utf8"), fs.readdirSync(at("layer")), contents]).toEqual(["kept", ["x"], 4])
  })

  it("keep holes", async () => {
    const size = 1 << 30
    const text = "1\n1048576\n4\n"
    const body = Buffer.concat([Buffer.from(text.padEnd(512, "\0")), Buffer.from("data"), padding(4)])
    const records = ["GNU.sparse.major=1", "GNU.sparse.minor=0", `GNU.sparse.realsize=${size}`].map((record) => {
      const length = record.length + 4
      return `${length} ${record}\n`
    }).join("")
    const header = Buffer.from(Result.getOrThrow(encodeHeader({ ...plain, path: "x", size: records.length })))
    header[156] = 0x78
    header.fill(0x20, 148, 156)
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148)
    const file = Result.getOrThrow(encodeHeader({ ...plain, path: "holes", size: 516 }))
    const { contents } = await unpack(Buffer.concat([header, Buffer.from(records), padding(records.length), file, body, endOfArchive]))
    const status = fs.statSync(at("layer/holes"))
    expect([status.size, contents, status.blocks < 100]).toEqual([size, size, true])
  })

  it("are given up at once, and leave no descriptor and nobody at work", async () => {
    const before = openDescriptors()
    const many = tarOf(...Array.from({ length: 20_000 }, (_, index) => ({ path: `d/${index}`, data: Buffer.from("x") })))
    const program = Effect.gen(function*() {
      const { archive } = yield* perform("LayerWrite", { path: at("layer"), form: "overlay" })
      return yield* Effect.ensuring(
        perform("ArchivePush", { archive, data: many, last: true }), Effect.orDie(perform("ArchiveClose", { archive }))
      )
    })
    const fiber = linux.fork(program)
    await eventually(() => fs.existsSync(at("layer/d/10")))
    await Effect.runPromise(Fiber.interrupt(fiber))
    const count = fs.readdirSync(at("layer/d")).length
    expect(count).toBeLessThan(20_000)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(fs.readdirSync(at("layer/d")).length).toBe(count)
    expect(openDescriptors()).toEqual(before)
  })

  it("can be closed while a thread is at work, which then stops", async () => {
    const before = openDescriptors()
    const many = tarOf(...Array.from({ length: 5000 }, (_, index) => ({ path: `d/${index}`, data: Buffer.alloc(100) })))
    const { archive } = await linux.perform("LayerWrite", { path: at("layer"), form: "overlay" })
    await linux.perform("ArchivePush", { archive, data: many, last: false })
    await linux.perform("ArchiveClose", { archive })
    await linux.perform("TreeRemove", { path: at("layer") })
    expect(fs.existsSync(at("layer"))).toBe(false)
    expect(openDescriptors()).toEqual(before)
    expect((await linux.failure("LayerFinish", { archive, below: [] })).errno).toBe("EBADF")
  })

  describe("compressed", () => {
    const plainBytes = tarOf(...Array.from({ length: 40 }, (_, index) => ({
      path: `f${index}`, data: Buffer.alloc(100_000, `${index} `)
    })))
    const diffId = `sha256:${createHash("sha256").update(plainBytes).digest("hex")}`
    const half = plainBytes.length >> 1
    const halves = [plainBytes.subarray(0, half), plainBytes.subarray(half)]
    const joined = (compress: (bytes: Uint8Array) => Uint8Array) => Buffer.concat(halves.map(compress))
    const pushed = async (bytes: Uint8Array, pieceBytes: number) => {
      const { archive } = await linux.perform("LayerWrite", { path: at("layer"), form: "overlay" })
      try {
        for (let from = 0; from < bytes.length; from += pieceBytes) {
          await linux.perform("ArchivePush", { archive, data: bytes.subarray(from, from + pieceBytes), last: false })
        }
        await linux.perform("ArchivePush", { archive, data: new Uint8Array(0), last: true })
        return await linux.perform("LayerFinish", { archive, below: [] })
      } finally {
        await linux.perform("ArchiveClose", { archive })
      }
    }
    const whole: ReadonlyArray<readonly [string, Uint8Array]> = [
      ["not at all", plainBytes], ["with gzip", gzipSync(plainBytes)], ["with zstd", zstdCompressSync(plainBytes)],
      ["with gzip in several members", joined((bytes) => gzipSync(bytes))],
      ["with gzip, zeros after it", Buffer.concat([gzipSync(plainBytes), Buffer.alloc(1000)])],
      ["with zstd in several frames", joined((bytes) => zstdCompressSync(bytes))]
    ]

    it.each(whole)("%s, they are the same, whatever pieces they come in", async (_, bytes) => {
      for (const pieceBytes of [bytes.length, 65_536, 1000]) {
        fs.rmSync(at("layer"), { recursive: true, force: true })
        fs.mkdirSync(at("layer"))
        const done = await pushed(bytes, pieceBytes)
        expect(done).toMatchObject({ diffId, size: plainBytes.length, contents: 4_000_000 })
        expect(fs.readFileSync(at("layer/f39"))).toEqual(Buffer.alloc(100_000, "39 "))
      }
    })

    it.each(whole.slice(1))("%s, a byte that is missing or wrong is told", async (_, bytes) => {
      const start = bytes.subarray(0, bytes.length - (bytes.length > 900 && bytes.at(-1) === 0 ? 1001 : 1))
      const wrong = Uint8Array.from(bytes)
      wrong[bytes.length >> 2]! ^= 0x55
      for (const broken of [start, wrong]) {
        fs.rmSync(at("layer"), { recursive: true, force: true })
        fs.mkdirSync(at("layer"))
        await expect(pushed(broken, 65_536)).rejects.toThrow()
      }
    })

    it("with what nobody made after it, they are refused", async () => {
      const garbage = Buffer.from("what is this?")
      await expect(pushed(Buffer.concat([gzipSync(plainBytes), garbage]), 1 << 20)).rejects.toThrow()
      await expect(pushed(Buffer.concat([zstdCompressSync(plainBytes), garbage]), 1 << 20)).rejects.toThrow()
    })
  })

  it("take two pushes at once for a mistake", async () => {
    const { archive } = await linux.perform("LayerWrite", { path: at("layer"), form: "overlay" })
    const data = tarOf({ path: "f", data: Buffer.alloc(3 << 20) })
    const [first, second] = await Promise.allSettled([
      linux.perform("ArchivePush", { archive, data, last: true }), linux.perform("ArchivePush", { archive, data, last: true })
    ])
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"])
    await linux.perform("ArchiveClose", { archive })
  })
})
