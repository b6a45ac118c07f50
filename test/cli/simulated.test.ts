/** Command lines over the real programs and a simulated machine, which stays in a file between them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Outcome, type Props, runLine } from "./Stage.ts"

let root = ""

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fx-cli-"))
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const fx = (argv: ReadonlyArray<string>, props: Props = {}): Promise<Outcome> =>
  runLine(["--simulated", "--root", root, ...argv], { ...props, engine: "own" })

describe("the command line on a simulated machine", () => {
  it("runs a program, passes its output and its status on, and leaves nothing behind with --rm", async () => {
    expect(await fx(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3"]))
      .toMatchObject({ exitCode: 3, stdout: "out\n", stderr: "err\n" })
    expect((await fx(["ps", "-aq"])).stdout).toBe("")
  })

  it("passes stdin on, and its end", async () => {
    expect((await fx(["run", "-i", "--rm", "busybox", "cat"], { stdin: ["one\n", "two\n"] })).stdout).toBe("one\ntwo\n")
  })

  it("remembers a detached container between commands", async () => {
    const { stdout: id } = await fx(["run", "-d", "--name", "web", "busybox", "sleep", "600"])
    expect((await fx(["ps", "--no-trunc", "-q"])).stdout).toBe(id)
    expect((await fx(["exec", "web", "echo", "hi"])).stdout).toBe("hi\n")
    expect((await fx(["pause", "web"])).stdout).toBe("web\n")
    expect((await fx(["inspect", "-f", "{{.State.Status}}", "web"])).stdout).toBe("paused\n")
    await fx(["unpause", "web"])
    expect((await fx(["kill", "web"])).stdout).toBe("web\n")
    expect((await fx(["wait", "web"])).stdout).toBe("137\n")
    expect((await fx(["rm", "web"])).stdout).toBe("web\n")
    expect((await fx(["ps", "-aq"])).stdout).toBe("")
  })

  it("keeps logs", async () => {
    await fx(["run", "--name", "talker", "busybox", "sh", "-c", "echo one; echo two"])
    expect((await fx(["logs", "--tail", "1", "talker"])).stdout).toBe("two\n")
  })

  it("ends with 127 for a program that is not there", async () => {
    const outcome = await fx(["run", "--rm", "busybox", "nonsense"])
    expect(outcome.exitCode).toBe(127)
    expect(outcome.stderr).toContain(`exec: "nonsense": executable file not found in $PATH`)
  })

  it("prunes containers that do not run, and of these only those that the filters mean", async () => {
    await fx(["run", "-d", "--name", "web", "busybox", "sleep", "600"])
    await fx(["run", "--name", "old", "-l", "keep=yes", "busybox", "sh", "-c", "echo some words > /file"])
    await fx(["create", "--name", "new", "-l", "keep=no", "busybox"])
    const left = async () => (await fx(["ps", "-a", "--format", "{{.Names}}"])).stdout.trim().split("\n").toSorted()
    expect((await fx(["container", "prune", "-f", "--filter", "until=2000-01-01"])).stdout).toBe("Total reclaimed space: 0B\n")
    expect((await fx(["--plan", "container", "prune"])).stdout).toContain("RecordDelete")
    expect(await left()).toEqual(["new", "old", "web"])
    expect((await fx(["container", "prune", "-f", "--filter", "label!=keep=yes"])).stdout)
      .toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B\n$/)
    expect(await left()).toEqual(["old", "web"])
    const { stdout } = await fx(["container", "prune"], { stdin: ["y\n"] })
    expect(stdout).toMatch(/ {2}old \([0-9a-f]{12}, 11B\)\nSpace that comes back: 11B\n.*\[y\/N\] Deleted [^]*Total reclaimed space: 11B\n$/)
    expect(await left()).toEqual(["web"])
  })

  it("finds nothing wrong with itself", async () => {
    await fx(["run", "-d", "--name", "web", "busybox", "sleep", "600"])
    expect(await fx(["system", "check"])).toMatchObject({ exitCode: 0, stdout: "records and kernel agree\n" })
  })

  it("lets one command at a time have the machine, and takes it from the dead", async () => {
    await fx(["ps"])
    writeFileSync(join(root, "simulated-world.json.lock"), "4194305")
    expect((await fx(["ps"])).exitCode).toBe(0)
    writeFileSync(join(root, "simulated-world.json"), "nonsense")
    expect((await fx(["ps"])).stderr).toContain("simulated-world.json")
  })
})

describe("--plan", () => {
  it("shows every operation and performs none", async () => {
    await fx(["run", "-d", "--name", "web", "busybox", "sleep", "600"])
    const { exitCode, stdout } = await fx(["run", "--plan", "--rm", "-d", "busybox", "true"])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ +1 {2}RecordPut +collection=containers /)
    expect(stdout).toMatch(/^ +[0-9]+ {2}SupervisorStart /m)
    expect(stdout).toMatch(/^ +[0-9]+ {2}Exec +argv=\["true"\]/m)
    expect((await fx(["ps", "-a", "--format", "{{.Names}}"])).stdout).toBe("web\n")
  })

  it.each([
    [["stop", "web"], "ProcessSignal"], [["kill", "web"], "ProcessSignal"], [["pause", "web"], "CgroupFreeze"],
    [["rename", "web", "other"], "RecordPut"], [["rm", "-f", "web"], "TreeRemove"],
      [["update", "-m", "64m", "web"], "CgroupWrite"],
    [["exec", "web", "true"], "SupervisorStart"], [["restart", "-t", "0", "web"], "SupervisorStart"]
  ])("%j shows %s and changes nothing", async (argv, operation) => {
    await fx(["run", "-d", "--name", "web", "busybox", "sleep", "600"])
    const before = (await fx(["inspect", "web"])).stdout
    const { exitCode, stdout } = await fx(["--plan", ...argv])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`  ${operation} `)
    expect((await fx(["inspect", "web"])).stdout).toBe(before)
  })

  it("is JSON lines with --format json", async () => {
    const { stdout } = await fx(["create", "--plan", "--format", "json", "busybox"])
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as { readonly tag: string })
    expect(lines.map(({ tag }) => tag)).toEqual(["RecordPut"])
  })

  it("writes no id file", async () => {
    const { files } = await fx(["run", "--plan", "-d", "--cidfile", "/id", "busybox"])
    expect(files.size).toBe(0)
  })

  it("shows nothing when the command would fail", async () => {
    expect(await fx(["rm", "--plan", "nobody"]))
      .toMatchObject({ exitCode: 1, stdout: "", stderr: "fx-engine: No such container: nobody\n" })
  })
})

describe("--trace and replay", () => {
  it("a trace of the simulated machine happens again without a difference", async () => {
    const trace = join(root, "trace")
    expect((await fx(["--trace", trace, "run", "--rm", "busybox", "echo", "hi"])).stdout).toBe("hi\n")
    const text = readFileSync(trace, "utf8")
    expect(text.trim().split("\n").length).toBeGreaterThan(20)
    const { exitCode, stdout } = await fx(["replay", "trace"], { files: { trace: text } })
    expect(stdout).toMatch(/^[0-9]+ operations, 0 differences\n$/)
    expect(exitCode).toBe(0)
  })

  it("knows what ran before the trace began", async () => {
    await fx(["run", "-d", "--name", "web", "busybox", "sleep", "1000"])
    for (const line of [
      ["exec", "web", "echo", "in"], ["pause", "web"], ["unpause", "web"], ["update", "-m", "100m", "web"],
      ["rename", "web", "shop"], ["kill", "shop"], ["start", "shop"], ["restart", "-t", "0", "shop"],
      ["exec", "shop", "id", "-un"], ["rm", "-f", "shop"]
    ]) {
      const trace = join(root, "trace")
      expect((await fx(["--trace", trace, ...line])).exitCode).toBe(0)
      const { stdout } = await fx(["replay", "trace"], { files: { trace: readFileSync(trace, "utf8") } })
      expect(stdout, line.join(" ")).toMatch(/^[0-9]+ operations, 0 differences\n$/)
    }
  })

  it("shows long results from where they part", async () => {
    const trace = join(root, "trace")
    await fx(["--trace", trace, "run", "--rm", "busybox", "echo", "begin".repeat(100), "hi"])
    const text = readFileSync(trace, "utf8").replaceAll(`"hi"`, `"ho"`)
    const { stdout } = await fx(["replay", "trace"], { files: { trace: text } })
    expect(stdout).toMatch(/ChannelRead: recorded …[begin]+ hi.*, simulated …[begin]+ ho/m)
  })

  it("says where something else comes of an operation", async () => {
    const trace = join(root, "trace")
    await fx(["--trace", trace, "run", "--rm", "busybox", "echo", "hi"])
    const text = readFileSync(trace, "utf8").replaceAll(`"echo","hi"`, `"echo","ho"`)
    const { exitCode, stdout } = await fx(["replay", "trace"], { files: { trace: text } })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^[0-9]+ ChannelRead: recorded .*hi.*, simulated .*ho/m)
  })

  it("refuses what is no trace", async () => {
    expect((await fx(["replay", "x"], { files: { x: "nonsense\n" } })).stderr)
      .toContain("trace: line 1: not an entry of a trace")
    expect((await fx(["replay", "y"])).stderr).toBe("fx-engine: open y: no such file or directory\n")
  })
})
