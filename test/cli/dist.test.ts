/** The program as it is shipped, as a process: exit statuses, signals, closed pipes, terminals. */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildDist } from "./buildDist.ts"

let dist = ""
let cli = ""

const hasScript = spawnSync("script", ["--version"]).status === 0

let root = ""

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "fx-dist-"))
  dist = await buildDist("test-simulated")
  cli = join(dist, "cli.cjs")
})

afterAll(() => {
  rmSync(root, { recursive: true, force: true })
  rmSync(dist, { recursive: true, force: true })
})

/** A simulated machine of its own for each run: several go on at a time. */
const machine = (() => {
  let count = 0
  return () => ["--simulated", "--root", join(root, String(count++))]
})()

const run = (...argv: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [cli, ...machine(), ...argv], { encoding: "utf8", timeout: 25_000 })

/** Runs a shell line in a terminal of its own; `fx` stands for the program. */
const inTerminal = (line: string): string => {
  const fx = [process.execPath, cli, ...machine()].join(" ")
  const script = `fx() { exec ${fx} "$@"; }; ${line}`
  return spawnSync("script", ["-qec", `sh -c '${script}'`, "/dev/null"], { encoding: "utf8", timeout: 25_000 }).stdout
}

describe("dist/cli.cjs", () => {
  it("passes output and exit status on", () => {
    expect(run("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3"))
      .toMatchObject({ status: 3, stdout: "out\n", stderr: "err\n" })
  })

  it("passes a piped stdin on", () => {
    const ran = spawnSync(process.execPath, [cli, ...machine(), "run", "-i", "--rm", "busybox", "cat"],
      { input: "typed", encoding: "utf8" })
    expect(ran).toMatchObject({ status: 0, stdout: "typed" })
  })

  it("prints long outputs whole into a pipe", () => {
    const ran = spawnSync("sh", ["-c", `'${process.execPath}' '${cli}' run --help | (sleep 0.3; cat)`],
      { encoding: "utf8" })
    expect(ran.stdout).toContain("--workdir string")
    expect(ran.stdout.endsWith("\n")).toBe(true)
  })

  it("ends quietly when nobody reads any more", () => {
    const fx = `'${process.execPath}' '${cli}' ${machine().join(" ")}`
    const line = `(${fx} run --rm busybox sh -c 'sleep 0.5; echo one; echo two'; echo $? >&2) | true`
    const ran = spawnSync("sh", ["-c", line], { encoding: "utf8", timeout: 25_000 })
    expect(ran.stderr).toBe("141\n")
  })

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("ends with 128 and the number after %s when it only waits",
    async (signal) => {
    const where = machine()
    spawnSync(process.execPath, [cli, ...where, "run", "-d", "--name", "web", "busybox", "sleep", "600"])
    const child = spawn(process.execPath, [cli, ...where, "wait", "web"], { stdio: "ignore" })
    const code = new Promise((done) => child.on("close", done))
    await new Promise((done) => setTimeout(done, 1500))
    child.kill(signal)
    expect(await code).toBe(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal])
  })

  it("passes SIGTERM on to an attached container, and ends as that does", async () => {
    const argv = [cli, ...machine(), "run", "--rm", "busybox", "sh", "-c",
      "trap 'exit 9' TERM; echo ready; while true; do sleep 0.1; done"]
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] })
    const code = new Promise((done) => child.on("close", done))
    await Promise.race([code, new Promise((done) => child.stdout.on("data", done))])
    child.kill("SIGTERM")
    expect(await code).toBe(9)
  })
})

describe("code that is kept for the next run of a command", () => {
  const kept = (): ReadonlyArray<string> =>
    (readdirSync(join(dist, ".cache"), { recursive: true }) as Array<string>).filter((name) => name.includes(".cjs-"))
      .map((name) => join(dist, ".cache", name))
  const clear = () => rmSync(join(dist, ".cache"), { recursive: true, force: true })
  const greet = () => {
    const { status, stderr, stdout } = run("run", "--rm", "busybox", "echo", "hi")
    return { status, stderr, stdout }
  }
  const greeted = { status: 0, stderr: "", stdout: "hi\n" }

  it("is written by the first one, and left alone by those that can use it", () => {
    clear()
    expect(greet()).toEqual(greeted)
    const files = kept()
    expect(files.map((path) => path.split("/").at(-2))).toContain("simulated-run")
    expect(files.filter((path) => /engine\.cjs/.test(path))).toHaveLength(1)
    const written = files.map((path) => statSync(path).mtimeMs)
    expect(greet()).toEqual(greeted)
    expect(kept().map((path) => statSync(path).mtimeMs)).toEqual(written)
  })

  it("is made anew when it is damaged or of another build", () => {
    clear()
    greet()
    for (const path of kept()) writeFileSync(path, Buffer.alloc(1000, 7))
    expect(greet()).toEqual(greeted)
    expect(kept().every((path) => statSync(path).size !== 1000)).toBe(true)
    const before = kept()
    const chunk = join(dist, "engine.cjs")
    utimesSync(chunk, new Date(), new Date(statSync(chunk).mtimeMs + 1000))
    expect(greet()).toEqual(greeted)
    expect(kept().length).toBeGreaterThan(before.length)
  })

  it("is done without where nothing can be written", () => {
    clear()
    writeFileSync(join(dist, ".cache"), "in the way")
    expect(greet()).toEqual(greeted)
    clear()
  })

  it("is not written by a command that was mistaken", () => {
    clear()
    expect(run("run", "--no-such-flag").status).toBe(125)
    expect(run("nothing").status).not.toBe(0)
    expect(existsSync(join(dist, ".cache"))).toBe(false)
  })
})

describe.skipIf(!hasScript)("the user's terminal", () => {
  const settings = (text: string): ReadonlyArray<string> =>
    [...text.matchAll(/\[([0-9a-f:]+)\]/g)].map((found) => found[1] ?? "")

  /** Settings before, while and after; the container waits for a line or a signal. */
  const watch = (ending: string): ReadonlyArray<string> => settings(inTerminal(
    "echo [$(stty -g)]; fx run -it --rm --name tty busybox sleep 4 </dev/tty & sleep 2; " +
      `echo [$(stty -g </dev/tty)]; ${ending} wait $!; echo [$(stty -g)]`
  ))

  it("is raw while a container has it, and as before afterwards", () => {
    const [before, during, after] = watch("")
    expect(during).not.toBe(before)
    expect(after).toBe(before)
  })

  it("is as before when the program is made to end by signals", () => {
    const [before, during, after] = watch("kill -TERM $!; sleep 0.2; kill -TERM $!; sleep 0.2; kill -TERM $!;")
    expect(during).not.toBe(before)
    expect(after).toBe(before)
  })

  it("gives the container its size", () => {
    expect(inTerminal("stty rows 31 cols 97; (fx run --plan -t --rm busybox true)"))
      .toMatch(/stdio=\S*"rows":31,"columns":97/)
  })
})
