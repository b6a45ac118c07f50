import { Effect, Stream } from "effect"
import { describe, expect, it } from "vitest"
import type { LogLine } from "../../../src/domain/container/LogLine.ts"
import type { Engine } from "../../../src/programs/Engine.ts"
import type { LogOptions } from "../../../src/programs/container/logs.ts"
import { runLine, summary } from "../Stage.ts"

const time = 1_700_000_000_123_000_000n
const line = (stream: "stdout" | "stderr", text: string): LogLine => ({ stream, time, text })

const written = [line("stdout", "one\n"), line("stderr", "oops\n"), line("stdout", "begun, "),
  line("stdout", "ended\n")]

const logs = async (...argv: ReadonlyArray<string>) => {
  const asked: Array<LogOptions> = []
  const engine: Partial<Engine["Service"]> = {
    find: () => Effect.succeed(summary("c", "running")),
    logs: (_, options) => {
      asked.push(options)
      return Stream.fromIterable(written)
    }
  }
  return { ...await runLine(["logs", ...argv], { engine }), asked: asked[0] }
}

describe("logs", () => {
  it("keeps the two streams apart", async () => {
    expect(await logs("c")).toMatchObject({ exitCode: 0, stdout: "one\nbegun, ended\n", stderr: "oops\n" })
  })

  it("puts times before lines, not before their rest", async () => {
    const stamp = "2023-11-14T22:13:20.123000000Z"
    expect((await logs("-t", "c")).stdout).toBe(`${stamp} one\n${stamp} begun, ended\n`)
    expect((await logs("-t", "--details", "c")).stderr).toBe(`${stamp}  oops\n`)
  })

  it("asks for the end, and for what comes", async () => {
    expect((await logs("c")).asked).toEqual({ tail: -1, since: undefined, until: undefined, follow: false })
    expect((await logs("-f", "-n", "5", "c")).asked).toMatchObject({ tail: 5, follow: true })
    expect((await logs("--tail", "all", "c")).asked).toMatchObject({ tail: -1 })
  })

  it("takes points in time as docker does", async () => {
    const { asked } = await logs("--since", "1700000000.5", "--until", "2023-11-14T22:13:21Z", "c")
    expect(asked).toMatchObject({ since: 1_700_000_000_500_000_000n, until: 1_700_000_001_000_000_000n })
    const tenMinutes = (await logs("--since", "10m", "c")).asked?.since ?? 0n
    expect(Number(tenMinutes / 1_000_000n)).toBeGreaterThan(Date.now() - 601_000)
    expect(Number(tenMinutes / 1_000_000n)).toBeLessThan(Date.now() - 599_000)
  })

  it("refuses what is no number and no time", async () => {
    expect(await logs("--tail", "few", "c"))
      .toMatchObject({ exitCode: 1,
      stderr: `fx-engine: invalid value for --tail: "few": write a number of lines or all\n` })
    expect((await logs("--since", "yesterday", "c")).exitCode).toBe(1)
  })

  it("has nothing to read of a container without a log", async () => {
    const engine: Partial<Engine["Service"]> = {
      find: () => Effect.succeed(summary("c", "running",
        { config: { log: { driver: "none", maxSize: 0, maxFiles: 1 } } }))
    }
    expect((await runLine(["logs", "c"], { engine })).stderr)
      .toContain("configured logging driver does not support reading")
  })
})
