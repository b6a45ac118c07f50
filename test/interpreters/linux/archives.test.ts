import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import * as Result from "effect/Result"
import { perform } from "../../../src/programs/Kernel.ts"
import { linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

const plain: TarEntry = {
  path: "", type: "file", mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", size: 0,
  mtime: { seconds: 1_000_000_000, nanoseconds: 0 }, linkpath: "", devmajor: 0, devminor: 0, xattrs: new Map(),
  sparse: null
}

/** A tar archive of entries; `text` is the data of a file. */
const tarOf = (
  ...entries: ReadonlyArray<Partial<TarEntry> & { readonly path: string; readonly text?: string }>
): Buffer =>
  Buffer.concat([
    ...entries.flatMap(({ text = "", ...entry }) => {
      const data = Buffer.from(text)
      return [Result.getOrThrow(encodeHeader({ ...plain, ...entry, size: data.length })), data, padding(data.length)]
    }),
    endOfArchive
  ])

/** What can be seen of each path below a directory, names as bytes. */
const observe = (root: string): ReadonlyArray<string> =>
  execFileSync("find", [".", "-mindepth", "1", "-printf", "%p|%y|%m|%U|%G|%l|%T@|%n|%s\n"], { cwd: root })
    .toString("latin1").split("\n").sort()
    // The size of a directory is the file system's business.
    .map((line) => /\|d\|/.test(line) ? line.replace(/\|[0-9]+\|[0-9]+$/, "") : line)

const allAttributes = ["--xattrs", "--xattrs-include=*"]

/** GNU tar on an archive: its output. What it has to say of keywords it doesn't know is of no interest. */
const gnuTar = (words: ReadonlyArray<string>, input: Buffer): string =>
  execFileSync("tar", words, { input, stdio: ["pipe", "pipe", "ignore"], maxBuffer: 1 << 30 }).toString("latin1")

/** The extended attributes of a file as GNU tar writes them down: `NAME=VALUE`, sorted. */
const attributesOf = (path: string): ReadonlyArray<string> => {
  const archive = execFileSync("tar", ["-cP", ...allAttributes, "--format=pax", path]).toString("latin1")
  return [...archive.matchAll(/([0-9]+) SCHILY\.xattr\.([^=]+)=/g)].map((match) => {
    const start = match.index + match[0].length
    const end = match.index + Number(match[1]) - 1
    return `${match[2]}=${archive.slice(start, end)}`
  }).sort()
}

/** `cap_net_bind_service+p` as struct vfs_cap_data, revision 2. */
const capability = Uint8Array.from([0, 0, 0, 2, 0, 4, 0, 0, ...Array.from({ length: 12 }, () => 0)])

describe.skipIf(obstacle !== undefined)("archives on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`
  const directory = (path: string): RootSource => ({ _tag: "Directory", path })
  let target = ""
  let made = 0
  beforeEach(() => {
    target = at(`target-${made++}`)
    fs.mkdirSync(target)
  })

  const pullAll = async (
    root: RootSource, path: string, name: string, follow = false
  ): Promise<Buffer> => {
    const { archive } = await linux.perform("ArchiveRead", { root, path, name, follow })
    const pieces: Array<Uint8Array> = []
    for (;;) {
      const piece = await linux.perform("ArchivePull", { archive })
      if (piece.length === 0) break
      pieces.push(piece)
    }
    expect(await linux.perform("ArchivePull", { archive })).toHaveLength(0)
    await linux.perform("ArchiveClose", { archive })
    return Buffer.concat(pieces)
  }

  interface Sink {
    readonly root?: RootSource
    readonly path?: string
    readonly strict?: boolean
    readonly owner?: { readonly uid: number; readonly gid: number }
    /** Bytes of each push. */
    readonly piece?: number
  }
  const openSink = ({ owner, path = "/", root = directory(target), strict = false }: Sink) =>
    linux.perform("ArchiveWrite", {
      root, path, noOverwriteDirNonDir: strict, ...(owner === undefined ? {} : { owner })
    })
  const pushAll = async (data: Uint8Array, sink: Sink = {}): Promise<void> => {
    const { archive } = await openSink(sink)
    const piece = sink.piece ?? 100_000
    try {
      for (let start = 0; start < data.length; start += piece) {
        await linux.perform("ArchivePush", { archive, data: data.subarray(start, start + piece), last: false })
      }
      await linux.perform("ArchivePush", { archive, data: new Uint8Array(0), last: true })
    } finally {
      await linux.perform("ArchiveClose", { archive })
    }
  }
  const pushFailure = (data: Uint8Array, sink: Sink = {}) =>
    pushAll(data, sink).then(
      () => Promise.reject(new Error("should have failed")),
      (error: unknown) => error as { readonly errno: string; readonly hint?: string }
    )

  describe("of a tree with everything in it", () => {
    let tree = ""
    beforeAll(() => {
      tree = at("tree")
      fs.mkdirSync(`${tree}/dir/empty`, { recursive: true })
      fs.writeFileSync(`${tree}/file`, "content", { mode: 0o604 })
      fs.writeFileSync(`${tree}/dir/large`, Buffer.alloc(3_000_001, "0123456789"))
      fs.writeFileSync(`${tree}/dir/zero`, "")
      fs.linkSync(`${tree}/dir/large`, `${tree}/another-name`)
      fs.writeFileSync(`${tree}/setuid`, "x")
      fs.chownSync(`${tree}/setuid`, 1234, 70_000)
      fs.chmodSync(`${tree}/setuid`, 0o6755)
      fs.chmodSync(`${tree}/dir/empty`, 0o1770)
      fs.symlinkSync("../outside/ü", `${tree}/dir/link`)
      fs.lchownSync(`${tree}/dir/link`, 55, 66)
      execFileSync("mknod", [`${tree}/null`, "c", "1", "3"])
      execFileSync("mknod", [`${tree}/disk`, "b", "259", "300"])
      execFileSync("mkfifo", [`${tree}/fifo`])
      fs.writeFileSync(Buffer.concat([Buffer.from(`${tree}/bytes-`), Buffer.from([0xff, 0xfe])]), "no UTF-8")
      fs.writeFileSync(`${tree}/${"name".repeat(60)}`, "long")
      fs.mkdirSync(`${tree}/${"deep/".repeat(60)}`, { recursive: true })
      const xattrs = new Map<string, Uint8Array>([
        ["user.note", Buffer.from("a\0=%b")], ["trusted.private", Buffer.from("stays here")],
        ["security.capability", capability]
      ])
      gnuTar(["-xp", ...allAttributes, "-C", tree], tarOf({ path: "attributes", text: "x", xattrs }))
      fs.utimesSync(`${tree}/file`, 1, 1_234_567_890.123)
      fs.utimesSync(`${tree}/dir/empty`, 1, -5)
      fs.lutimesSync(`${tree}/dir/link`, 1, 77)
      fs.utimesSync(`${tree}/dir`, 1, 88)
    })

    it("unpacks to the same tree, as GNU tar unpacks it too", async () => {
      const archive = await pullAll(directory(tree), "/", "")
      await pushAll(archive)
      expect(observe(target)).toEqual(observe(tree))
      const expected = [`security.capability=${Buffer.from(capability).toString("latin1")}`, "user.note=a\0=%b"]
      expect(attributesOf(`${tree}/attributes`)).toEqual([expected[0], "trusted.private=stays here", expected[1]])
      expect(attributesOf(`${target}/attributes`)).toEqual(expected)
      expect(fs.readFileSync(`${target}/dir/large`).equals(fs.readFileSync(`${tree}/dir/large`))).toBe(true)
      const other = at("by-gnu-tar")
      fs.mkdirSync(other)
      gnuTar(["-xp", "--numeric-owner", ...allAttributes, "-C", other], archive)
      expect(observe(other)).toEqual(observe(tree))
      expect(attributesOf(`${other}/attributes`)).toEqual(expected)
    })

    it("is the same each time, in the order of the names' bytes", async () => {
      const first = await pullAll(directory(tree), "/", "top")
      expect((await pullAll(directory(tree), "/", "top")).equals(first)).toBe(true)
      const names = gnuTar(["-t", "--quoting-style=literal"], first).trimEnd().split("\n")
      expect(names.slice(0, 3)).toEqual(["top/", "top/another-name", "top/attributes"])
      const beside = names.filter((name) => /^top\/[^/]+\/?$/.test(name)).map((name) => name.replace(/\/$/, ""))
      expect(beside).toEqual([...beside].sort())
    })

    it("arrives whole when GNU tar packed it, with gzip or zstd, in whatever pieces", async () => {
      const words = ["-c", ...allAttributes, "--format=pax", "-C", tree, "."]
      const archive = execFileSync("tar", words, { maxBuffer: 1 << 30 })
      const ways = [[gzipSync, 977], [zstdCompressSync, 50_000], [(data: Buffer) => data, 511]] as const
      for (const [compress, piece] of ways) {
        fs.rmSync(target, { recursive: true })
        fs.mkdirSync(target)
        await pushAll(compress(archive), { piece })
        expect(observe(target)).toEqual(observe(tree))
        expect(attributesOf(`${target}/attributes`)).toHaveLength(2)
      }
    })

    it("leaves sockets out", async () => {
      const server = net.createServer().listen(`${tree}/socket`)
      await new Promise((resolve) => server.once("listening", resolve))
      const archive = await pullAll(directory(tree), "/", "")
      await new Promise((resolve) => server.close(resolve))
      expect(gnuTar(["-t"], archive)).not.toContain("socket")
    })

    it("leaves no descriptor open, also when pulled in part or interrupted", async () => {
      const before = openDescriptors()
      await pullAll(directory(tree), "/", "")
      const request = { root: directory(tree), path: "/dir", name: "dir", follow: false }
      const part = await linux.perform("ArchiveRead", request)
      await linux.perform("ArchivePull", part)
      await linux.perform("ArchiveClose", part)
      const interrupted = await linux.perform("ArchiveRead", request)
      const fiber = linux.fork(perform("ArchivePull", interrupted))
      await Effect.runPromise(Fiber.interrupt(fiber))
      await linux.perform("ArchiveClose", interrupted)
      await linux.perform("ArchiveClose", interrupted)
      expect((await linux.failure("ArchivePull", interrupted)).errno).toBe("EBADF")
      expect(openDescriptors()).toEqual(before)
    })
  })

  it("of one file or one link are named as asked", async () => {
    fs.writeFileSync(`${target}/file`, "abc")
    fs.symlinkSync("/file", `${target}/link`)
    const list = async (path: string, follow: boolean) =>
      gnuTar(["-tv"], await pullAll(directory(target), path, "renamed", follow))
    expect(await list("/file", false)).toMatch(/^-.* 3 .* renamed\n$/)
    expect(await list("/link", false)).toMatch(/^l.* renamed -> \/file\n$/)
    expect(await list("/link", true)).toMatch(/^-.* 3 .* renamed\n$/)
    const failure = (path: string) =>
      linux.failure("ArchiveRead", { root: directory(target), path, name: "x", follow: true })
    expect(await failure("/missing")).toMatchObject({ op: "ArchiveRead", errno: "ENOENT", path: `${target}/missing` })
  })

  it("show the kernel's own file systems as empty directories", async () => {
    const archive = await pullAll(directory("/"), "/proc", "proc")
    expect(gnuTar(["-t"], archive)).toBe("proc/\n")
  })

  it("keep what a sparse file is", async () => {
    fs.mkdirSync(`${target}/from`)
    const file = fs.openSync(`${target}/from/sparse`, "w")
    fs.writeSync(file, "begin", 0)
    fs.writeSync(file, "middle", 10_000_000)
    fs.ftruncateSync(file, 50_000_000)
    fs.closeSync(file)
    const archive = execFileSync("tar", ["-c", "--sparse", "--format=pax", "-C", `${target}/from`, "sparse"])
    await pushAll(archive)
    const status = fs.statSync(`${target}/sparse`)
    expect(status.size).toBe(50_000_000)
    expect(status.blocks * 512).toBeLessThan(1_000_000)
    expect(fs.readFileSync(`${target}/sparse`).equals(fs.readFileSync(`${target}/from/sparse`))).toBe(true)
  })

  describe("being unpacked over what is there", () => {
    it("replace files and links, and merge directories", async () => {
      fs.mkdirSync(`${target}/dir`)
      fs.writeFileSync(`${target}/dir/kept`, "kept")
      fs.writeFileSync(`${target}/file`, "old")
      fs.linkSync(`${target}/file`, `${target}/other-name`)
      fs.writeFileSync(`${target}/victim`, "untouched")
      fs.symlinkSync("victim", `${target}/link`)
      await pushAll(tarOf(
        { path: "dir", type: "dir", mode: 0o711 }, { path: "file", text: "new" },
        { path: "link", text: "no longer a link" }
      ))
      expect(fs.readdirSync(`${target}/dir`)).toEqual(["kept"])
      expect(fs.statSync(`${target}/dir`).mode & 0o777).toBe(0o711)
      expect(fs.readFileSync(`${target}/file`, "utf8")).toBe("new")
      expect(fs.readFileSync(`${target}/other-name`, "utf8")).toBe("old")
      expect(fs.readFileSync(`${target}/victim`, "utf8")).toBe("untouched")
      expect(fs.lstatSync(`${target}/link`).isFile()).toBe(true)
    })

    const both = [
      {
        title: "a directory by a file", entry: { path: "x", text: "file" }, errno: "EISDIR",
        before: () => fs.mkdirSync(`${target}/x/y`, { recursive: true })
      },
      {
        title: "a file by a directory", entry: { path: "x", type: "dir" as const }, errno: "ENOTDIR",
        before: () => fs.writeFileSync(`${target}/x`, "file")
      }
    ]
    it.each(both)("replace $title only where that is allowed", async ({ before, entry, errno }) => {
      before()
      const error = await pushFailure(tarOf(entry), { strict: true })
      expect(error).toMatchObject({ errno, hint: "at x" })
      const was = fs.lstatSync(`${target}/x`).isDirectory()
      await pushAll(tarOf(entry))
      expect(fs.lstatSync(`${target}/x`).isDirectory()).toBe(!was)
    })

    it("make a hard link again over itself", async () => {
      const archive = tarOf({ path: "a", text: "1" }, { path: "b", type: "hardlink", linkpath: "a" })
      await pushAll(archive)
      await pushAll(archive)
      expect(fs.statSync(`${target}/a`).nlink).toBe(2)
      expect(fs.statSync(`${target}/b`).ino).toBe(fs.statSync(`${target}/a`).ino)
    })
  })

  it("give everything to the owner asked for, directories they only imply too", async () => {
    await pushAll(tarOf({ path: "a/b/file", text: "x", uid: 5, gid: 6 }), { owner: { uid: 123, gid: 456 } })
    for (const path of ["a", "a/b", "a/b/file"]) {
      const { gid, uid } = fs.statSync(`${target}/${path}`)
      expect([uid, gid]).toEqual([123, 456])
    }
  })

  it("unpack whiteouts as plain files and keep names from each other", async () => {
    await pushAll(tarOf(
      { path: "gone", text: "still here" }, { path: ".wh.gone" }, { path: "./x//y/", type: "dir" },
      { path: "/absolute", text: "1" }
    ))
    expect(fs.readdirSync(target).sort()).toEqual([".wh.gone", "absolute", "gone", "x"])
  })

  describe("of a stranger", () => {
    it("lead nowhere outside by their names", async () => {
      for (const path of ["../escaped", "a/../../escaped", "..", "a/b/../../../escaped"]) {
        expect((await pushFailure(tarOf({ path, text: "x" }))).errno).toBe("EINVAL")
      }
      const link = tarOf({ path: "x", type: "hardlink", linkpath: "../../outside" })
      expect((await pushFailure(link)).errno).toBe("EINVAL")
      expect(fs.existsSync(at("escaped"))).toBe(false)
    })

    it("lead nowhere outside by links they bring", async () => {
      fs.writeFileSync(at("outside"), "untouched")
      fs.mkdirSync(at("outside-dir"), { recursive: true })
      const archives = [
        tarOf({ path: "l", type: "symlink", linkpath: "../outside-dir" }, { path: "l/new", text: "x" }),
        tarOf({ path: "l", type: "symlink", linkpath: at("outside-dir") }, { path: "l/new", text: "x" }),
        tarOf({ path: "l", type: "symlink", linkpath: "../outside" }, { path: "l", text: "x" }),
        tarOf({ path: "l", type: "symlink", linkpath: "../outside" }, { path: "h", type: "hardlink", linkpath: "l" }),
        tarOf({ path: "l", type: "symlink", linkpath: ".." }, { path: "h", type: "hardlink", linkpath: "l/outside" })
      ]
      for (const path of ["/", "/inner"]) {
        for (const archive of archives) {
          fs.rmSync(target, { recursive: true })
          fs.mkdirSync(`${target}/inner`, { recursive: true })
          await pushAll(archive, { path }).catch(() => {})
          expect(fs.readFileSync(at("outside"), "utf8")).toBe("untouched")
          expect(fs.readdirSync(at("outside-dir"))).toEqual([])
          expect(fs.statSync(at("outside")).nlink).toBe(1)
        }
      }
    })

    it("stay below the directory they are unpacked into, also inside the root", async () => {
      fs.mkdirSync(`${target}/inner`)
      fs.mkdirSync(`${target}/etc`)
      const archive = tarOf({ path: "l", type: "symlink", linkpath: "/etc" }, { path: "l/passwd", text: "x" })
      expect((await pushFailure(archive, { path: "/inner" })).errno).toBe("EXDEV")
      expect(fs.readdirSync(`${target}/etc`)).toEqual([])
      // At the root itself the link means what it will mean to the container.
      await pushAll(archive)
      expect(fs.readdirSync(`${target}/etc`)).toEqual(["passwd"])
    })

    it("are refused when damaged, cut off or compressed in a way we don't read", async () => {
      const archive = tarOf({ path: "file", text: "x".repeat(3000) })
      expect((await pushFailure(archive.subarray(0, 2000))).errno).toBe("EBADMSG")
      expect((await pushFailure(Buffer.from("no archive at all ".repeat(100)))).errno).toBe("EBADMSG")
      expect((await pushFailure(gzipSync(archive).subarray(0, 60))).errno).toBe("EBADMSG")
      const flipped = gzipSync(Buffer.concat([archive, Buffer.alloc(100_000, "y")]))
      flipped[30]! ^= 0xff
      expect((await pushFailure(flipped)).errno).toBe("EBADMSG")
      const refused = await pushFailure(Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), archive]))
      expect(refused.hint).toContain("xz")
    })

    it("take no more memory for a bomb than for anything else", async () => {
      const bomb = gzipSync(Buffer.concat([tarOf({ path: "zeros", text: "\0".repeat(96 << 20) })]), { level: 1 })
      const before = process.memoryUsage().rss
      let peak = 0
      const watch = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), 5)
      await pushAll(bomb, { piece: bomb.length })
      clearInterval(watch)
      expect(fs.statSync(`${target}/zeros`).size).toBe(96 << 20)
      expect(peak - before).toBeLessThan(60 << 20)
    })
  })

  it("are empty when nothing is pushed, and can't be pushed to after a failure", async () => {
    await pushAll(new Uint8Array(0))
    expect(fs.readdirSync(target)).toEqual([])
    const { archive } = await openSink({})
    await linux.failure("ArchivePush", { archive, data: Buffer.alloc(2048, "x"), last: true })
    expect((await linux.failure("ArchivePush", { archive, data: endOfArchive, last: true })).errno).toBe("EBUSY")
    await linux.perform("ArchiveClose", { archive })
    expect((await linux.failure("ArchivePush", { archive, data: endOfArchive, last: true })).errno).toBe("EBADF")
  })

  it("go into the upper directory of layers and leave the work directory fit for the next mount", async () => {
    for (const layer of ["low", "up", "work"]) fs.mkdirSync(`${target}/${layer}/dir`, { recursive: true })
    fs.rmSync(`${target}/work/dir`, { recursive: true })
    fs.writeFileSync(`${target}/low/dir/file`, "low")
    const root: RootSource = { _tag: "Layers", lower: [`${target}/low`], upper: `${target}/up`, work: `${target}/work` }
    const before = openDescriptors()
    for (const text of ["first", "second"]) {
      await pushAll(tarOf({ path: "dir/file", text }, { path: "own", type: "symlink", linkpath: "dir" }), { root })
      expect(fs.readFileSync(`${target}/up/dir/file`, "utf8")).toBe(text)
      expect(fs.existsSync(`${target}/work/work/incompat/volatile`)).toBe(false)
    }
    expect(fs.readFileSync(`${target}/low/dir/file`, "utf8")).toBe("low")
    expect(openDescriptors()).toEqual(before)
    const out = await pullAll(root, "/dir", "dir")
    expect(gnuTar(["-xO", "dir/file"], out)).toBe("second")
    const readOnly = { root: { ...root, upper: "" }, path: "/", noOverwriteDirNonDir: false }
    expect((await linux.failure("ArchiveWrite", readOnly)).errno).toBe("EROFS")
    expect(fs.readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(target)
  })

  it("leave no descriptor open whatever happens to them", async () => {
    const archive = gzipSync(tarOf({ path: "a/b/c", text: "x".repeat(100_000) }))
    await pushAll(archive)
    const before = openDescriptors()
    for (let round = 0; round < 5; round++) {
      await pushAll(archive)
      await pushFailure(archive.subarray(0, archive.length / 2))
      await pushFailure(tarOf({ path: "../x" }))
      const { archive: interrupted } = await openSink({})
      const fiber = linux.fork(perform("ArchivePush", { archive: interrupted, data: archive, last: true }))
      await Effect.runPromise(Fiber.interrupt(fiber))
      await linux.perform("ArchiveClose", { archive: interrupted })
      await linux.failure("ArchiveWrite", { root: directory(target), path: "/none", noOverwriteDirNonDir: false })
    }
    expect(openDescriptors()).toEqual(before)
  })
})
