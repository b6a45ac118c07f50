import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { type LinuxOptions, layer } from "../../../src/interpreters/linux/LinuxKernel.ts"
import { type Kernel, perform } from "../../../src/programs/Kernel.ts"
import { linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

const spec = {
  id: "x", directory: "/tmp", stdio: { terminal: false, rows: 0, columns: 0, stdin: "null" as const }, namespaces: [],
  cgroup: "", uidMap: [], gidMap: [], program: [], killFiles: [], killProcs: [], removeDirectories: [], oomFile: "",
  onExit: []
}

describe("the Linux kernel as a layer", () => {
  const linux = linuxFixture()
  const run = <A, E>(options: Partial<LinuxOptions>, effect: Effect.Effect<A, E, Kernel>): Promise<A> =>
    Effect.runPromise(Effect.provide(effect, layer({ root: linux.directory, execRoot: linux.directory, ...options })))

  it("says how to build an addon that is not there, and works as far as it can without", async () => {
    const path = `${linux.directory}/none.node`
    const options = { addon: path }
    const error = await run(options, Effect.flip(perform("DirMake", { path: `${linux.directory}/x`, mode: 0o755 })))
    expect(error).toMatchObject({ op: "DirMake", syscall: "dlopen", errno: "ELIBBAD" })
    expect(error.hint).toContain("npm run build:native")
    for (const tag of ["TreeSize", "TreeRemove"] as const) {
      expect((await run(options, Effect.flip(perform(tag, { path: "/tmp/x" })))).errno).toBe("ELIBBAD")
    }
    expect((await run(options, perform("HostRead", {}))).mountinfo).not.toBe("")
  })

  it.skipIf(obstacle !== undefined)("says that the supervisor's image is missing or no program", async () => {
    const start = Effect.flip(perform("SupervisorStart", { spec, attach: 0 }))
    const missing = await run({ init: `${linux.directory}/none` }, start)
    expect(missing).toMatchObject({ op: "SupervisorStart", errno: "ENOENT" })
    expect(missing.hint).toContain("npm run build:native")
    fs.writeFileSync(`${linux.directory}/text`, "no program")
    const before = fs.readdirSync("/proc/self/task").length
    const refused = await run({ init: `${linux.directory}/text` }, start)
    expect(refused).toMatchObject({ syscall: "execveat", errno: "ENOEXEC" })
    expect(fs.readdirSync("/proc/self/task").length).toBe(before)
  })

  it.skipIf(obstacle !== undefined)("closes what was left open when it ends", async () => {
    await linux.perform("DirMake", { path: `${linux.directory}/tree`, mode: 0o755 })
    const before = openDescriptors()
    const root = { _tag: "Directory", path: `${linux.directory}/tree` } as const
    await run({}, Effect.gen(function*() {
      yield* perform("LockAcquire", { path: `${linux.directory}/lock`, shared: false })
      yield* perform("ArchiveRead", { root, path: "/", name: "x", follow: true })
      yield* perform("ArchiveWrite", { root, path: "/", noOverwriteDirNonDir: true })
      yield* perform("RecordPut", { collection: "images", key: "x", revision: 0, name: "", value: "{}" })
      expect(openDescriptors().length).toBeGreaterThan(before.length + 3)
    }))
    expect(openDescriptors()).toEqual(before)
  })

  it("refuses a handle of another kind", async () => {
    const handle = await linux.perform("LockAcquire", { path: `${linux.directory}/kind`, shared: false })
    expect(await linux.failure("ChannelRead", { channel: handle })).toMatchObject({ op: "ChannelRead", errno: "EBADF" })
    expect((await linux.failure("ArchivePull", { archive: handle })).errno).toBe("EBADF")
    expect((await linux.failure("ArchiveClose", { archive: handle })).errno).toBe("EBADF")
    await linux.perform("LockRelease", { handle })
  })
})
