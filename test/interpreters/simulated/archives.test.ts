import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { gzipSync, zstdCompressSync } from "node:zlib"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { brokenInvariants, leaks } from "../../../src/testing/index.ts"
import { Client, containerOf, Machine, prepare } from "./SimulatedMachine.ts"

const directory = (path: string): RootSource => ({ _tag: "Directory", path })

/** Reads an archive to its end. */
const pull = (
  machine: Machine,
  root: RootSource,
  path: string,
  name: string,
  follow = false
): Uint8Array => {
  const { archive } = machine.do("ArchiveRead", { root, path, name, follow })
  const pieces: Array<Uint8Array> = []
  for (
    let piece = machine.do("ArchivePull", { archive });
    piece.length > 0;
    piece = machine.do("ArchivePull", { archive })
  ) pieces.push(piece)
  machine.do("ArchiveClose", { archive })
  return new Uint8Array(Buffer.concat(pieces))
}

interface Pushing {
  readonly piece?: number
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly strict?: boolean
}

/** Writes an archive in pieces. */
const push = (
  machine: Machine,
  root: RootSource,
  path: string,
  data: Uint8Array,
  { piece = 1000, owner, strict = false }: Pushing = {}
): void => {
  const { archive } = machine.do("ArchiveWrite", {
    root,
    path,
    noOverwriteDirNonDir: strict,
    ...(owner === undefined ? {} : { owner })
  })
  for (let at = 0; at < data.length; at += piece) {
    machine.do("ArchivePush", {
      archive,
      data: data.subarray(at, at + piece),
      last: at + piece >= data.length
    })
  }
  machine.do("ArchiveClose", { archive })
}

const tree = {
  "/src/a": { content: "content of a", mode: 0o640, uid: 5, gid: 6 },
  "/src/d/b": "b",
  "/src/d/link": { link: "b" },
  "/src/empty": { directory: true, mode: 0o700 },
  "/dst": { directory: true }
} as const

describe("archives", () => {
  it("carry a tree from one place to another", () => {
    const machine = new Machine({ files: tree })
    push(machine, directory("/dst"), "/", pull(machine, directory("/src"), "/", ""))
    assert.strictEqual(machine.text("/dst/a"), "content of a")
    assert.deepInclude(machine.do("FileStat", { path: "/dst/a", follow: false }), {
      mode: 0o640,
      uid: 5,
      gid: 6
    })
    assert.strictEqual(machine.do("FileStat", { path: "/dst/d/link", follow: false }).target, "b")
    assert.strictEqual(machine.do("FileStat", { path: "/dst/empty", follow: false }).mode, 0o700)
  })

  it("give what comes in again, compressed or not, in pieces of any size", () => {
    const source = new Machine({ files: tree })
    const tar = pull(source, directory("/src"), "/", "top")
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom("plain", "gzip", "zstd"),
        (piece, form) => {
          const machine = new Machine({ files: { "/dst": { directory: true } } })
          const data = form === "gzip"
            ? gzipSync(tar)
            : form === "zstd"
            ? zstdCompressSync(tar)
            : tar
          push(machine, directory("/dst"), "/", new Uint8Array(data), { piece })
          assert.deepStrictEqual(
            Buffer.from(pull(machine, directory("/dst/top"), "/", "top")),
            Buffer.from(tar)
          )
        }
      ),
      { numRuns: 30 }
    )
  })

  it("change owners when told to, and name a single file as told", () => {
    const machine = new Machine({ files: tree })
    push(machine, directory("/dst"), "/", pull(machine, directory("/src"), "/a", "renamed"), {
      owner: { uid: 7, gid: 8 }
    })
    assert.deepInclude(machine.do("FileStat", { path: "/dst/renamed", follow: false }), {
      uid: 7,
      gid: 8,
      size: 12
    })
  })

  it("follow the last link when told to", () => {
    const machine = new Machine({ files: tree })
    push(machine, directory("/dst"), "/", pull(machine, directory("/src"), "/d/link", "link"))
    assert.strictEqual(machine.do("FileStat", { path: "/dst/link", follow: false }).type, "symlink")
    push(machine, directory("/dst"), "/", pull(machine, directory("/src"), "/d/link", "file", true))
    assert.strictEqual(machine.text("/dst/file"), "b")
  })

  it("keep hard links, and replace what is in the way unless that was forbidden", () => {
    const machine = new Machine({ files: { ...tree, "/dst/a/inside": "x" } })
    const tar = pull(machine, directory("/src"), "/", "")
    const { archive } = machine.do("ArchiveWrite", {
      root: directory("/dst"),
      path: "/",
      noOverwriteDirNonDir: true
    })
    assert.strictEqual(machine.errno("ArchivePush", { archive, data: tar, last: true }), "EISDIR")
    assert.strictEqual(machine.errno("ArchivePush", { archive, data: tar, last: true }), "EBUSY")
    machine.do("ArchiveClose", { archive })
    push(machine, directory("/dst"), "/", tar)
    assert.strictEqual(machine.text("/dst/a"), "content of a")
  })

  it("that are none are refused: EBADMSG, and EINVAL for a compression we do not read", () => {
    const machine = new Machine({ files: { "/dst": { directory: true } } })
    const errno = (data: Uint8Array) => {
      const { archive } = machine.do("ArchiveWrite", {
        root: directory("/dst"),
        path: "/",
        noOverwriteDirNonDir: false
      })
      return machine.errno("ArchivePush", { archive, data, last: true })
    }
    assert.strictEqual(errno(new Uint8Array(1024).fill(65)), "EBADMSG")
    assert.strictEqual(errno(gzipSync(Buffer.from("not a tar")).subarray(0, 15)), "EBADMSG")
    assert.strictEqual(errno(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0, 0)), "EINVAL")
  })

  it("need a place: a directory to unpack into, something to pack, a handle that is one", () => {
    const machine = new Machine({ files: tree })
    const read = (path: string, name: string) =>
      machine.errno("ArchiveRead", { root: directory("/src"), path, name, follow: false })
    assert.deepStrictEqual([read("/nosuch", "x"), read("/a", ""), read("/a", "x")], [
      "ENOENT",
      "EINVAL",
      "success"
    ])
    const write = (path: string) =>
      machine.errno("ArchiveWrite", { root: directory("/src"), path, noOverwriteDirNonDir: false })
    assert.deepStrictEqual([write("/nosuch"), write("/a"), write("/d")], [
      "ENOENT",
      "ENOTDIR",
      "success"
    ])
    assert.strictEqual(machine.errno("ArchivePull", { archive: 99 }), "EBADF")
  })
})

describe("the root of a container", () => {
  const layers: RootSource = {
    _tag: "Layers",
    lower: ["/images/busybox"],
    upper: "/var/lib/test/upper",
    work: "/var/lib/test/work"
  }

  it("is reached alive through its process", () => {
    const machine = new Machine()
    prepare(machine)
    const client = Client.start(
      machine,
      containerOf(["sh", "-c", "echo inside > /made; echo go; sleep 100"])
    )
    client.untilOutput("go")
    const { process } = client.frames.find((frame) => frame._tag === "Started")!
    const root: RootSource = { _tag: "Process", process }
    assert.deepStrictEqual(
      machine.do("RootRead", { root, paths: ["/made", "/nosuch"], limit: 100 }),
      { "/made": "inside\n" }
    )
    assert.strictEqual(
      machine.do("RootStat", { root, path: "/bin", follow: false }).type,
      "symlink"
    )
    assert.strictEqual(
      machine.do("RootStat", { root, path: "/bin", follow: true }).type,
      "directory"
    )
    assert.strictEqual(
      machine.errno("RootStat", {
        root: { _tag: "Process", process: { ...process, startTime: 0 } },
        path: "/",
        follow: false
      }),
      "ESRCH"
    )
    push(machine, root, "/tmp", pull(machine, directory("/etc"), "/passwd", "copied"))
    assert.include(
      machine.do("RootRead", { root, paths: ["/tmp/copied"], limit: 1000 })["/tmp/copied"],
      "root:x"
    )
    machine.do("ProcessSignal", { process, signal: 9 })
    client.finish()
    assert.strictEqual(machine.errno("RootRead", { root, paths: [], limit: 1 }), "ESRCH")
  })

  it("is mounted for the purpose when it is stopped, and nothing of that stays", () => {
    const machine = new Machine()
    prepare(machine)
    const before = machine.world
    push(machine, layers, "/etc", pull(machine, directory("/etc"), "/passwd", "copied"))
    assert.include(machine.text("/var/lib/test/upper/etc/copied"), "root:x")
    assert.include(
      machine.do("RootRead", { root: layers, paths: ["/etc/copied"], limit: 1000 })["/etc/copied"],
      "root:x"
    )
    assert.strictEqual(
      machine.errno("ArchiveWrite", {
        root: { ...layers, upper: "" },
        path: "/",
        noOverwriteDirNonDir: false
      }),
      "EROFS"
    )
    assert.deepStrictEqual(leaks(before, machine.world, { allowed: ["/var/lib/test"] }), [])
    assert.deepStrictEqual(brokenInvariants(machine.world), [])
  })

  it("gives its mount back when the engine dies in the middle, and can be written again", () => {
    const machine = new Machine()
    prepare(machine)
    const before = machine.world
    const { archive } = machine.do("ArchiveWrite", {
      root: layers,
      path: "/",
      noOverwriteDirNonDir: false
    })
    const tar = pull(machine, directory("/etc"), "/", "etc")
    machine.do("ArchivePush", { archive, data: tar.subarray(0, 2000), last: false })
    machine.crash()
    assert.deepStrictEqual(leaks(before, machine.world, { allowed: ["/var/lib/test"] }), [])
    push(machine, layers, "/", tar)
    assert.include(machine.text("/var/lib/test/upper/etc/passwd"), "root:x")
  })

  it("is not left by its links", () => {
    const machine = new Machine({
      files: {
        "/images/busybox/out": { link: "../../../../etc/shadow" },
        "/images/busybox/abs": { link: "/etc/passwd" }
      }
    })
    prepare(machine)
    const seen = machine.do("RootRead", { root: layers, paths: ["/abs"], limit: 1000 })
    assert.include(seen["/abs"], "/bin/sh")
    machine.do("FileWrite", {
      path: "/images/busybox/etc/shadow",
      mode: 0o600,
      text: "the image's"
    })
    assert.deepStrictEqual(machine.do("RootRead", { root: layers, paths: ["/out"], limit: 1000 }), {
      "/out": "the image's"
    })
  })
})
