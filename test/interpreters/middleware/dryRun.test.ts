import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { KernelOp } from "../../../src/domain/kernel/KernelOp.ts"
import { Kernel, perform } from "../../../src/programs/Kernel.ts"
import {
  dryRun, hostPaths, leaks, makeWorld, runOn, simulate
} from "../../../src/testing/index.ts"
import { directories, group, lifecycle, options } from "./Lifecycle.ts"

describe("a dry run", () => {
  const plan = async (effect: Effect.Effect<unknown, unknown, Kernel>) => {
    const simulation = simulate(options)
    const ops: Array<KernelOp> = []
    const exit = await runOn(simulation, effect, {
      middlewares: [dryRun((one) => Effect.sync(() => void ops.push(one)))]
    })
    return { exit, tags: ops.map((one) => one.tag), ops, simulation }
  }

  it("collects what would be done, does nothing, and the program ends well", async () => {
    const { exit, simulation, tags } = await plan(lifecycle("exit 3"))
    assert.deepStrictEqual(tags, [
      ...directories.map(() => "DirMake"),
      "CgroupMake",
      "CgroupWrite",
      "RecordPut",
      "SupervisorStart"
    ])
    assert.isTrue(Exit.isSuccess(exit))
    if (!Exit.isSuccess(exit)) return
    const { frames, status } = exit.value as {
      readonly frames: ReadonlyArray<{ readonly _tag: string }>
      readonly status: string
    }
    assert.deepStrictEqual(frames.map((frame) => frame._tag), ["Started", "Exited"])
    assert.match(status, /exited 1 0 0 0\n$/)
    assert.deepStrictEqual(leaks(makeWorld(options), simulation.world), [])
    assert.deepStrictEqual(simulation.world.records.containers.rows.keys, [])
  })

  it("shows later operations what earlier ones would have made", async () => {
    const { exit } = await plan(Effect.gen(function*() {
      yield* perform("DirEnsure", { path: "/tmp/d", mode: 0o700 })
      yield* perform("FileWrite", { path: "/tmp/d/f", mode: 0o600, text: "text" })
      yield* perform("FileRemove", { path: "/etc/hosts" })
      yield* perform("CgroupMake", { directory: group })
      yield* perform("CgroupWrite", { directory: group, file: "pids.max", value: "5" })
      yield* perform("RecordPut", {
        collection: "images",
        key: "k",
        revision: 0,
        name: "n",
        value: "v"
      })
      const lock = yield* perform("LockAcquire", { path: "/tmp/d/lock", shared: false })
      yield* perform("LockRelease", { handle: lock })
      return {
        list: yield* perform("DirList", { path: "/tmp/d" }),
        text: yield* perform("FileRead", { path: "/tmp/d/f", limit: 10 }),
        size: (yield* perform("FileStat", { path: "/tmp/d/f", follow: true })).size,
        gone: yield* Effect.match(perform("FileRead", { path: "/etc/hosts", limit: 1000 }), {
          onFailure: (error) => error.errno,
          onSuccess: () => "there"
        }),
        etc: (yield* perform("DirList", { path: "/etc" })).includes("hosts"),
        limit: yield* perform("CgroupRead", { directory: group, files: ["pids.max"] }),
        row: yield* perform("RecordGet", { collection: "images", key: "k" }),
        rows: (yield* perform("RecordList", { collection: "images" })).length,
        real: yield* perform("FileRead", { path: "/etc/hostname", limit: 100 })
      }
    }))
    assert.deepStrictEqual(
      exit,
      Exit.succeed({
        list: ["f"],
        text: "text",
        size: 4,
        gone: "ENOENT",
        etc: false,
        limit: { "pids.max": "5\n" },
        row: { key: "k", revision: 1, name: "n", value: "v" },
        rows: 1,
        real: "simulated\n"
      })
    )
  })

  const wholeOf = (path: string) =>
    Effect.map(perform("FileReadRange", { path, inode: 0, offset: 0, limit: 1000 }), ({ data }) =>
      new TextDecoder().decode(data))
  const bytes = (text: string) => new TextEncoder().encode(text)
  const store = "/tmp/blobs"

  it("knows the digest of a content that is imagined to come, and shows it where it would be", async () => {
    const { exit, simulation, tags } = await plan(Effect.gen(function*() {
      const { blob, size } = yield* perform("BlobOpen", { path: "/tmp/coming", algorithm: "sha256" })
      yield* perform("BlobAppend", { blob, data: bytes("rubbish") })
      yield* perform("BlobTruncate", { blob })
      yield* perform("BlobAppend", { blob, data: bytes("a") })
      yield* perform("BlobAppend", { blob, data: bytes("bc") })
      const done = yield* perform("BlobCommit", { blob, directory: store })
      const place = `${store}/sha256/${done.digest.slice(7)}`
      return {
        size,
        done,
        text: yield* wholeOf(place),
        status: (yield* perform("FileStat", { path: place, follow: false })).size,
        gone: yield* Effect.match(perform("FileStat", { path: "/tmp/coming", follow: false }), {
          onFailure: (error) => error.errno,
          onSuccess: () => "there"
        })
      }
    }))
    // FIPS 180-4, example B.1 of the secure hash standard
    const digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert.deepStrictEqual(
      exit,
      Exit.succeed({ size: 0, done: { digest, size: 3 }, text: "abc", status: 3, gone: "ENOENT" })
    )
    assert.deepStrictEqual(tags, [
      "BlobOpen", "BlobAppend", "BlobTruncate", "BlobAppend", "BlobAppend", "BlobCommit"
    ])
    assert.deepStrictEqual(leaks(makeWorld(options), simulation.world), [])
    assert.isFalse(hostPaths(simulation.world).some((path) => path.startsWith("/tmp/")))
  })

  it("goes on with what is really there of a content, or was imagined to be left", async () => {
    const { exit } = await plan(Effect.gen(function*() {
      const open = (path: string) => perform("BlobOpen", { path, algorithm: "sha256" })
      const real = yield* open("/etc/hostname")
      const hostname = yield* perform("BlobCommit", { blob: real.blob, directory: store })
      const first = yield* open("/tmp/left")
      yield* perform("BlobAppend", { blob: first.blob, data: bytes("left, ") })
      yield* perform("BlobClose", { blob: first.blob })
      const second = yield* open("/tmp/left")
      yield* perform("BlobAppend", { blob: second.blob, data: bytes("gone on") })
      const left = yield* perform("BlobCommit", { blob: second.blob, directory: store })
      return [
        real.size, yield* wholeOf(`${store}/sha256/${hostname.digest.slice(7)}`), second.size,
        yield* wholeOf(`${store}/sha256/${left.digest.slice(7)}`)
      ]
    }))
    assert.deepStrictEqual(exit, Exit.succeed([10, "simulated\n", 6, "left, gone on"]))
  })

  it("keeps no content that is large: it has the digest that it shall have, and nothing of it can be read", async () => {
    const digest = `sha256:${"1".repeat(64)}`
    const { exit } = await plan(Effect.gen(function*() {
      const { blob } = yield* perform("BlobOpen", { path: "/tmp/coming", algorithm: "sha256" })
      const data = new Uint8Array(17 << 20)
      for (let piece = 0; piece < 4; piece++) yield* perform("BlobAppend", { blob, data })
      const done = yield* perform("BlobCommit", { blob, directory: store, digest })
      const error = yield* Effect.flip(wholeOf(`${store}/sha256/${digest.slice(7)}`))
      return [done, error.errno]
    }))
    assert.deepStrictEqual(exit, Exit.succeed([{ digest, size: 68 << 20 }, "EFBIG"]))
  })

  it("unpacks no layer, and sees nothing in the directory that it would have made for one", async () => {
    const path = "/tmp/layer"
    const { exit, simulation, tags } = await plan(Effect.gen(function*() {
      yield* perform("DirMake", { path, mode: 0o700 })
      const { archive } = yield* perform("LayerWrite", { path, form: "overlay" })
      yield* perform("ArchivePush", { archive, data: new Uint8Array(3), last: true })
      const { diffId } = yield* perform("LayerFinish", { archive, below: [] })
      yield* perform("ArchiveClose", { archive })
      const root = { _tag: "Directory", path } as const
      const listing = yield* perform("TreeList", { root, path: "/", limit: 100 })
      const look = yield* perform("TreeLook", { root, paths: [{ path: "", list: true }], limit: 100 })
      const etc = yield* perform("FilesRead", {
        root: { _tag: "Directory", path: "/etc" }, pieces: [{ path: "hostname", offset: 0, length: 9 }]
      })
      return [diffId, listing.length, look.length, new TextDecoder().decode(etc)]
    }))
    assert.deepStrictEqual(exit, Exit.succeed(["", 0, 0, "simulated"]))
    assert.deepStrictEqual(tags, ["DirMake", "LayerWrite", "ArchivePush", "LayerFinish"])
    assert.deepStrictEqual(leaks(makeWorld(options), simulation.world), [])
  })
})
