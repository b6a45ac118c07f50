import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildInit, FxInit, isRoot, makeRootfs, removeBase, temporaryBase } from "./FxInit.ts"
import { devOperations, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const withDev = (script: string) => [
  ...rootOperations(base, rootfs),
  mountProc,
  ...devOperations(false),
  shell(script)
]
const entries = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string })

describe.runIf(isRoot)("the log", () => {
  it("has docker's lines: escaped, split at 16 KiB, each with stream and time", async () => {
    const path = join(base, "json.log")
    const run = new FxInit(base, {
      program: withDev(
        "printf 'plain <&> \\t\"q\" \\\\ \\303\\251 \\377\\n'; echo oops >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; printf tail"
      ),
      log: { path, maxSize: 0, maxFiles: 1 }
    })
    await run.finished()
    expect(
      readFileSync(path, "utf8")
        .split("\n")
        .find((line) => line.includes("plain"))
    ).toMatch(
      /^\{"log":"plain \\u003c\\u0026\\u003e \\u0009\\"q\\" \\\\ é \\ufffd\\n","stream":"stdout","time":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"\}$/
    )
    const out = entries(path)
      .filter(({ stream }) => stream === "stdout")
      .map(({ log }) => log)
    expect(out.slice(1)).toEqual([
      "x".repeat(16_384),
      "x".repeat(16_384),
      `${"x".repeat(7_232)}\n`,
      "tail"
    ])
    expect(
      entries(path)
        .filter(({ stream }) => stream === "stderr")
        .map(({ log }) => log)
    ).toEqual(["oops\n"])
  })

  it("is rotated by size, keeping so many files and every line whole", async () => {
    const path = join(base, "rotated.log")
    await new FxInit(base, {
      program: withDev("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done"),
      log: { path, maxSize: 1000, maxFiles: 3 }
    }).finished()
    const files = [entries(`${path}.2`), entries(`${path}.1`), entries(path)]
    const lines = files.flat().map(({ log }) => Number(log.slice(5)))
    expect(lines).toEqual(
      Array.from({ length: lines.length }, (_, index) => 100 - lines.length + index)
    )
    expect(lines.length).toBeGreaterThan(20)
    for (const file of files.slice(0, 2)) expect(JSON.stringify(file).length).toBeLessThan(1500)
    expect(() => readFileSync(`${path}.3`)).toThrow()
  })

  it("is emptied where one file is allowed", async () => {
    const path = join(base, "single.log")
    await new FxInit(base, {
      program: withDev("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done"),
      log: { path, maxSize: 1000, maxFiles: 1 }
    }).finished()
    expect(entries(path).length).toBeLessThan(20)
    expect(entries(path).at(-1)!.log).toBe("line 99\n")
    expect(() => readFileSync(`${path}.1`)).toThrow()
  })

  it("that cannot be opened fails the start", async () => {
    const channel = await new FxInit(base, {
      program: withDev("true"),
      log: { path: join(base, "no/such/dir"), maxSize: 0, maxFiles: 1 }
    }).finished()
    expect(channel.failure).toEqual({
      operation: -1,
      errno: 2,
      syscall: "openat",
      path: join(base, "no/such/dir")
    })
  })
})
