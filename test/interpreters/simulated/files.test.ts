import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  brokenInvariants, encodeWorld, fileOp, hostPaths, step
} from "../../../src/testing/index.ts"
import { Machine } from "./SimulatedMachine.ts"

const read = (machine: Machine, path: string) => machine.do("FileRead", { path, limit: 1000 })
const write = (machine: Machine, path: string, text = "") =>
  machine.do("FileWrite", { path, mode: 0o644, text })

describe("directories", () => {
  it("are made once, with exactly the mode asked for", () => {
    const machine = new Machine()
    machine.do("DirMake", { path: "/tmp/a", mode: 0o1777 })
    assert.strictEqual(machine.do("FileStat", { path: "/tmp/a", follow: false }).mode, 0o1777)
    assert.strictEqual(machine.errno("DirMake", { path: "/tmp/a", mode: 0o755 }), "EEXIST")
    assert.strictEqual(machine.errno("DirMake", { path: "/tmp/x/y", mode: 0o755 }), "ENOENT")
    assert.strictEqual(machine.errno("DirMake", { path: "/etc/passwd/x", mode: 0o755 }), "ENOTDIR")
  })

  it("are ensured with their parents, and left as they are when they exist", () => {
    const machine = new Machine()
    machine.do("DirEnsure", { path: "/tmp/a/b/c", mode: 0o700 })
    machine.do("DirEnsure", { path: "/tmp/a", mode: 0o755 })
    assert.strictEqual(machine.do("FileStat", { path: "/tmp/a", follow: false }).mode, 0o700)
    assert.strictEqual(machine.errno("DirEnsure", { path: "/etc/passwd", mode: 0o755 }), "EEXIST")
    assert.strictEqual(
      machine.errno("DirEnsure", { path: "/etc/passwd/a", mode: 0o755 }),
      "ENOTDIR"
    )
  })

  it("list their names sorted", () => {
    const machine = new Machine()
    for (const name of ["b", "a", "c"]) write(machine, `/tmp/${name}`)
    assert.deepStrictEqual(machine.do("DirList", { path: "/tmp" }), ["a", "b", "c"])
    assert.strictEqual(machine.errno("DirList", { path: "/etc/passwd" }), "ENOTDIR")
  })
})

describe("files", () => {
  it("are replaced whole: the name leads to a new inode", () => {
    const machine = new Machine()
    write(machine, "/tmp/f", "one")
    const first = machine.do("FileReadRange", { path: "/tmp/f", inode: 0, offset: 1, limit: 10 })
    assert.strictEqual(new TextDecoder().decode(first.data), "ne")
    write(machine, "/tmp/f", "two")
    assert.strictEqual(read(machine, "/tmp/f"), "two")
    assert.strictEqual(
      machine.errno("FileReadRange", { path: "/tmp/f", inode: first.inode, offset: 0, limit: 10 }),
      "ESTALE"
    )
    machine.do("FileAwait", { path: "/tmp/f", inode: first.inode, size: 3 })
  })

  it("are read up to a limit, never from a fifo or a device, nor from a directory", () => {
    const machine = new Machine()
    write(machine, "/tmp/f", "12345")
    assert.strictEqual(machine.errno("FileRead", { path: "/tmp/f", limit: 4 }), "EFBIG")
    assert.strictEqual(machine.errno("FileRead", { path: "/tmp", limit: 4 }), "EISDIR")
    assert.strictEqual(machine.errno("FileRead", { path: "/dev/zero", limit: 4 }), "EINVAL")
    assert.strictEqual(machine.errno("FileRead", { path: "/tmp/none", limit: 4 }), "ENOENT")
  })

  it("are removed, and missing ones are no error", () => {
    const machine = new Machine()
    write(machine, "/tmp/f")
    machine.do("FileRemove", { path: "/tmp/f" })
    machine.do("FileRemove", { path: "/tmp/f" })
    assert.strictEqual(machine.errno("FileRemove", { path: "/tmp" }), "EISDIR")
    assert.strictEqual(machine.errno("FileStat", { path: "/tmp/f", follow: true }), "ENOENT")
  })

  it("stand on read-only file systems and full ones for nobody's writing", () => {
    const machine = new Machine({ files: { "/tmp/there": "x" } })
    assert.strictEqual(
      machine.errno("FileWrite", { path: "/proc/x", mode: 0o644, text: "" }),
      "ENOENT"
    )
    assert.strictEqual(machine.errno("DirMake", { path: "/proc/x", mode: 0o755 }), "ENOENT")
  })
})

describe("paths", () => {
  const linked = () =>
    new Machine({
      files: {
        "/tmp/real/file": "content",
        "/tmp/link": { link: "real" },
        "/tmp/absolute": { link: "/tmp/real/file" },
        "/tmp/loop": { link: "loop" },
        "/tmp/dangling": { link: "nowhere/at/all" },
        "/tmp/up": { link: "../../../../etc" }
      }
    })

  it("follow links, relative ones from where they lie", () => {
    const machine = linked()
    assert.strictEqual(read(machine, "/tmp/link/file"), "content")
    assert.strictEqual(read(machine, "/tmp/absolute"), "content")
    assert.strictEqual(read(machine, "/tmp/link/../real/./file"), "content")
    assert.include(read(machine, "/tmp/up/passwd"), "root:x:0")
    assert.strictEqual(machine.do("FileStat", { path: "/tmp/link", follow: false }).target, "real")
    assert.strictEqual(
      machine.do("FileStat", { path: "/tmp/link", follow: true }).type,
      "directory"
    )
  })

  it("end in ELOOP for links in a circle, ENOENT for those to nothing", () => {
    const machine = linked()
    assert.strictEqual(machine.errno("FileRead", { path: "/tmp/loop", limit: 10 }), "ELOOP")
    assert.strictEqual(machine.errno("FileRead", { path: "/tmp/dangling", limit: 10 }), "ENOENT")
    assert.strictEqual(machine.errno("FileStat", { path: "/tmp/loop", follow: false }), "success")
  })

  it("have the lengths of Linux: 255 bytes a name, 4,095 the whole", () => {
    const machine = new Machine()
    const name = (length: number) => `/tmp/${"x".repeat(length)}`
    assert.strictEqual(machine.errno("DirMake", { path: name(255), mode: 0o755 }), "success")
    assert.strictEqual(machine.errno("DirMake", { path: name(256), mode: 0o755 }), "ENAMETOOLONG")
    assert.strictEqual(
      machine.errno("FileStat", { path: `/${"./".repeat(2047)}`, follow: true }),
      "success"
    )
    assert.strictEqual(
      machine.errno("FileStat", { path: `/${"./".repeat(2048)}`, follow: true }),
      "ENAMETOOLONG"
    )
  })

  it("go on through a file never, with a slash at the end only to a directory", () => {
    const machine = linked()
    assert.strictEqual(
      machine.errno("FileStat", { path: "/tmp/real/file/x", follow: true }),
      "ENOTDIR"
    )
    assert.strictEqual(
      machine.errno("FileStat", { path: "/tmp/real/file/", follow: true }),
      "ENOTDIR"
    )
    assert.strictEqual(machine.errno("FileStat", { path: "/tmp/real/", follow: true }), "success")
  })
})

describe("trees", () => {
  it("are removed without following links, and refuse at a mount", () => {
    const machine = new Machine({
      files: { "/tmp/tree/a/b": "1", "/tmp/tree/link": { link: "/etc" } }
    })
    machine.do("TreeRemove", { path: "/tmp/tree" })
    machine.do("TreeRemove", { path: "/tmp/tree" })
    machine.do("TreeRemove", { path: "/nowhere/at/all" })
    assert.include(read(machine, "/etc/passwd"), "root")
    assert.strictEqual(machine.errno("TreeRemove", { path: "/dev" }), "EBUSY")
  })

  it("are measured by their regular files", () => {
    const machine = new Machine({ files: { "/tmp/tree/a": "12345", "/tmp/tree/d/b": "123" } })
    assert.strictEqual(machine.do("TreeSize", { path: "/tmp/tree" }), 8)
    assert.strictEqual(machine.errno("TreeSize", { path: "/tmp/none" }), "ENOENT")
  })
})

describe("a user without rights", () => {
  it("gets EACCES where the mode bits say so", () => {
    const machine = new Machine({
      host: { user: 1000 },
      files: { "/home/mine": { directory: true, uid: 1000, gid: 1000 } }
    })
    assert.strictEqual(machine.errno("DirMake", { path: "/var/lib/x", mode: 0o755 }), "EACCES")
    assert.strictEqual(machine.errno("FileRead", { path: "/etc/shadow", limit: 100 }), "EACCES")
    assert.strictEqual(machine.errno("DirMake", { path: "/home/mine/x", mode: 0o755 }), "success")
    assert.strictEqual(machine.errno("DirList", { path: "/root" }), "EACCES")
    assert.strictEqual(machine.errno("CgroupMake", { directory: "/sys/fs/cgroup/x" }), "EACCES")
  })

  it("may not remove what is another's from a sticky directory", () => {
    const machine = new Machine({ host: { user: 1000 }, files: { "/tmp/roots": "x" } })
    assert.strictEqual(machine.errno("FileRemove", { path: "/tmp/roots" }), "EPERM")
    assert.strictEqual(
      machine.errno("FileWrite", { path: "/tmp/own", mode: 0o600, text: "" }),
      "success"
    )
    assert.strictEqual(machine.errno("FileRemove", { path: "/tmp/own" }), "success")
  })
})

describe("locks", () => {
  it("exclude each other, shared ones only exclusive ones", () => {
    const machine = new Machine()
    const first = machine.do("LockAcquire", { path: "/tmp/lock", shared: true })
    const second = machine.do("LockAcquire", { path: "/tmp/lock", shared: true })
    assert.isUndefined(machine.do("LockTry", { path: "/tmp/lock" }))
    assert.throws(
      () => machine.do("LockAcquire", { path: "/tmp/lock", shared: false }),
      /waits for ever/
    )
    machine.do("LockRelease", { handle: first })
    machine.do("LockRelease", { handle: second })
    assert.isNumber(machine.do("LockTry", { path: "/tmp/lock" }))
    assert.strictEqual(machine.errno("LockRelease", { handle: first }), "success")
  })

  it("go with the engine that held them", () => {
    const machine = new Machine()
    machine.do("LockAcquire", { path: "/tmp/lock", shared: false })
    assert.isUndefined(machine.do("LockTry", { path: "/tmp/lock" }))
    machine.crash()
    assert.isNumber(machine.do("LockTry", { path: "/tmp/lock" }))
  })

  it("are on a file, not on a name", () => {
    const machine = new Machine()
    machine.do("LockAcquire", { path: "/tmp/lock", shared: false })
    machine.do("FileRemove", { path: "/tmp/lock" })
    assert.isNumber(machine.do("LockTry", { path: "/tmp/lock" }))
  })
})

describe("any sequence of operations on files", () => {
  const sequences = fc.array(fileOp("/tmp"), { maxLength: 40 })

  it("keeps what must hold of inodes, links and locks", () => {
    fc.assert(
      fc.property(sequences, (ops) => {
        const machine = new Machine()
        for (const one of ops) machine.attempt(one.tag, one.payload as never)
        assert.deepStrictEqual(brokenInvariants(machine.world), [])
      }),
      { numRuns: 50 }
    )
  })

  it("does not touch the worlds before it", () => {
    fc.assert(
      fc.property(sequences, (ops) => {
        const machine = new Machine()
        const before = machine.world
        const text = encodeWorld(before)
        for (const one of ops) machine.attempt(one.tag, one.payload as never)
        assert.strictEqual(encodeWorld(before), text)
        // And the same steps from there give the same world again
        const again = ops.reduce((world, one) => step(world, one, machine.engine, {})[1], before)
        assert.strictEqual(encodeWorld(again), encodeWorld(machine.world))
      }),
      { numRuns: 30 }
    )
  })

  it("leaves nothing behind once all is removed", () => {
    fc.assert(
      fc.property(sequences, (ops) => {
        const machine = new Machine()
        const before = hostPaths(machine.world)
        for (const one of ops) machine.attempt(one.tag, one.payload as never)
        for (const name of machine.do("DirList", { path: "/tmp" })) {
          machine.do("TreeRemove", { path: `/tmp/${name}` })
        }
        assert.deepStrictEqual(hostPaths(machine.world), before)
      }),
      { numRuns: 30 }
    )
  })
})
