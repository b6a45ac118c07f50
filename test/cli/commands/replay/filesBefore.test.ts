import { describe, expect, it } from "vitest"
import { Effect } from "effect"
import { KernelError } from "../../../../src/domain/kernel/KernelError.ts"
import { type FileStatus, op, type RootSource } from "../../../../src/domain/kernel/KernelOp.ts"
import { filesSeen, makeFiles } from "../../../../src/cli/commands/replay/filesBefore.ts"
import { perform } from "../../../../src/programs/Kernel.ts"
import { replay, runOn, simulate, type TraceEntry } from "../../../../src/testing/index.ts"

const host: RootSource = { _tag: "Directory", path: "/" }
const image: RootSource = { _tag: "Layers", lower: ["/images/one"], upper: "", work: "" }

const status = (type: FileStatus["type"], more: Partial<FileStatus> = {}): FileStatus =>
  ({ type, mode: 0o640, uid: 7, gid: 8, size: 0, major: 0, minor: 0, ...more })

const asked = (
  root: RootSource, path: string, found: FileStatus | "ENOENT" | "ENOTDIR", follow = false
) => ({ op: op("RootStat", { root, path, follow }), found })

const traceOf = (...all: ReadonlyArray<ReturnType<typeof asked>>): ReadonlyArray<TraceEntry> =>
  all.map(({ found, op: one }, index) => ({
    index, op: one, startedNs: index, durationNs: 1,
    outcome: typeof found === "string"
      ? { _tag: "Failure", error: new KernelError({ op: "RootStat", syscall: "openat2", errno: found }) }
      : { _tag: "Success", value: found }
  }))

const differences = async (trace: ReadonlyArray<TraceEntry>, texts: ReadonlyArray<string> = []) => {
  const simulation = simulate({ files: { "/images/one/tmp": { directory: true, mode: 0o777 }, "/images/one/old": "old" } })
  const exit = await runOn(simulation, Effect.andThen(makeFiles(filesSeen(trace, []), new Set(texts)), replay(trace)))
  if (exit._tag === "Failure") throw new Error(String(exit.cause))
  return exit.value.differences.map(({ actual, expected }) => `${expected} → ${actual}`)
}

describe("the files before a replay", () => {
  it("are of the kind, mode, owner and length that the trace saw, on the host and in containers", async () => {
    const trace = traceOf(
      asked(host, "/home/me/file", status("file", { size: 70_000 })), asked(host, "/home/me", status("directory", { size: 999 })),
      asked(host, "/home/me/pipe", status("fifo")), asked(host, "/home/me/tty", status("character", { major: 5, minor: 1 })),
      asked(image, "/tmp/", status("directory", { mode: 0o1777 }), true), asked(image, "/old", "ENOENT"),
      asked(image, "/etc/none/", "ENOTDIR"), asked(image, "/etc/some/thing", "ENOTDIR")
    )
    expect(await differences(trace)).toEqual([])
  })

  it("are where links lead", async () => {
    const link = status("symlink", { mode: 0o777, target: "../there", size: 8 })
    expect(await differences(traceOf(
      asked(host, "/home/link", link), asked(host, "/home/link/.", status("directory"), true),
      asked(host, "/there", status("directory"))
    ))).toEqual([])
  })

  it("are as they were first seen: what the trace makes later it makes again", async () => {
    const files = filesSeen(traceOf(asked(image, "/new", "ENOENT"), asked(image, "/new", status("file"))), [])
    expect([...files.get("/images/one")!]).toEqual([["/new", undefined]])
  })

  it("leave a file alone whose text is known, and say where one is longer than they can be", async () => {
    const trace = traceOf(asked(image, "/old", status("file", { size: 3, mode: 0o644, uid: 0, gid: 0 })))
    expect(await differences(trace, ["/images/one/old"])).toEqual([])
    const simulation = simulate({ files: { "/images/one/old": "old" } })
    await runOn(simulation, makeFiles(filesSeen(trace, []), new Set(["/images/one/old"])))
    expect(await runOn(simulation, perform("FileRead", { path: "/images/one/old", limit: 10 }))).toMatchObject({ value: "old" })
    const huge = traceOf(asked(host, "/huge", status("file", { size: 2 ** 40 })))
    expect(await differences(huge)).toEqual([expect.stringMatching(/"size":1099511627776.* → .*"size":67108864/)])
  })
})
