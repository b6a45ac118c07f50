/**
 * An engine on this very kernel for tests: roots of its own below /tmp, a root file system of busybox, and a
 * look afterwards that nothing is left: no cgroup, mount, process, link or open file.
 */
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync
} from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { type ContainerConfig, defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import { cgroupParent, type Paths } from "../../src/domain/container/Paths.ts"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"

export { patience } from "../patience.ts"

const busybox = ["/usr/bin/busybox", "/bin/busybox"].find((path) => existsSync(path))

/** Why the root-only suite cannot run here, or undefined. */
export const unavailable: string | undefined = process.getuid?.() !== 0
  ? "needs root: namespaces and cgroups"
  : busybox === undefined
  ? "needs a static busybox: apt-get install busybox-static"
  : undefined

/** Titles say so when a suite is skipped. */
export const titled = (title: string): string => unavailable === undefined ? title : `${title} [skipped: ${unavailable}]`

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const applets = [
  "sh", "true", "false", "echo", "cat", "sleep", "id", "ls", "mount", "env", "hostname", "ps", "tty", "stty", "kill",
  "seq", "head", "tail", "sed", "grep", "touch", "mkdir", "rm", "ln", "stat", "readlink", "yes", "dd", "mknod",
  "umount", "chroot", "nproc", "wc", "awk", "find", "test", "printf", "trap", "ulimit", "cut", "tr", "date", "mkfifo",
  "chown", "chmod", "cp", "mv", "ip", "ifconfig", "nslookup", "df", "free", "od", "hexdump", "usleep", "timeout", "getopt", "unshare", "setsid"
]

/** A minimal root: busybox, its applets, passwd and group. */
export const makeRootfs = (path: string): void => {
  for (const directory of ["bin", "etc", "proc", "sys", "dev", "tmp", "root", "home/alice", "var/empty"]) {
    mkdirSync(join(path, directory), { recursive: true })
  }
  copyFileSync(busybox!, join(path, "bin/busybox"))
  const known = new Set(execFileSync(busybox!, ["--list"], { encoding: "utf8" }).split("\n"))
  for (const applet of applets) if (known.has(applet)) symlinkSync("busybox", join(path, "bin", applet))
  writeFileSync(join(path, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
  writeFileSync(join(path, "etc/group"), "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\nwheel:x:10:\n")
}

export class RealEngine {
  readonly directory: string
  readonly paths: Paths
  readonly rootfs: string
  readonly layer: Layer.Layer<Engine | Kernel | Host>

  /** `disk`: a directory for what lasts, on another file system. */
  constructor(disk?: string) {
    this.directory = `/tmp/fx-test-${randomBytes(4).toString("hex")}`
    this.paths = { root: join(disk ?? this.directory, "root"), execRoot: join(this.directory, "run") }
    this.rootfs = join(this.directory, "rootfs")
    const kernel = LinuxKernel.layer(this.paths)
    const host = Host.layer({ paths: this.paths, builtinImages: [] })
    this.layer = Engine.local({ onExit: [] }).pipe(Layer.provideMerge(host), Layer.provideMerge(kernel))
  }

  /** Apart from the construction: a suite whose tests are left out by their names would never dispose of it. */
  make(): this {
    mkdirSync(this.directory, { mode: 0o700 })
    makeRootfs(this.rootfs)
    return this
  }

  config(command: ReadonlyArray<string>, more: Partial<ContainerConfig> = {}): ContainerConfig {
    return { ...defaultConfig("test"), rootfs: this.rootfs, command, ...more }
  }

  run<A, E>(effect: Effect.Effect<A, E, Engine | Kernel | Host>): Promise<A> {
    return Effect.runPromise(Effect.provide(Effect.andThen(Effect.flatMap(Engine, (engine) => engine.recover), effect), this.layer))
  }

  /** Directories and names that are this engine's: empty when nothing leaked. */
  leftovers(): ReadonlyArray<string> {
    const parent = cgroupParent(this.paths)
    const cgroups = readFileSync("/proc/self/mountinfo", "utf8").split("\n").flatMap((line) => {
      const [, , , , mount] = line.split(" ")
      return / - cgroup2? /.test(line) && mount !== undefined ? [`${mount}${parent}`] : []
    }).filter((path) => existsSync(path)).flatMap((path) =>
      readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name)))
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter((line) => line.includes(this.directory))
    const below = (path: string) => existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
    return [
      ...new Set(cgroups), ...mounts,
      ...below(join(this.paths.root, "containers")), ...below(join(this.paths.execRoot, "containers")),
      ...below(join(this.paths.execRoot, "locks")), ...this.processes()
    ]
  }

  /** Supervisors and containers of this engine: processes that have our directory among their mounts or files. */
  private processes(): ReadonlyArray<string> {
    return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid).filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => {
          try {
            return readlinkSync(`/proc/${pid}/fd/${fd}`).includes(this.directory)
          } catch {
            return false
          }
        })
      } catch {
        return false
      }
    }).map((pid) => `process ${pid}`)
  }

  /** Ends all that is left and removes the directory and the cgroup parents. */
  async dispose(): Promise<void> {
    const removeAll = Effect.gen(function*() {
      const engine = yield* Engine
      for (const { record } of yield* engine.list) yield* Effect.ignore(engine.remove(record.id, { force: true }))
    })
    await this.run(removeAll).catch(() => undefined)
    const left = this.leftovers()
    for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
      const [, , , , mount] = line.split(" ")
      const path = `${mount}${cgroupParent(this.paths)}`
      if (/ - cgroup2? /.test(line) && existsSync(path)) {
        try {
          execFileSync("rmdir", [path])
        } catch {
          // what keeps it busy is told by `left`
        }
      }
    }
    rmSync(this.directory, { recursive: true, force: true })
    assert.deepStrictEqual(left, [], "left behind")
  }
}

const collect = (pieces: Array<Uint8Array>): string => Buffer.concat(pieces).toString("utf8")

/** Runs a container attached to its end and removes it. */
export const runToEnd = (
  config: ContainerConfig, input?: Stream.Stream<Uint8Array>
): Effect.Effect<Outcome, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(
      input === undefined ? config : { ...config, openStdin: true, stdinOnce: true }, ""
    )
    const out: Record<"stdout" | "stderr", Array<Uint8Array>> = { stdout: [], stderr: [] }
    return yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* engine.startAttached(id, {
        stdin: input !== undefined, stdout: true, stderr: true, claim: true
      })
      const ending = yield* session.run({
        input, sizes: Stream.never, detached: Effect.never,
        output: (stream, data) => Effect.sync(() => void out[stream].push(data.slice()))
      })
      return {
        code: ending._tag === "Exited" ? ending.exit.code : -1, stdout: collect(out.stdout), stderr: collect(out.stderr)
      }
    })).pipe(Effect.ensuring(Effect.ignore(engine.remove(id, { force: true }))))
  })
