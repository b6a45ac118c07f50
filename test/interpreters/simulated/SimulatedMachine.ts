/** A simulated host driven by hand: operations one after the other, time as far as they need it. */
import { decodeFrames, stdinEndFrame, stdinFrame } from "../../../src/domain/kernel/frames.ts"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import type { KernelOp, KernelTag, Payload, Success } from "../../../src/domain/kernel/KernelOp.ts"
import {
  attachFlags, type ExitStatus, type Frame, type SupervisorSpec
} from "../../../src/domain/kernel/Supervisor.ts"
import { builtins } from "../../../src/interpreters/simulated/behaviours/builtins.ts"
import { endEngine, startEngine } from "../../../src/interpreters/simulated/makeWorld.ts"
import {
  advance, type Behaviours, makeWorld, nextTurn, notYet, step, type World, type WorldOptions
} from "../../../src/testing/index.ts"

export class Machine {
  world: World
  engine: number
  readonly behaviours: Behaviours

  constructor(options: WorldOptions = {}, behaviours: Behaviours = {}) {
    const [engine, world] = startEngine(makeWorld({ busyboxImage: "/images/busybox", ...options }))
    this.world = world
    this.engine = engine
    this.behaviours = { ...builtins, ...behaviours }
  }

  /** The result, the error, or `notYet`. */
  attempt<T extends KernelTag>(tag: T, payload: Payload<T>): unknown {
    const [outcome, world] = step(
      this.world,
      { tag, payload } as KernelOp,
      this.engine,
      this.behaviours
    )
    this.world = world
    return outcome
  }

  /** The result; time passes while it has to wait. Throws the KernelError. */
  do<T extends KernelTag>(tag: T, payload: Payload<T>): Success<T> {
    for (;;) {
      const outcome = this.attempt(tag, payload)
      if (outcome instanceof KernelError) throw outcome
      if (outcome !== notYet) return outcome as Success<T>
      const next = nextTurn(this.world)
      if (next === undefined) throw new Error(`${tag} waits for ever`)
      this.world = advance(this.world, next, this.behaviours)
    }
  }

  /** The errno of an operation that fails, else "success". */
  errno<T extends KernelTag>(tag: T, payload: Payload<T>): string {
    try {
      this.do(tag, payload)
      return "success"
    } catch (error) {
      if (error instanceof KernelError) return error.errno
      throw error
    }
  }

  /** Lets time pass; seconds. */
  pass(seconds: number): void {
    this.world = advance(this.world, this.world.now + seconds * 1_000_000, this.behaviours)
  }

  /** The engine is killed; another takes its place. */
  crash(): void {
    const [engine, world] = startEngine(endEngine(this.world, this.engine))
    this.engine = engine
    this.world = world
  }

  text(path: string): string {
    return this.do("FileRead", { path, limit: 1_000_000 })
  }

  cgroup(directory: string, file: string): string | undefined {
    return this.do("CgroupRead", { directory, files: [file] })[file]?.trim()
  }
}

/** What a supervisor is told, when nothing else is. */
export const specOf = (
  change: Partial<SupervisorSpec> & { readonly program: ReadonlyArray<InitOp> }
): SupervisorSpec => ({
  id: "test",
  directory: "/run/test",
  exitFile: "/var/lib/test/exit",
  stdio: { terminal: false, rows: 0, columns: 0, stdin: "null" },
  namespaces: [],
  cgroup: "",
  uidMap: [],
  gidMap: [],
  killFiles: [],
  killProcs: [],
  removeDirectories: [],
  oomFile: "",
  onExit: [],
  ...change
})

const environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"]

export const exec = (...argv: ReadonlyArray<string>): InitOp => ({
  _tag: "Exec",
  argv: argv as [string, ...Array<string>],
  env: environment,
  reaper: false
})

/** Makes the directories of a container that `overlay` below speaks of. */
export const prepare = (machine: Machine): void => {
  const store = "/var/lib/test"
  for (const path of ["/run/test", store, `${store}/upper`, `${store}/work`, `${store}/root`]) {
    machine.do("DirEnsure", { path, mode: 0o755 })
  }
}

/** The operations that give a container a root of its own over the busybox image. */
export const ownRoot: ReadonlyArray<InitOp> = [
  { _tag: "MountPropagation", path: "/", propagation: "rprivate" },
  {
    _tag: "RootOverlay",
    at: "/var/lib/test/root",
    lower: ["/images/busybox"],
    upper: "/var/lib/test/upper",
    work: "/var/lib/test/work",
    volatile: true
  },
  { _tag: "PivotRoot", at: "/var/lib/test/root" },
  {
    _tag: "MountFilesystem",
    type: "proc",
    source: "proc",
    target: "/proc",
    strict: true,
    options: [],
    attributes: ["nosuid", "noexec", "nodev"],
    copyUp: false
  },
  {
    _tag: "MountFilesystem",
    type: "tmpfs",
    source: "tmpfs",
    target: "/dev",
    strict: true,
    options: [{ key: "mode", value: "755" }],
    attributes: ["nosuid"],
    copyUp: false
  },
  {
    _tag: "NodeMake", path: "/dev/null", type: "c", mode: 0o666, major: 1, minor: 3, uid: 0, gid: 0
  }
]

/** A container of its own namespaces that runs a program of the busybox image. */
export const containerOf = (
  argv: ReadonlyArray<string>,
  change: Partial<SupervisorSpec> = {},
  extra: ReadonlyArray<InitOp> = []
): SupervisorSpec =>
  specOf({
    namespaces: ["pid", "mnt", "ipc", "uts", "net"],
    program: [...ownRoot, ...extra, exec(...argv)],
    ...change
  })

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly exit: ExitStatus | undefined
  readonly failed: Extract<Frame, { readonly _tag: "Failed" }> | undefined
  readonly frames: ReadonlyArray<Frame>
}

const everything = attachFlags.stdout | attachFlags.stderr | attachFlags.stdin | attachFlags.claim

/** A client of a supervisor. */
export class Client {
  readonly channel: number
  readonly frames: Array<Frame> = []
  private readonly machine: Machine

  constructor(machine: Machine, channel: number) {
    this.machine = machine
    this.channel = channel
  }

  static start(machine: Machine, spec: SupervisorSpec, attach: number = everything): Client {
    return new Client(machine, machine.do("SupervisorStart", { spec, attach }).channel)
  }

  static open(machine: Machine, directory: string, attach: number = everything): Client {
    return new Client(machine, machine.do("ChannelOpen", { directory, attach }).channel)
  }

  send(text: string): void {
    this.machine.do("ChannelWrite", {
      channel: this.channel,
      frames: stdinFrame(new TextEncoder().encode(text))
    })
  }

  end(): void {
    this.machine.do("ChannelWrite", { channel: this.channel, frames: stdinEndFrame })
  }

  /** Reads until a frame is as wanted; false at the end of the channel. */
  until(wanted: (frame: Frame) => boolean): boolean {
    for (;;) {
      const fresh = decodeFrames(this.machine.do("ChannelRead", { channel: this.channel }))
      if (fresh.length === 0) return false
      this.frames.push(...fresh)
      if (fresh.some(wanted)) return true
    }
  }

  untilOutput(text: string): boolean {
    return this.stdout.includes(text) || this.until(() => this.stdout.includes(text))
  }

  get stdout(): string {
    return this.output("stdout")
  }

  output(stream: "stdout" | "stderr"): string {
    return this.frames.map((frame) =>
      frame._tag === "Output" && frame.stream === stream ? new TextDecoder().decode(frame.data) : ""
    ).join("")
  }

  /** Reads to the end of the channel. */
  finish(): Ended {
    this.until(() => false)
    const exited = this.frames.find((frame) => frame._tag === "Exited")
    const failed = this.frames.find((frame) => frame._tag === "Failed")
    return {
      stdout: this.stdout,
      stderr: this.output("stderr"),
      exit: exited?.exit,
      failed,
      frames: this.frames
    }
  }
}

/** Runs a container to its end. */
export const run = (machine: Machine, spec: SupervisorSpec): Ended => {
  prepare(machine)
  return Client.start(machine, spec).finish()
}

/** Starts a container on a host that is prepared for it. */
export const start = (machine: Machine, spec: SupervisorSpec, attach?: number): Client => {
  prepare(machine)
  return Client.start(machine, spec, attach)
}
