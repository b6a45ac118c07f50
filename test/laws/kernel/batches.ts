/** Several operations in one go are the same as one by one, and what was done can be taken back. */
import { assert } from "@effect/vitest"
import { Effect, Exit, Result } from "effect"
import * as fc from "fast-check"
import { type KernelOp, type KernelTag, op, type Payload, undo } from "../../../src/domain/kernel/KernelOp.ts"
import { Kernel, perform, performAll, performEach } from "../../../src/programs/Kernel.ts"
import { fileOp } from "../../../src/testing/index.ts"
import { type Ground, law } from "../Ground.ts"

/** All that is below a directory, each with its mode and content. */
const look = (path: string): Effect.Effect<ReadonlyArray<string>, never, Kernel> =>
  Effect.gen(function*() {
    const found: Array<string> = []
    for (const name of yield* perform("DirList", { path })) {
      const one = `${path}/${name}`
      const { mode, type } = yield* perform("FileStat", { path: one, follow: false })
      const content = type === "file" ? yield* perform("FileRead", { path: one, limit: 100_000 }) : ""
      found.push(`${name} ${type} ${mode.toString(8)} ${content}`)
      if (type === "directory") found.push(...(yield* look(one)).map((line) => `${name}/${line}`))
    }
    return found
  }).pipe(Effect.orDie)

/** Of operations that change something, those below one directory. */
const changes = (directory: string): fc.Arbitrary<ReadonlyArray<KernelOp>> =>
  fc.array(fileOp(directory).filter(({ tag }) => tag !== "LockTry"), { maxLength: 10 })

const oneByOne = (ops: ReadonlyArray<KernelOp>) =>
  Effect.forEach(ops, (one) => perform(one.tag, one.payload as never), { discard: true })

/** How it ended, in words that do not depend on where it was. */
const ending = (exit: Exit.Exit<unknown, unknown>, directory: string): string =>
  Exit.isSuccess(exit) ? "success" : JSON.stringify(exit.cause.reasons).replaceAll(directory, "")

/** As it is meant for each of the two directories: the draw is the same. */
const drawn = <A>(arbitrary: (directory: string) => fc.Arbitrary<A>, directory: string, seed: number): A =>
  fc.sample(arbitrary(directory), { numRuns: 1, seed })[0]!

export const batchLaws = (ground: Ground): void => {
  law(ground, "operations in one go do what they do one by one, and fail where they do", Effect.gen(function*() {
    for (let seed = 0; seed < 60; seed++) {
      const outcomes: Array<{ readonly ended: string; readonly left: ReadonlyArray<string> }> = []
      for (const [name, execute] of [["single", oneByOne], ["batched", performAll]] as const) {
        const directory = `${ground.scratch}/${name}`
        yield* perform("DirMake", { path: directory, mode: 0o755 })
        const exit = yield* Effect.exit(execute(drawn(changes, directory, seed)))
        outcomes.push({ ended: ending(exit, directory), left: yield* look(directory) })
        yield* perform("TreeRemove", { path: directory })
      }
      assert.deepStrictEqual(outcomes[1], outcomes[0], `seed ${seed}`)
    }
  }))

  law(ground, "many looks in one go tell what each tells by itself, and one that fails ends none of the others", Effect.gen(function*() {
    const at = (name: string) => `${ground.scratch}/${name}`
    yield* perform("DirMake", { path: at("directory"), mode: 0o755 })
    yield* perform("FileWrite", { path: at("directory/b"), mode: 0o644, text: "b" })
    yield* perform("FileWrite", { path: at("file"), mode: 0o644, text: "text" })
    const paths = ["missing", "file", "directory", "file/below", "directory/b"].map(at)
    const same = <T extends KernelTag>(tag: T, payloads: ReadonlyArray<Payload<T>>) => Effect.gen(function*() {
      const single = yield* Effect.forEach(payloads, (payload) => Effect.result(perform(tag, payload)))
      const together = yield* performEach(tag, payloads)
      assert.deepStrictEqual(together, single, tag)
      return together.map((one) => Result.isFailure(one) ? one.failure.errno : one.success as unknown)
    })
    assert.deepStrictEqual(
      yield* same("FileRead", paths.map((path) => ({ path, limit: 3 }))), ["ENOENT", "EFBIG", "EISDIR", "ENOTDIR", "b"]
    )
    assert.deepStrictEqual(yield* same("DirList", paths.map((path) => ({ path }))),
      ["ENOENT", "ENOTDIR", ["b"], "ENOTDIR", "ENOTDIR"])
    // Not among those that are done without an effect each
    assert.deepStrictEqual((yield* same("FileStat", paths.map((path) => ({ path, follow: true })))).map((one) =>
      typeof one === "string" ? one : "seen"), ["ENOENT", "seen", "seen", "ENOTDIR", "seen"])
    const nobody = { pid: 0, startTime: 0 }
    assert.deepStrictEqual(yield* same("ProcessSignal", [{ process: nobody, signal: 0 }]), ["ESRCH"])
    assert.deepStrictEqual(yield* performEach("FileRead", []), [])
    // More than are done before others get their turn
    const many = Array.from({ length: 300 }, (_, index) => ({ path: paths[index % paths.length]!, limit: 100 }))
    assert.strictEqual((yield* same("FileRead", many)).filter((one) => one === "text").length, 60)
  }))

  law(ground, "what is done is taken back by its undo, however often, and also when it was never done", Effect.gen(function*() {
    const directory = `${ground.scratch}/undone`
    yield* perform("DirMake", { path: directory, mode: 0o755 })
    const ops: ReadonlyArray<KernelOp> = [
      op("DirMake", { path: `${directory}/a`, mode: 0o755 }),
      op("FileWrite", { path: `${directory}/file`, mode: 0o644, text: "x" }),
      op("RecordPut", { collection: "images", key: "undone", revision: 0, name: "undone", value: "{}" })
    ]
    for (const one of ops) {
      const back = undo(one)!
      const undoing = perform(back.tag, back.payload as never)
      yield* undoing
      yield* perform(one.tag, one.payload as never)
      yield* undoing
      yield* undoing
      assert.deepStrictEqual(yield* look(directory), [], one.tag)
      assert.deepStrictEqual(yield* perform("RecordList", { collection: "images" }), [], one.tag)
    }
    // Half there: the directory has been filled by somebody else
    yield* perform("DirMake", { path: `${directory}/a`, mode: 0o755 })
    yield* perform("FileWrite", { path: `${directory}/a/b`, mode: 0o644, text: "" })
    yield* perform("TreeRemove", { path: `${directory}/a` })
    assert.deepStrictEqual(yield* look(directory), [])
  }))

  law(ground, "an empty batch does nothing, and one that fails goes no further", Effect.gen(function*() {
    yield* performAll([])
    const path = (name: string) => `${ground.scratch}/${name}`
    const error = yield* Effect.flip(performAll([
      op("DirMake", { path: path("a"), mode: 0o755 }),
      op("DirMake", { path: path("a"), mode: 0o755 }),
      op("DirMake", { path: path("b"), mode: 0o755 })
    ]))
    assert.deepStrictEqual([error.op, error.syscall, error.errno, error.path], ["DirMake", "mkdir", "EEXIST", path("a")])
    assert.deepStrictEqual(yield* perform("DirList", { path: ground.scratch }), ["a"])
  }))
}
