import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { perform } from "../../../src/programs/Kernel.ts"
import { linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

const modeOf = (path: string): number => fs.lstatSync(path).mode & 0o7777

describe.skipIf(obstacle !== undefined)("files on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`

  it("makes a directory with exactly the mode asked for, whatever the umask", async () => {
    const umask = process.umask(0o077)
    try {
      await linux.perform("DirMake", { path: at("exact"), mode: 0o1777 })
    } finally {
      process.umask(umask)
    }
    expect(modeOf(at("exact"))).toBe(0o1777)
  })

  it("refuses to make a directory that is there, naming call and path", async () => {
    fs.mkdirSync(at("there"))
    const error = await linux.failure("DirMake", { path: at("there"), mode: 0o755 })
    expect(error).toMatchObject({ op: "DirMake", syscall: "mkdir", errno: "EEXIST", path: at("there") })
  })

  it("ensures a directory with its parents and leaves one that is there as it is", async () => {
    await linux.perform("DirEnsure", { path: at("one/two/three/"), mode: 0o700 })
    expect([modeOf(at("one")), modeOf(at("one/two")), modeOf(at("one/two/three"))]).toEqual([0o700, 0o700, 0o700])
    fs.chmodSync(at("one/two"), 0o711)
    await linux.perform("DirEnsure", { path: at("one/two"), mode: 0o700 })
    expect(modeOf(at("one/two"))).toBe(0o711)
  })

  it("does not take a file for a directory", async () => {
    fs.writeFileSync(at("plain"), "")
    expect((await linux.failure("DirEnsure", { path: at("plain"), mode: 0o755 })).errno).toBe("EEXIST")
    expect((await linux.failure("DirEnsure", { path: at("plain/below"), mode: 0o755 })).errno).toBe("ENOTDIR")
  })

  it("lists names in a fixed order", async () => {
    fs.mkdirSync(at("names"))
    for (const name of ["b", "a", "Z", "é"]) fs.writeFileSync(at(`names/${name}`), "")
    expect(await linux.perform("DirList", { path: at("names") })).toEqual(["Z", "a", "b", "é"])
    expect((await linux.failure("DirList", { path: at("nowhere") })).errno).toBe("ENOENT")
  })

  it("writes a file whole or not at all, with its mode, and leaves nothing beside it", async () => {
    fs.mkdirSync(at("written"))
    const path = at("written/file")
    await linux.perform("FileWrite", { path, mode: 0o640, text: "one\0é" })
    const before = fs.statSync(path).ino
    await linux.perform("FileWrite", { path, mode: 0o600, text: "two" })
    expect(fs.readFileSync(path, "utf8")).toBe("two")
    expect(modeOf(path)).toBe(0o600)
    expect(fs.statSync(path).ino).not.toBe(before)
    expect((await linux.failure("FileWrite", { path: at("written"), mode: 0o600, text: "" })).errno).toBe("EISDIR")
    expect(fs.readdirSync(at("written"))).toEqual(["file"])
    expect(fs.readdirSync(linux.directory).filter((name) => name.startsWith(".fx-new"))).toEqual([])
  })

  it("writes through no symbolic link", async () => {
    fs.writeFileSync(at("victim"), "untouched")
    fs.symlinkSync("victim", at("link"))
    await linux.perform("FileWrite", { path: at("link"), mode: 0o600, text: "new" })
    expect(fs.readFileSync(at("victim"), "utf8")).toBe("untouched")
    expect(fs.lstatSync(at("link")).isFile()).toBe(true)
  })

  it("reads a file up to its limit, and files of proc that claim to be empty", async () => {
    fs.writeFileSync(at("text"), "0123456789")
    expect(await linux.perform("FileRead", { path: at("text"), limit: 10 })).toBe("0123456789")
    expect((await linux.failure("FileRead", { path: at("text"), limit: 9 })).errno).toBe("EFBIG")
    expect(await linux.perform("FileRead", { path: "/proc/self/mountinfo", limit: 1 << 20 })).toContain(" / / ")
    const large = "x".repeat(100_000)
    fs.writeFileSync(at("large"), large)
    expect(await linux.perform("FileRead", { path: at("large"), limit: 200_000 })).toBe(large)
  })

  it("reads no FIFO, directory or missing file", async () => {
    execFileSync("mkfifo", [at("fifo")])
    expect((await linux.failure("FileRead", { path: at("fifo"), limit: 10 })).errno).toBe("EINVAL")
    expect((await linux.failure("FileRead", { path: linux.directory, limit: 10 })).errno).toBe("EISDIR")
    expect((await linux.failure("FileRead", { path: at("missing"), limit: 10 })).errno).toBe("ENOENT")
  })

  it("tells the status of each kind of file", async () => {
    fs.mkdirSync(at("kinds"))
    fs.writeFileSync(at("kinds/file"), "abc", { mode: 0o604 })
    fs.symlinkSync("file", at("kinds/symlink"))
    execFileSync("mknod", [at("kinds/character"), "c", "259", "300"])
    execFileSync("mknod", [at("kinds/fifo"), "p"])
    const status = (name: string, follow = false) => linux.perform("FileStat", { path: at(`kinds/${name}`), follow })
    expect(await status("file")).toEqual({ type: "file", mode: 0o604, uid: 0, gid: 0, size: 3, major: 0, minor: 0 })
    expect(await status("symlink")).toMatchObject({ type: "symlink", target: "file" })
    expect(await status("symlink", true)).toMatchObject({ type: "file", size: 3 })
    expect(await status("character")).toMatchObject({ type: "character", major: 259, minor: 300 })
    expect(await status("fifo")).toMatchObject({ type: "fifo", major: 0, minor: 0 })
    expect((await linux.failure("FileStat", { path: at("kinds/none"), follow: false })).errno).toBe("ENOENT")
  })

  it("removes a file and does not mind a missing one", async () => {
    fs.writeFileSync(at("gone"), "")
    await linux.perform("FileRemove", { path: at("gone") })
    await linux.perform("FileRemove", { path: at("gone") })
    expect(fs.existsSync(at("gone"))).toBe(false)
    expect((await linux.failure("FileRemove", { path: linux.directory })).errno).toBe("EISDIR")
  })

  it("removes a tree but nothing its links point to", async () => {
    fs.mkdirSync(at("tree/sub/deep"), { recursive: true })
    fs.mkdirSync(at("outside"))
    fs.writeFileSync(at("outside/kept"), "")
    fs.symlinkSync(at("outside"), at("tree/sub/out"))
    fs.writeFileSync(at("tree/sub/file"), "")
    execFileSync("mkfifo", [at("tree/fifo")])
    await linux.perform("TreeRemove", { path: at("tree") })
    await linux.perform("TreeRemove", { path: at("tree") })
    await linux.perform("TreeRemove", { path: at("tree/sub") })
    expect(fs.existsSync(at("tree"))).toBe(false)
    expect(fs.readdirSync(at("outside"))).toEqual(["kept"])
    fs.symlinkSync("outside", at("toOutside"))
    await linux.perform("TreeRemove", { path: at("toOutside") })
    expect(fs.readdirSync(at("outside"))).toEqual(["kept"])
  })

  it("removes a tree of more names than are removed at once", async () => {
    for (let branch = 0; branch < 5; branch++) {
      fs.mkdirSync(at(`wide/${branch}`), { recursive: true })
      for (let file = 0; file < 100; file++) fs.writeFileSync(at(`wide/${branch}/${file}`), "")
    }
    await linux.perform("TreeRemove", { path: at("wide") })
    expect(fs.existsSync(at("wide"))).toBe(false)
  })

  it("removes and measures a tree far deeper than a path can name", async () => {
    const script = `
      const fs = require("node:fs")
      process.chdir(process.argv[1])
      for (let left = Number(process.argv[2]); left > 0; left--) {
        fs.mkdirSync("d".repeat(20))
        process.chdir("d".repeat(20))
      }
      fs.writeFileSync("f", "12345")`
    const dig = (directory: string, levels: string) => execFileSync(process.execPath, ["-e", script, directory, levels])
    // In memory: a disk takes its time for thousands of directories.
    const deep = fs.mkdtempSync("/dev/shm/fx-test-")
    try {
      dig(deep, "1500")
      expect(await linux.perform("TreeSize", { path: deep })).toBe(5)
      await linux.perform("TreeRemove", { path: deep })
      expect(fs.existsSync(deep)).toBe(false)
      fs.mkdirSync(deep)
      dig(deep, "2100")
      expect((await linux.failure("TreeSize", { path: deep })).errno).toBe("ENAMETOOLONG")
    } finally {
      await linux.perform("TreeRemove", { path: deep })
    }
    expect(fs.existsSync(deep)).toBe(false)
  })

  it("stops at a mount in the tree and leaves it alone", async () => {
    fs.mkdirSync(at("mounted/below/point"), { recursive: true })
    execFileSync("mount", ["-t", "tmpfs", "fx-test", at("mounted/below/point")])
    try {
      fs.writeFileSync(at("mounted/below/point/kept"), "12")
      const error = await linux.failure("TreeRemove", { path: at("mounted") })
      expect(error).toMatchObject({ errno: "EBUSY", hint: "at point" })
      expect(fs.existsSync(at("mounted/below/point/kept"))).toBe(true)
      expect(await linux.perform("TreeSize", { path: at("mounted") })).toBe(0)
    } finally {
      execFileSync("umount", [at("mounted/below/point")])
    }
    await linux.perform("TreeRemove", { path: at("mounted") })
  })

  it("refuses to remove what is no name", async () => {
    for (const path of ["/", "/tmp/..", "/tmp/.", "", "a\0b"]) {
      expect((await linux.failure("TreeRemove", { path })).errno).toBe("EINVAL")
    }
  })

  it("counts each inode of a tree once", async () => {
    fs.mkdirSync(at("sized/sub"), { recursive: true })
    fs.writeFileSync(at("sized/one"), "12345")
    for (let link = 0; link < 200; link++) fs.linkSync(at("sized/one"), at(`sized/sub/${link}`))
    fs.symlinkSync("/etc/passwd", at("sized/link"))
    fs.writeFileSync(at("sized/two"), "123")
    fs.linkSync(at("sized/two"), at("sized/sub/two"))
    expect(await linux.perform("TreeSize", { path: at("sized") })).toBe(8)
    expect((await linux.failure("TreeSize", { path: at("missing") })).errno).toBe("ENOENT")
  })

  it("lets go of a tree when interrupted, and leaves no descriptor open", async () => {
    for (let branch = 0; branch < 20; branch++) {
      fs.mkdirSync(at(`long/${branch}`), { recursive: true })
      for (let file = 0; file < 400; file++) fs.writeFileSync(at(`long/${branch}/${file}`), "")
    }
    const before = openDescriptors()
    const fiber = linux.fork(perform("TreeRemove", { path: at("long") }))
    await Effect.runPromise(Fiber.interrupt(fiber))
    const left = execFileSync("find", [at("long")]).toString().split("\n").length
    expect(left).toBeGreaterThan(100)
    expect(execFileSync("find", [at("long")]).toString().split("\n").length).toBe(left)
    await linux.perform("TreeRemove", { path: at("long") })
    expect(openDescriptors()).toEqual(before)
  })

  it("leaves no descriptor open after any of its failures", async () => {
    const before = openDescriptors()
    const path = at("nowhere/at/all")
    for (let round = 0; round < 20; round++) {
      await linux.failure("FileWrite", { path, mode: 0o600, text: "" })
      await linux.failure("FileRead", { path: at("fifo"), limit: 1 })
      await linux.failure("FileRead", { path: at("text"), limit: 1 })
      await linux.perform("TreeRemove", { path })
      await linux.failure("TreeSize", { path })
    }
    expect(openDescriptors()).toEqual(before)
  })
})
