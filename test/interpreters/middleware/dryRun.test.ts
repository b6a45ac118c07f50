import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { KernelOp } from "../../../src/domain/kernel/KernelOp.ts"
import { Kernel, perform } from "../../../src/programs/Kernel.ts"
import {
  dryRun, encodeWorld, leaks, makeWorld, runOn, simulate
} from "../../../src/testing/index.ts"
import { directories, group, lifecycle, options } from "./Lifecycle.ts"

describe("a dry run", () => {
  const plan = async (effect: Effect.Effect<unknown, unknown, Kernel>) => {
    const simulation = simulate(options)
    const before = encodeWorld(simulation.world)
    const ops: Array<KernelOp> = []
    const exit = await runOn(simulation, effect, {
      middlewares: [dryRun((one) => Effect.sync(() => void ops.push(one)))]
    })
    const after = encodeWorld(simulation.world)
    return { exit, tags: ops.map((one) => one.tag), ops, simulation, before, after }
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
})
