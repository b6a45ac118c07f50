/** What operations on files of the host owe: their effects, their refusals, and waiting that ends. */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { KernelTag, Payload } from "../../../src/domain/kernel/KernelOp.ts"
import { type Kernel, perform } from "../../../src/programs/Kernel.ts"
import { bytes, script, ran } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

/** The errno of an operation that must fail. */
export const errnoOf = <T extends KernelTag>(tag: T, payload: Payload<T>): Effect.Effect<string, never, Kernel> =>
  Effect.match(perform(tag, payload), {
    onFailure: (error) => {
      assert.strictEqual(error.op, tag)
      return error.errno
    },
    onSuccess: (value) => `success: ${JSON.stringify(value)}`
  })

export const fileLaws = (ground: Ground): void => {
  const at = (name: string) => `${ground.scratch}/${name}`
  const write = (name: string, text: string, mode = 0o644) => perform("FileWrite", { path: at(name), mode, text })
  const read = (name: string) => perform("FileRead", { path: at(name), limit: 1000 })

  law(ground, "a directory is made once, with its mode, in one that is there", Effect.gen(function*() {
    yield* perform("DirMake", { path: at("a"), mode: 0o710 })
    assert.deepInclude(yield* perform("FileStat", { path: at("a"), follow: false }), { type: "directory", mode: 0o710, uid: 0, gid: 0 })
    assert.strictEqual(yield* errnoOf("DirMake", { path: at("a"), mode: 0o755 }), "EEXIST")
    assert.strictEqual(yield* errnoOf("DirMake", { path: at("none/a"), mode: 0o755 }), "ENOENT")
    yield* write("file", "")
    assert.strictEqual(yield* errnoOf("DirMake", { path: at("file/a"), mode: 0o755 }), "ENOTDIR")
    assert.strictEqual(yield* errnoOf("DirMake", { path: at("file"), mode: 0o755 }), "EEXIST")
  }))

  law(ground, "a directory is ensured with all above it, and left as it is when it is there", Effect.gen(function*() {
    yield* perform("DirEnsure", { path: at("a/b/c"), mode: 0o700 })
    yield* perform("DirEnsure", { path: at("a/b/c"), mode: 0o755 })
    assert.strictEqual((yield* perform("FileStat", { path: at("a/b/c"), follow: false })).mode, 0o700)
    yield* write("file", "")
    assert.strictEqual(yield* errnoOf("DirEnsure", { path: at("file"), mode: 0o755 }), "EEXIST")
    assert.strictEqual(yield* errnoOf("DirEnsure", { path: at("file/a"), mode: 0o755 }), "ENOTDIR")
  }))

  law(ground, "the names in a directory are listed in order", Effect.gen(function*() {
    for (const name of ["b", "B", "a", "10", "9", ".hidden", "é"]) yield* write(name, "")
    const names = yield* perform("DirList", { path: ground.scratch })
    assert.deepStrictEqual(names, [".hidden", "10", "9", "B", "a", "b", "é"])
    assert.strictEqual(yield* errnoOf("DirList", { path: at("none") }), "ENOENT")
    assert.strictEqual(yield* errnoOf("DirList", { path: at("a") }), "ENOTDIR")
  }))

  law(ground, "a file that is written again is another file with another mode", Effect.gen(function*() {
    yield* write("file", "first")
    const before = yield* perform("FileReadRange", { path: at("file"), inode: 0, offset: 0, limit: 100 })
    yield* write("file", "second", 0o600)
    const after = yield* perform("FileReadRange", { path: at("file"), inode: 0, offset: 0, limit: 100 })
    assert.notStrictEqual(after.inode, before.inode)
    assert.deepInclude(yield* perform("FileStat", { path: at("file"), follow: false }), { mode: 0o600, size: 6, type: "file" })
    assert.strictEqual(yield* read("file"), "second")
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), ["file"])
    yield* perform("DirMake", { path: at("directory"), mode: 0o755 })
    assert.strictEqual(yield* errnoOf("FileWrite", { path: at("directory"), mode: 0o644, text: "" }), "EISDIR")
    assert.strictEqual(yield* errnoOf("FileWrite", { path: at("none/x"), mode: 0o644, text: "" }), "ENOENT")
  }))

  law(ground, "a file is read whole or not at all", Effect.gen(function*() {
    yield* write("file", "äöü 12345")
    assert.strictEqual(yield* perform("FileRead", { path: at("file"), limit: 12 }), "äöü 12345")
    assert.strictEqual(yield* errnoOf("FileRead", { path: at("file"), limit: 11 }), "EFBIG")
    assert.strictEqual(yield* errnoOf("FileRead", { path: at("none"), limit: 10 }), "ENOENT")
    assert.strictEqual(yield* errnoOf("FileRead", { path: at("file/x"), limit: 10 }), "ENOTDIR")
    assert.strictEqual(yield* errnoOf("FileRead", { path: ground.scratch, limit: 10 }), "EISDIR")
  }))

  law(ground, "a part of a file is read as long as the name has not gone to another", Effect.gen(function*() {
    yield* write("file", "0123456789")
    const range = (inode: number, offset: number, limit: number) =>
      perform("FileReadRange", { path: at("file"), inode, offset, limit })
    const { data, inode } = yield* range(0, 2, 3)
    assert.deepStrictEqual([...data], [...bytes("234")])
    assert.deepStrictEqual([...(yield* range(inode, 8, 100)).data], [...bytes("89")])
    assert.strictEqual((yield* range(inode, 10, 100)).data.length, 0)
    assert.strictEqual((yield* range(inode, 1000, 100)).data.length, 0)
    yield* write("file", "other")
    assert.strictEqual(yield* errnoOf("FileReadRange", { path: at("file"), inode, offset: 0, limit: 1 }), "ESTALE")
    assert.strictEqual(yield* errnoOf("FileReadRange", { path: at("none"), inode: 0, offset: 0, limit: 1 }), "ENOENT")
  }))

  law(ground, "whoever awaits a file is woken when it grows, is replaced, or goes", Effect.gen(function*() {
    yield* write("file", "x")
    const { inode } = yield* perform("FileReadRange", { path: at("file"), inode: 0, offset: 0, limit: 1 })
    const awaiting = (size: number) => perform("FileAwait", { path: at("file"), inode, size })
    yield* awaiting(0)
    const replaced = yield* Effect.forkScoped(awaiting(1))
    yield* Effect.sleep("30 millis")
    assert.isUndefined(replaced.pollUnsafe())
    yield* write("file", "y")
    yield* Fiber.join(replaced)
    const next = yield* perform("FileReadRange", { path: at("file"), inode: 0, offset: 0, limit: 1 })
    const gone = yield* Effect.forkScoped(perform("FileAwait", { path: at("file"), inode: next.inode, size: 1 }))
    yield* Effect.sleep("30 millis")
    assert.isUndefined(gone.pollUnsafe())
    yield* perform("FileRemove", { path: at("file") })
    yield* Fiber.join(gone)
  }))

  law(ground, "waiting for a file can be interrupted", Effect.gen(function*() {
    yield* write("file", "x")
    const { inode } = yield* perform("FileReadRange", { path: at("file"), inode: 0, offset: 0, limit: 1 })
    const awaiting = yield* Effect.forkScoped(perform("FileAwait", { path: at("file"), inode, size: 1 }))
    yield* Effect.sleep("10 millis")
    yield* Fiber.interrupt(awaiting)
  }))

  law(ground, "what is removed is gone, and what is gone is removed without ado", Effect.gen(function*() {
    yield* write("file", "x")
    yield* perform("FileRemove", { path: at("file") })
    yield* perform("FileRemove", { path: at("file") })
    yield* perform("FileRemove", { path: at("none/file") })
    yield* perform("DirEnsure", { path: at("tree/a/b"), mode: 0o755 })
    yield* write("tree/a/file", "x")
    assert.strictEqual(yield* errnoOf("FileRemove", { path: at("tree") }), "EISDIR")
    yield* perform("TreeRemove", { path: at("tree") })
    yield* perform("TreeRemove", { path: at("tree") })
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), [])
  }))

  law(ground, "a tree is removed without following a link out of it", Effect.gen(function*() {
    yield* perform("DirEnsure", { path: at("kept"), mode: 0o755 })
    yield* write("kept/file", "x")
    yield* perform("DirEnsure", { path: at("tree"), mode: 0o755 })
    const mounts = [{
      _tag: "Bind", source: ground.scratch, target: "/host", readonly: false, recursive: "enabled", propagation: "",
      createSource: false
    } as const]
    yield* ran(script(ground, `ln -s ${at("kept")} /host/tree/link; ln -s ../kept/file /host/tree/file; mkfifo /host/fifo`, { mounts }))
    assert.deepInclude(yield* perform("FileStat", { path: at("tree/link"), follow: false }), { type: "symlink", target: at("kept") })
    assert.strictEqual((yield* perform("FileStat", { path: at("tree/link"), follow: true })).type, "directory")
    assert.strictEqual(yield* errnoOf("FileRead", { path: at("fifo"), limit: 10 }), "EINVAL")
    assert.strictEqual(yield* perform("TreeSize", { path: at("tree") }), 0)
    yield* perform("TreeRemove", { path: at("tree") })
    assert.deepStrictEqual(yield* perform("DirList", { path: at("kept") }), ["file"])
  }))

  law(ground, "the size of a tree is that of its files", Effect.gen(function*() {
    yield* perform("DirEnsure", { path: at("tree/a"), mode: 0o755 })
    yield* write("tree/one", "12345")
    yield* write("tree/a/two", "123")
    assert.strictEqual(yield* perform("TreeSize", { path: at("tree") }), 8)
    yield* perform("FilesystemSync", { path: at("tree") })
    assert.strictEqual(yield* perform("TreeSize", { path: at("tree") }), 8)
    assert.strictEqual(yield* errnoOf("FilesystemSync", { path: at("none") }), "ENOENT")
    assert.strictEqual(yield* errnoOf("TreeSize", { path: at("none") }), "ENOENT")
  }))
}

export const lockLaws = (ground: Ground): void => {
  const path = `${ground.scratch}/lock`
  const release = (handle: number) => perform("LockRelease", { handle })

  law(ground, "of two who want a lock for themselves one waits for the other", Effect.gen(function*() {
    const first = yield* perform("LockAcquire", { path, shared: false })
    assert.isUndefined(yield* perform("LockTry", { path }))
    const second = yield* Effect.forkScoped(perform("LockAcquire", { path, shared: false }))
    yield* Effect.sleep("50 millis")
    assert.isUndefined(second.pollUnsafe())
    yield* release(first)
    const handle = yield* Fiber.join(second)
    assert.isUndefined(yield* perform("LockTry", { path }))
    yield* release(handle)
    const third = yield* perform("LockTry", { path })
    assert.isDefined(third)
    yield* release(third!)
  }))

  law(ground, "those who share a lock do not wait for each other", Effect.gen(function*() {
    const one = yield* perform("LockAcquire", { path, shared: true })
    const two = yield* perform("LockAcquire", { path, shared: true })
    assert.isUndefined(yield* perform("LockTry", { path }))
    yield* release(one)
    assert.isUndefined(yield* perform("LockTry", { path }))
    yield* release(two)
    yield* release((yield* perform("LockTry", { path }))!)
  }))

  law(ground, "waiting for a lock can be interrupted, and leaves it to others", Effect.gen(function*() {
    const first = yield* perform("LockAcquire", { path, shared: false })
    const waiting = yield* Effect.forkScoped(perform("LockAcquire", { path, shared: false }))
    yield* Effect.sleep("20 millis")
    yield* Fiber.interrupt(waiting)
    yield* release(first)
    yield* Effect.sleep("20 millis")
    yield* release((yield* perform("LockTry", { path }))!)
  }))

  law(ground, "who waited for a lock whose file was removed has the one on the file that is there now", Effect.gen(function*() {
    const first = yield* perform("LockAcquire", { path, shared: false })
    const waiting = yield* Effect.forkScoped(perform("LockAcquire", { path, shared: false }))
    yield* Effect.sleep("20 millis")
    yield* perform("FileRemove", { path })
    yield* release(first)
    const handle = yield* Fiber.join(waiting)
    assert.isUndefined(yield* perform("LockTry", { path }))
    yield* release(handle)
  }))

  law(ground, "a lock that was released is released without ado, and none is had where there is no directory", Effect.gen(function*() {
    const handle = yield* perform("LockAcquire", { path, shared: false })
    yield* release(handle)
    yield* release(handle)
    assert.strictEqual(yield* errnoOf("LockTry", { path: `${ground.scratch}/none/lock` }), "ENOENT")
    assert.strictEqual(yield* errnoOf("LockAcquire", { path: `${ground.scratch}/none/lock`, shared: false }), "ENOENT")
  }))
}
