import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { Machine } from "../../../src/interpreters/linux/Machine.ts"
import { records } from "../../../src/interpreters/linux/records.ts"
import * as Effect from "effect/Effect"
import { linuxFixture, obstacle, openDescriptors, patience, sleep } from "./fixture.ts"

const sources = new URL("../../../src", import.meta.url).pathname

const put = (key: string, revision: number, name = "", value = "{}") =>
  ({ collection: "containers", key, revision, name, value }) as const

describe("records on Linux", () => {
  const linux = linuxFixture()

  it("finds nothing, and makes nothing, before the first is written", async () => {
    expect(await linux.perform("RecordGet", { collection: "containers", key: "a" })).toBeUndefined()
    expect(await linux.perform("RecordList", { collection: "images" })).toEqual([])
    await linux.perform("RecordDelete", { collection: "containers", key: "a" })
    expect(fs.readdirSync(linux.directory)).toEqual([])
  })

  it("keeps a record and counts its revisions", async () => {
    await linux.perform("RecordPut", put("one", 0, "alice", `{"é":1}`))
    expect(await linux.perform("RecordGet", { collection: "containers", key: "one" }))
      .toEqual({ key: "one", revision: 1, name: "alice", value: `{"é":1}` })
    await linux.perform("RecordPut", put("one", 1, "bob", "{}"))
    expect(await linux.perform("RecordGet", { collection: "containers", key: "one" }))
      .toEqual({ key: "one", revision: 2, name: "bob", value: "{}" })
    expect(await linux.perform("RecordGet", { collection: "images", key: "one" })).toBeUndefined()
    expect(fs.statSync(`${linux.directory}/engine.db`).mode & 0o777).toBe(0o600)
  })

  it("refuses a revision that has moved on, a new record of a known key, and a change of a missing one", async () => {
    await linux.perform("RecordPut", put("stale", 0))
    expect(await linux.failure("RecordPut", put("stale", 0))).toMatchObject({ op: "RecordPut", errno: "ESTALE" })
    expect((await linux.failure("RecordPut", put("stale", 5))).errno).toBe("ESTALE")
    expect((await linux.failure("RecordPut", put("never", 1))).errno).toBe("ESTALE")
  })

  it("gives a name to one record of a collection, and no name to many", async () => {
    await linux.perform("RecordPut", put("named", 0, "carol"))
    expect((await linux.failure("RecordPut", put("other", 0, "carol"))).errno).toBe("EEXIST")
    await linux.perform("RecordPut", put("other", 0))
    await linux.perform("RecordPut", put("another", 0))
    expect((await linux.failure("RecordPut", put("other", 1, "carol"))).errno).toBe("EEXIST")
    await linux.perform("RecordPut", { ...put("named", 0, "carol"), collection: "images" })
    await linux.perform("RecordDelete", { collection: "containers", key: "named" })
    await linux.perform("RecordPut", put("other", 1, "carol"))
  })

  it("lists a collection by key", async () => {
    for (const key of ["b", "a", "c"]) await linux.perform("RecordPut", { ...put(key, 0), collection: "execs" })
    expect((await linux.perform("RecordList", { collection: "execs" })).map(({ key }) => key)).toEqual(["a", "b", "c"])
  })

  it("waits for another writer without holding up the event loop, and then succeeds", async () => {
    const other = new DatabaseSync(`${linux.directory}/engine.db`)
    other.exec("BEGIN IMMEDIATE")
    let ticks = 0
    const ticking = setInterval(() => ticks++, 2)
    const writing = linux.perform("RecordPut", put("patient", 0))
    await sleep(100 * patience)
    other.exec("COMMIT")
    other.close()
    await writing
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(4)
  })

  it("loses no increment of several processes", async () => {
    await linux.perform("RecordPut", put("counter", 0, "", "0"))
    const script = `
      import * as Effect from "effect/Effect"
      import { layer } from "${sources}/interpreters/linux/LinuxKernel.ts"
      import { perform } from "${sources}/programs/Kernel.ts"
      const root = process.argv[1]
      const increment = Effect.gen(function*() {
        for (;;) {
          const row = yield* perform("RecordGet", { collection: "containers", key: "counter" })
          const written = yield* Effect.exit(perform("RecordPut", {
            collection: "containers", key: "counter", revision: row.revision, name: "",
            value: String(Number(row.value) + 1)
          }))
          if (written._tag === "Success") return
          if (written.cause.reasons[0].error.errno !== "ESTALE") throw written.cause.reasons[0].error
        }
      })
      await Effect.runPromise(Effect.provide(Effect.repeat(increment, { times: 14 }), layer({ root, execRoot: root })))`
    const run = promisify(execFile)
    await Promise.all([1, 2, 3].map(() =>
      run(process.execPath, ["--input-type=module", "-e", script, linux.directory], { cwd: sources })))
    expect((await linux.perform("RecordGet", { collection: "containers", key: "counter" }))?.value).toBe("45")
  }, 60_000 * patience)

  const errorIn = async (root: string) => {
    const machine = new Machine({ root, execRoot: root })
    try {
      return await Effect.runPromise(Effect.flip(records(machine).RecordPut(put("x", 0))))
    } finally {
      machine.closeAll()
    }
  }

  it("says what is wrong with a file that is no database, or of another version", async () => {
    const damaged = `${linux.directory}/damaged`
    fs.mkdirSync(damaged)
    fs.writeFileSync(`${damaged}/engine.db`, "no database ".repeat(100))
    const before = openDescriptors()
    expect(await errorIn(damaged)).toMatchObject({
      errno: "EIO", path: `${damaged}/engine.db`, hint: expect.stringContaining("backup")
    })
    expect((await errorIn(`${linux.directory}/none`)).errno).toBe("ENOENT")
    expect(openDescriptors()).toEqual(before)
    const future = `${linux.directory}/future`
    fs.mkdirSync(future)
    const database = new DatabaseSync(`${future}/engine.db`)
    database.exec("PRAGMA user_version = 99")
    database.close()
    expect((await errorIn(future)).hint).toContain("format 99")
  })

  it.skipIf(obstacle !== undefined)("says that the disk is full", async () => {
    const full = `${linux.directory}/full`
    fs.mkdirSync(full)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "fx-test", full])
    try {
      expect((await errorIn(full)).errno).toMatch(/^(ENOSPC|EIO)$/)
    } finally {
      execFileSync("umount", [full])
    }
  })

  it("closes its files with the layer", async () => {
    const root = `${linux.directory}/closing`
    fs.mkdirSync(root)
    const before = openDescriptors()
    const machine = new Machine({ root, execRoot: root })
    await Effect.runPromise(records(machine).RecordPut(put("x", 0)))
    machine.closeAll()
    expect(openDescriptors()).toEqual(before)
    expect(fs.readdirSync(root)).toEqual(["engine.db"])
  })
})
