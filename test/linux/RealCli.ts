/**
 * The program as users have it, on this very kernel: a bundle of the sources, run by its first line, with roots of
 * its own. When it is done the engine of these roots looks that nothing is left.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { buildDist } from "../cli/buildDist.ts"
import { patience, RealEngine } from "./RealEngine.ts"

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

/** Looks every 50 ms until it holds, for 10 s on a fast machine. */
export const eventually = async (what: string, holds: () => boolean): Promise<void> => {
  for (const end = Date.now() + 10_000 * patience; !holds();) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await pause(50)
  }
}

/** Node of the tests, whatever `node` is on this machine. */
export const environment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, HOST_ONLY: "host" }

/** Somebody at a terminal of `script`: what they see, and what they type. */
export class Typist {
  private seen = ""
  private readonly child: ChildProcess
  readonly ended: Promise<unknown>

  constructor(line: string) {
    this.child = spawn("script", ["-qec", line, "/dev/null"], { env: environment, stdio: ["pipe", "pipe", "inherit"] })
    this.child.stdout!.on("data", (data: Buffer) => { this.seen += data.toString() })
    this.ended = new Promise((done) => this.child.on("close", done))
  }

  get screen(): string {
    return this.seen.replaceAll("\r", "")
  }

  type(keys: string): void {
    this.child.stdin!.write(keys)
  }

  sees(pattern: RegExp): Promise<void> {
    return eventually(`the screen has ${pattern}, it is ${JSON.stringify(this.screen)}`, () => pattern.test(this.screen))
  }

  hangUp(): void {
    this.child.kill("SIGKILL")
  }
}

export class RealCli {
  readonly engine = new RealEngine()
  readonly directory = this.engine.directory
  readonly rootfs = this.engine.rootfs
  private dist = ""

  /** `name`: of the directory of the bundle, one for each test file. */
  async build(name: string): Promise<void> {
    this.engine.make()
    this.dist = await buildDist(name)
  }

  async dispose(): Promise<void> {
    rmSync(this.dist, { recursive: true, force: true })
    await this.engine.dispose()
  }

  get program(): string {
    return join(this.dist, "cli.cjs")
  }

  get roots(): ReadonlyArray<string> {
    return ["--root", this.engine.paths.root, "--exec-root", this.engine.paths.execRoot]
  }

  /** For a shell. */
  get command(): string {
    return [this.program, ...this.roots].join(" ")
  }

  fx(...argv: ReadonlyArray<string>): Ran {
    return this.fed("", ...argv)
  }

  fed(input: string | Uint8Array, ...argv: ReadonlyArray<string>): Ran {
    const { status, stderr, stdout } = spawnSync(this.program, [...this.roots, ...argv], {
      input, env: environment, maxBuffer: 1 << 28, timeout: 25_000 * patience
    })
    return { code: status ?? -1, stdout: stdout.toString(), stderr: stderr.toString() }
  }

  /** Attached, in our root, to its end. */
  run(flags: ReadonlyArray<string>, ...command: ReadonlyArray<string>): Ran {
    return this.fx("run", "--rm", ...flags, "--rootfs", this.rootfs, "--", ...command)
  }

  sh(flags: ReadonlyArray<string>, script: string): Ran {
    return this.run(flags, "sh", "-c", script)
  }

  /** Detached; the id. */
  start(name: string, flags: ReadonlyArray<string>, ...command: ReadonlyArray<string>): string {
    const ran = this.fx("run", "-d", "--name", name, ...flags, "--rootfs", this.rootfs, "--", ...command)
    if (ran.code !== 0) throw new Error(ran.stderr)
    return ran.stdout.trim()
  }

  spawn(...argv: ReadonlyArray<string>): { readonly child: ChildProcess; readonly output: () => string; readonly code: Promise<number> } {
    const child = spawn(this.program, [...this.roots, ...argv], { env: environment, stdio: ["pipe", "pipe", "inherit"] })
    let output = ""
    child.stdout.on("data", (data: Buffer) => { output += data.toString() })
    const code = new Promise<number>((done) => child.on("close", (status) => done(status ?? -1)))
    return { child, output: () => output, code }
  }

  /** A line for each container: its name and the beginning of its status. */
  get states(): ReadonlyArray<string> {
    return this.fx("ps", "-a", "--format", "{{.Names}} {{.State}}").stdout.trim().split("\n").filter((line) => line !== "").sort()
  }

  /** Through a template. */
  inspect(name: string, template: string): string {
    return this.fx("inspect", "-f", template, name).stdout.trim()
  }

  removeAll(): void {
    const ids = this.fx("ps", "-aq").stdout.split("\n").filter((id) => id !== "")
    if (ids.length > 0) this.fx("rm", "-f", ...ids)
  }

  /** A file of the host in our directory. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name)
    writeFileSync(path, content)
    return path
  }
}
