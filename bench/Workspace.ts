/**
 * Where a benchmark lives: a directory below /tmp with a root file system of busybox, the compiled C
 * programs and the state of every contestant, and control groups below one parent. All goes in the end.
 */
import { execFileSync } from "node:child_process"
import {
  copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { cgroupParent, type Paths } from "../src/domain/container/Paths.ts"
import { Coprocess } from "./Coprocess.ts"
import { quiet } from "./quiet.ts"

const busybox = ["/usr/bin/busybox", "/bin/busybox"].find((path) => existsSync(path))

/** Why nothing can be measured here, or undefined. */
export const unavailable: string | undefined = process.getuid?.() !== 0
  ? "needs root: containers are made for real"
  : busybox === undefined
  ? "needs a static busybox: apt-get install busybox-static"
  : undefined

/** Everything measured runs with this: NODE_EXTRA_CA_CERTS makes every start of Node slower. */
const environment = (): NodeJS.ProcessEnv => {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, NODE_COMPILE_CACHE: ___, ...rest } = process.env
  // Programs that ask for node get this one
  return { ...rest, PATH: `${dirname(process.execPath)}:${rest["PATH"] ?? ""}` }
}

const makeRootfs = (path: string): void => {
  for (const directory of ["bin", "etc", "proc", "sys", "dev", "tmp", "root"]) {
    mkdirSync(join(path, directory), { recursive: true })
  }
  copyFileSync(busybox!, join(path, "bin/busybox"))
  for (const applet of ["sh", "true", "sleep"]) symlinkSync("busybox", join(path, "bin", applet))
  writeFileSync(join(path, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")
  writeFileSync(join(path, "etc/group"), "root:x:0:\n")
  for (const name of ["hostname", "hosts", "resolv.conf"]) writeFileSync(join(path, "etc", name), "")
}

/** Mount points of the control-group hierarchies. */
export const hierarchies = (): ReadonlyArray<{ readonly mount: string; readonly version: 1 | 2 }> =>
  readFileSync("/proc/self/mountinfo", "utf8").split("\n").flatMap((line) => {
    const version = / - cgroup(2?) /.exec(line)?.[1]
    return version === undefined ? [] : [{ mount: line.split(" ")[4]!, version: version === "2" ? 2 : 1 }]
  })

/** The cgroup2 beside older hierarchies, which crun refuses to work with; undefined: there is none. */
const hybridMount = (): string | undefined => {
  const all = hierarchies()
  return all.some(({ version }) => version === 1) ? all.find(({ version }) => version === 2)?.mount : undefined
}

/** Milliseconds that a control group may stay in use: podman cleans up behind its commands. */
const groupPatience = 10_000

/** Removes a control group and those below it. */
const removeGroups = async (directory: string): Promise<void> => {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeGroups(join(directory, entry.name))
  }
  const began = performance.now()
  for (;;) {
    try {
      return rmdirSync(directory)
    } catch (cause) {
      if (performance.now() - began > groupPatience) {
        return console.error(`bench: left behind: ${directory}: ${String(cause)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

export class Workspace {
  readonly directory = mkdtempSync("/tmp/fx-bench-")
  readonly rootfs = join(this.directory, "rootfs")
  readonly paths: Paths = { root: join(this.directory, "fx"), execRoot: join(this.directory, "fx-run") }
  /** Parent of the control groups of all others. */
  readonly group = `/${basename(this.directory)}`
  readonly environment = environment()
  /** How often no quiet moment came. */
  disturbed = 0
  private readonly waits: boolean
  private readonly endings: Array<() => Promise<void>> = []
  private readonly programs = new Map<string, string>()
  private readonly watches = new Map<boolean, Coprocess>()

  /** `waits`: before each measurement, for a moment in which nothing else runs. */
  constructor(options: { readonly waits: boolean }) {
    this.waits = options.waits
    makeRootfs(this.rootfs)
  }

  /** Before each round of measurements. */
  async settle(): Promise<void> {
    if (this.waits && !(await quiet())) this.disturbed++
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name)
    mkdirSync(join(path, ".."), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  /** Done at the end, the latest first. */
  atEnd(ending: () => Promise<void>): void {
    this.endings.unshift(ending)
  }

  /** A C program beside this file (a file or a directory of files), compiled. */
  program(name: "bare" | "stopwatch"): string {
    const known = this.programs.get(name)
    if (known !== undefined) return known
    const path = join(this.directory, name)
    const place = join(import.meta.dirname, name)
    const sources = existsSync(place)
      ? readdirSync(place).filter((file) => file.endsWith(".c")).map((file) => join(place, file))
      : [`${place}.c`]
    execFileSync("cc", ["-O2", "-Wall", "-static", "-o", path, ...sources], { stdio: "inherit" })
    this.programs.set(name, path)
    return path
  }

  /**
   * Milliseconds for a command, or for many of them, `atOnce` at a time. `peer`: in a mount namespace without
   * the cgroup2 that crun refuses. Fails when one of them fails.
   */
  async time(
    argv: ReadonlyArray<string>, options: { readonly peer: boolean; readonly times?: number; readonly atOnce?: number }
  ): Promise<number> {
    return (await this.measure(argv, options)).milliseconds
  }

  /** As `time`, with the largest memory of one of the commands. */
  async measure(
    argv: ReadonlyArray<string>, options: { readonly peer: boolean; readonly times?: number; readonly atOnce?: number }
  ): Promise<{ readonly milliseconds: number; readonly megabytes: number }> {
    const { atOnce = 1, times = 1 } = options
    const answer = await this.stopwatch(options.peer).ask([times, atOnce, ...argv].join("\t"))
    const [nanoseconds = 0, failed, kilobytes = 0] = answer.split(" ").map(Number)
    if (failed !== 0) {
      throw new Error(`${failed} of ${times} failed: ${argv.join(" ")} (STOPWATCH_VERBOSE=1 shows why)`)
    }
    return { milliseconds: nanoseconds / 1e6, megabytes: kilobytes / 1024 }
  }

  private stopwatch(peer: boolean): Coprocess {
    const known = this.watches.get(peer)
    if (known !== undefined) return known
    const hidden = peer ? hybridMount() : undefined
    const program = this.program("stopwatch")
    const argv = hidden === undefined ? [program] as const : [program, hidden] as const
    const made = new Coprocess("stopwatch", argv, this.environment)
    this.watches.set(peer, made)
    return made
  }

  async dispose(): Promise<void> {
    for (const ending of this.endings) {
      await ending().catch((error: unknown) => console.error(`bench: ${String(error)}`))
    }
    for (const watch of this.watches.values()) await watch.close()
    for (const { mount } of hierarchies()) {
      for (const group of [this.group, cgroupParent(this.paths)]) await removeGroups(`${mount}${group}`)
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
