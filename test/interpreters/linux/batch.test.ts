import * as Exit from "effect/Exit"
import fc from "fast-check"
import * as fs from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type KernelOp, op } from "../../../src/domain/kernel/KernelOp.ts"
import { linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

/** Few names, so that operations meet. */
const name = fc.constantFrom("a", "b", "a/c", "a/c/d", "b/e", "b/e/f/g", "a//c/", "missing/x", "é")
const mode = fc.constantFrom(0o755, 0o700, 0o1777, 0o644, 0)
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant("nul\0inside"), fc.constant("x".repeat(70_000)))

const operations = (root: string): fc.Arbitrary<ReadonlyArray<KernelOp>> => {
  const path = name.map((name) => `${root}/${name}`)
  const operation: fc.Arbitrary<KernelOp> = fc.oneof(
    fc.record({ path, mode }).map((payload) => op("DirMake", payload)),
    fc.record({ path, mode }).map((payload) => op("DirEnsure", payload)),
    fc.record({ path, mode, text }).map((payload) => op("FileWrite", payload)),
    fc.record({ path }).map((payload) => op("FileRemove", payload)),
    fc.record({ path }).map((payload) => op("TreeRemove", payload)),
    path.map((directory) => op("CgroupMake", { directory })),
    path.map((directory) => op("CgroupEnsure", { directory })),
    fc.record({ directory: path, file: fc.constantFrom("c", "d", "f/g", ""), value: text })
      .map((payload) => op("CgroupWrite", payload)),
    // A look in between ends a run: what comes after it must still come after it.
    path.map((path) => op("FileStat", { path, follow: false }))
  )
  // Not too many: the first failure ends a list, and most lists should get somewhere.
  return fc.array(operation, { maxLength: 12 })
}

/** All that can be seen below a directory. */
const observe = (root: string): ReadonlyArray<string> =>
  fs.readdirSync(root, { recursive: true }).map(String).sort().map((name) => {
    const status = fs.lstatSync(`${root}/${name}`)
    const content = status.isFile() ? fs.readFileSync(`${root}/${name}`, "utf8") : "directory"
    return `${name} ${status.mode.toString(8)} ${content}`
  })

const outcome = (exit: Exit.Exit<unknown, unknown>, root: string): string =>
  Exit.isSuccess(exit) ? "done" : JSON.stringify(exit.cause.reasons).replaceAll(root, "")

describe.skipIf(obstacle !== undefined)("performAll on Linux", () => {
  const linux = linuxFixture()
  let batched = ""
  let single = ""
  const empty = () => {
    for (const root of [batched, single]) {
      fs.rmSync(root, { recursive: true, force: true })
      fs.mkdirSync(root)
    }
  }
  beforeEach(() => {
    batched = `${linux.directory}/batched`
    single = `${linux.directory}/single`
    empty()
  })
  afterEach(empty)

  it("does the same as performing one by one, up to the first failure", async () => {
    let failures = 0
    let successes = 0
    await fc.assert(
      fc.asyncProperty(operations("/ROOT"), async (ops) => {
        empty()
        const text = JSON.stringify(ops)
        const under = (root: string): ReadonlyArray<KernelOp> => JSON.parse(text.replaceAll("/ROOT", root))
        const together = await linux.performAll(under(batched))
        let oneByOne: Exit.Exit<void, unknown> = Exit.void
        for (const one of under(single)) {
          oneByOne = await linux.performAll([one])
          if (Exit.isFailure(oneByOne)) break
        }
        if (Exit.isSuccess(together)) successes++
        else failures++
        expect(outcome(together, batched)).toBe(outcome(oneByOne, single))
        expect(observe(batched)).toEqual(observe(single))
      }),
      { numRuns: 100 }
    )
    expect(failures).toBeGreaterThan(10)
    expect(successes).toBeGreaterThan(10)
  })

  it("names the operation that failed, its call and its own path", async () => {
    const exit = await linux.performAll([
      op("DirMake", { path: `${batched}/a`, mode: 0o755 }),
      op("CgroupWrite", { directory: `${batched}/a`, file: "missing", value: "1" }),
      op("DirMake", { path: `${batched}/never`, mode: 0o755 })
    ])
    expect(outcome(exit, batched))
      .toContain(`"op":"CgroupWrite","syscall":"openat","errno":"ENOENT","path":"/a/missing"`)
    expect(fs.readdirSync(batched)).toEqual(["a"])
  })

  it("goes on after a tree that was too large for one call", async () => {
    fs.mkdirSync(`${batched}/large`)
    for (let file = 0; file < 1000; file++) fs.writeFileSync(`${batched}/large/${file}`, "")
    const exit = await linux.performAll([
      op("DirMake", { path: `${batched}/before`, mode: 0o755 }),
      op("TreeRemove", { path: `${batched}/large` }),
      op("DirMake", { path: `${batched}/after`, mode: 0o755 })
    ])
    expect(Exit.isSuccess(exit)).toBe(true)
    expect(fs.readdirSync(batched).sort()).toEqual(["after", "before"])
  })

  it("performs long lists, in order", async () => {
    const ops = Array.from({ length: 700 }, (_, index) =>
      op("FileWrite", { path: `${batched}/last`, mode: 0o644, text: String(index) }))
    const before = openDescriptors()
    expect(Exit.isSuccess(await linux.performAll(ops))).toBe(true)
    expect(fs.readFileSync(`${batched}/last`, "utf8")).toBe("699")
    expect(openDescriptors()).toEqual(before)
  })

  it("does nothing for an empty list", async () => {
    expect(Exit.isSuccess(await linux.performAll([]))).toBe(true)
  })
})
