/** What operations on control groups owe, in a group of the law's own below each hierarchy. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { cgroupDirectory } from "../../../src/domain/cgroup/CgroupPath.ts"
import { writes } from "../../../src/domain/cgroup/CgroupLimits.ts"
import { cgroupParent } from "../../../src/domain/container/Paths.ts"
import { type KernelOp, op, undo } from "../../../src/domain/kernel/KernelOp.ts"
import { Host } from "../../../src/programs/Host.ts"
import { Kernel, perform, performAll } from "../../../src/programs/Kernel.ts"
import { config, started } from "../container.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"

interface Group {
  readonly directory: string
  readonly version: 1 | 2
  /** A file of it that takes a number. */
  readonly limit: string
}

export const cgroupLaws = (ground: Ground): void => {
  /** A name of the law's own where limits are and where processes are frozen. */
  const groups = Effect.gen(function*() {
    const { layout } = yield* (yield* Host).facts
    const of = (home: { readonly mount: string; readonly version: 1 | 2 }, limit: string): Group => ({
      directory: `${home.mount}${cgroupParent(ground.paths)}/law`, version: home.version, limit
    })
    return [of(layout.controllers.pids!, "pids.max")]
  })

  const each = (use: (group: Group) => Effect.Effect<void, unknown, Kernel>) =>
    Effect.flatMap(groups, (all) => Effect.forEach(all, (group) =>
      Effect.ensuring(use(group), Effect.ignore(perform("CgroupRemove", { directory: group.directory }))), { discard: true }))

  law(ground, "a group is made once, ensured any number of times, and removed with all below it", each(({ directory }) =>
    Effect.gen(function*() {
      yield* perform("CgroupMake", { directory })
      assert.strictEqual(yield* errnoOf("CgroupMake", { directory }), "EEXIST")
      yield* perform("CgroupEnsure", { directory })
      yield* perform("CgroupMake", { directory: `${directory}/a` })
      yield* perform("CgroupEnsure", { directory: `${directory}/b/c` })
      yield* perform("CgroupRemove", { directory })
      yield* perform("CgroupRemove", { directory })
      assert.strictEqual(yield* errnoOf("FileStat", { path: directory, follow: false }), "ENOENT")
      assert.strictEqual(yield* errnoOf("CgroupMake", { directory: `${directory}/a` }), "ENOENT")
    })))

  law(ground, "a limit is what was written, in the kernel's words, and nonsense is refused", each(({ directory, limit }) =>
    Effect.gen(function*() {
      yield* perform("CgroupMake", { directory })
      const read = Effect.map(perform("CgroupRead", { directory, files: [limit, "no.such.file"] }), (texts) => texts)
      assert.deepStrictEqual(yield* read, { [limit]: "max\n" })
      yield* perform("CgroupWrite", { directory, file: limit, value: "12" })
      assert.deepStrictEqual(yield* read, { [limit]: "12\n" })
      yield* perform("CgroupWrite", { directory, file: limit, value: "max" })
      assert.deepStrictEqual(yield* read, { [limit]: "max\n" })
      assert.strictEqual(yield* errnoOf("CgroupWrite", { directory, file: limit, value: "nonsense" }), "EINVAL")
      assert.strictEqual(yield* errnoOf("CgroupWrite", { directory, file: "no.such.file", value: "1" }), "ENOENT")
      assert.strictEqual(yield* errnoOf("CgroupWrite", { directory: `${directory}/none`, file: limit, value: "1" }), "ENOENT")
      assert.deepStrictEqual(yield* perform("CgroupRead", { directory: `${directory}/none`, files: [limit] }), {})
    })))

  law(ground, "what is not there has no processes, is killed and removed without ado", each(({ directory, version }) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* perform("CgroupProcesses", { directory }), [])
      yield* perform("CgroupKill", { directory, version })
      yield* perform("CgroupRemove", { directory })
      yield* perform("CgroupMake", { directory })
      assert.deepStrictEqual(yield* perform("CgroupProcesses", { directory }), [])
      yield* perform("CgroupKill", { directory, version })
    })))

  law(ground, "groups are made and limited in one go as one by one", each(({ directory, limit }) =>
    Effect.gen(function*() {
      yield* performAll([
        op("CgroupMake", { directory }), op("CgroupWrite", { directory, file: limit, value: "7" }),
        op("CgroupEnsure", { directory: `${directory}/a` })
      ])
      assert.deepStrictEqual(yield* perform("CgroupRead", { directory, files: [limit] }), { [limit]: "7\n" })
      const made: KernelOp = op("CgroupMake", { directory: `${directory}/a` })
      const back = undo(made)!
      yield* perform(back.tag, back.payload as never)
      yield* perform(back.tag, back.payload as never)
      assert.strictEqual(yield* errnoOf("FileStat", { path: `${directory}/a`, follow: false }), "ENOENT")
    })))

  law(ground, "a group in use is not removed, its processes are listed, frozen, thawed and killed with those below", Effect.gen(function*() {
    const id = yield* started(config(ground, ["sh", "-c", "sleep 1000 & sleep 2000 & wait"]))
    const record = JSON.parse((yield* perform("RecordGet", { collection: "containers", key: id }))!.value)
    const { control } = record as { readonly control: { readonly directory: string; readonly version: 1 | 2 } }
    const processes = Effect.map(perform("CgroupProcesses", { directory: control.directory }), (pids) => pids.length)
    yield* Effect.sleep(`${50 * ground.patience} millis`)
    assert.strictEqual(yield* processes, 3)
    assert.strictEqual(yield* errnoOf("CgroupRemove", { directory: control.directory }), "EBUSY")
    yield* perform("CgroupFreeze", { ...control, frozen: true })
    yield* perform("CgroupFreeze", { ...control, frozen: true })
    assert.strictEqual(yield* processes, 3)
    yield* perform("CgroupFreeze", { ...control, frozen: false })
    yield* perform("CgroupFreeze", { ...control, frozen: true })
    yield* perform("CgroupKill", control)
    assert.strictEqual(yield* processes, 0)
  }))

  law(ground, "a group in use is removed by who kills what is in it, the frozen too", Effect.gen(function*() {
    const id = yield* started(config(ground, ["sh", "-c", "sleep 1000 & sleep 2000 & wait"]))
    const record = JSON.parse((yield* perform("RecordGet", { collection: "containers", key: id }))!.value)
    const { control: { directory, version } } = record as {
      readonly control: { readonly directory: string; readonly version: 1 | 2 }
    }
    yield* perform("CgroupFreeze", { directory, version, frozen: true })
    yield* perform("CgroupRemove", { directory, kill: version })
    assert.strictEqual(yield* errnoOf("FileStat", { path: directory, follow: false }), "ENOENT")
    yield* perform("CgroupRemove", { directory, kill: version })
  }))

  law(ground, "huge pages are limited as planned where the kernel counts them, and refused where it does not", Effect.gen(function*() {
    const { layout } = yield* (yield* Host).facts
    const home = layout.controllers.hugetlb
    const path = `${cgroupParent(ground.paths)}/huge`
    const resources = { hugepageLimits: [{ pageSize: "2MB", limit: 4 << 20 }] }
    if (home === undefined) {
      const { problems } = writes(layout, path, resources)
      assert.deepStrictEqual(problems.map(({ severity }) => severity), ["error"])
      return
    }
    const directory = cgroupDirectory(home, path)
    const last = home.version === 1 ? "limit_in_bytes" : "max"
    const files = [`hugetlb.2MB.${last}`, `hugetlb.2MB.rsvd.${last}`]
    const made = Effect.gen(function*() {
      yield* perform("CgroupEnsure", { directory })
      const interfaceFiles = new Set((yield* perform("DirList", { path: directory })).filter((name) => name.includes(".")))
      const planned = writes(layout, path, resources, { interfaceFiles })
      assert.deepStrictEqual([planned.problems, planned.writes.map(({ file }) => file)], [[], files])
      yield* performAll(planned.writes.map(({ directory, file, value }) => op("CgroupWrite", { directory, file, value })))
      assert.deepStrictEqual(
        yield* perform("CgroupRead", { directory, files }), Object.fromEntries(files.map((file) => [file, `${4 << 20}\n`]))
      )
    })
    yield* Effect.ensuring(made, Effect.ignore(perform("CgroupRemove", { directory })))
  }))
}
