/**
 * Drives `native/build/fx-init` directly for tests: writes the specification to a file, passes it as
 * fd 3 and a socket pair as fd 4, and speaks frames. Everything lives in a directory below /tmp.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import * as net from "node:net"
import { join } from "node:path"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"
import {
  attachFlags,
  FrameType,
  parseStatus,
  type SupervisorSpec,
  type SupervisorStatus
} from "../../src/domain/kernel/Supervisor.ts"
import { encodeSpec } from "../../src/domain/kernel/wire.ts"

export const repository = new URL("../..", import.meta.url).pathname
export const binary = join(repository, "native/build/fx-init")

export const buildInit = (): void => {
  execFileSync("make", ["-s", "-C", join(repository, "native"), "build/fx-init"], {
    stdio: "inherit"
  })
}

export { patience as slowness } from "../patience.ts"

export const isRoot = process.getuid?.() === 0

export const everything =
  attachFlags.stdout | attachFlags.stderr | attachFlags.stdin | attachFlags.claim

/** A root with a static busybox and nothing else. */
export const makeRootfs = (directory: string): string => {
  const root = join(directory, "rootfs")
  for (const name of ["bin", "etc", "proc", "sys", "dev", "tmp", "root"])
    mkdirSync(join(root, name), { recursive: true })
  execFileSync("cp", ["/usr/bin/busybox", join(root, "bin/busybox")])
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")
  for (const applet of execFileSync("/usr/bin/busybox", ["--list"], { encoding: "utf8" })
    .trim()
    .split("\n")) {
    if (applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet))
  }
  return root
}

export interface Failure {
  readonly operation: number
  readonly errno: number
  readonly syscall: string
  readonly path: string
}

/** One end of a channel: collects what the supervisor says. */
export class Channel {
  readonly socket: net.Socket
  readonly frames: Array<{ readonly type: number; readonly payload: Buffer }> = []
  ended = false
  private rest: Buffer = Buffer.alloc(0)
  private waiters: Array<() => void> = []

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on("data", (data: Buffer) => this.receive(data))
    socket.on("error", () => this.end())
    socket.on("close", () => this.end())
    socket.on("end", () => this.end())
  }

  private end(): void {
    this.ended = true
    this.wake()
  }

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) waiter()
  }

  private receive(data: Buffer): void {
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data])
    while (this.rest.length >= 8 && this.rest.length >= 8 + this.rest.readUInt32BE(4)) {
      const end = 8 + this.rest.readUInt32BE(4)
      this.frames.push({ type: this.rest[0]!, payload: this.rest.subarray(8, end) })
      this.rest = this.rest.subarray(end)
    }
    this.wake()
  }

  send(type: number, payload: Uint8Array = new Uint8Array()): void {
    const header = Buffer.alloc(8)
    header[0] = type
    header.writeUInt32BE(payload.length, 4)
    this.socket.write(Buffer.concat([header, payload]))
  }

  attach(flags: number): void {
    this.send(FrameType.attach, Uint8Array.of(flags))
  }

  stdin(text: string | Uint8Array): void {
    this.send(FrameType.stdin, typeof text === "string" ? Buffer.from(text) : text)
  }

  resize(rows: number, columns: number): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt16LE(rows, 0)
    payload.writeUInt16LE(columns, 2)
    this.send(FrameType.resize, payload)
  }

  /** Waits until `condition` holds; fails when the channel ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.ended)
        throw new Error(`the channel ended; stdout: ${this.stdout} stderr: ${this.stderr}`)
      await new Promise<void>((resolve) => this.waiters.push(resolve))
    }
  }

  async untilEnd(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => this.waiters.push(resolve))
  }

  private output(type: number): Buffer {
    return Buffer.concat(
      this.frames.filter((frame) => frame.type === type).map(({ payload }) => payload)
    )
  }

  get stdout(): string {
    return this.output(FrameType.stdout).toString()
  }

  get stderr(): string {
    return this.output(FrameType.stderr).toString()
  }

  has(type: number): boolean {
    return this.frames.some((frame) => frame.type === type)
  }

  get pid(): number {
    return this.frames.find(({ type }) => type === FrameType.started)!.payload.readUInt32LE(0)
  }

  get exit():
    { readonly code: number; readonly signal: number; readonly oomKilled: boolean } | undefined {
    const payload = this.frames.find(({ type }) => type === FrameType.exited)?.payload
    return (
      payload && {
        code: payload.readUInt32LE(0),
        signal: payload.readUInt32LE(4),
        oomKilled: payload.readUInt32LE(8) === 1
      }
    )
  }

  get failure(): Failure | undefined {
    const payload = this.frames.find(({ type }) => type === FrameType.failed)?.payload
    if (payload === undefined) return undefined
    const [syscall, path] = payload.subarray(8).toString().split("\0")
    return {
      operation: payload.readInt32LE(0),
      errno: payload.readInt32LE(4),
      syscall: syscall!,
      path: path!
    }
  }
}

/** Supervisors that were started, so that a failed test leaves no container behind. */
const started: Array<FxInit> = []

/** One supervisor under test. */
export class FxInit {
  readonly directory: string
  readonly process: ChildProcess
  readonly channel: Channel
  readonly gone: Promise<void>

  constructor(
    base: string,
    spec: Partial<SupervisorSpec> & { readonly program: ReadonlyArray<InitOp> },
    attach = everything
  ) {
    this.directory = mkdtempSync(join(base, "supervisor-"))
    const bytes = encodeSpec(
      {
        id: "test",
        directory: this.directory,
        stdio: { terminal: false, rows: 0, columns: 0, stdin: "null" },
        namespaces: ["pid", "mnt", "uts", "ipc"],
        cgroup: "",
        uidMap: [],
        gidMap: [],
        killFiles: [],
        killProcs: [],
        removeDirectories: [],
        oomFile: "",
        onExit: [],
        ...spec
      },
      attach
    )
    this.process = FxInit.run(this.directory, bytes)
    this.channel = new Channel(this.process.stdio[4] as net.Socket)
    this.gone = new Promise((resolve) => this.process.once("exit", () => resolve()))
    started.push(this)
  }

  /** Starts the program on any bytes. */
  static run(directory: string, bytes: Uint8Array): ChildProcess {
    const path = join(directory, "specification")
    writeFileSync(path, bytes)
    const fd = openSync(path, "r")
    try {
      return spawn(binary, ["test"], { stdio: ["ignore", "ignore", "ignore", fd, "pipe"] })
    } finally {
      closeSync(fd)
    }
  }

  /** Another client on the path socket. */
  async connect(flags?: number): Promise<Channel> {
    const socket = net.connect(join(this.directory, "attach.sock"))
    await new Promise<void>((resolve, reject) =>
      socket.once("connect", resolve).once("error", reject)
    )
    const channel = new Channel(socket)
    if (flags !== undefined) channel.attach(flags)
    return channel
  }

  async started(): Promise<void> {
    await this.channel.until(() => this.channel.has(FrameType.started))
  }

  /** Waits for the end of the supervisor itself. */
  async finished(): Promise<Channel> {
    await Promise.all([this.gone, this.channel.untilEnd()])
    return this.channel
  }

  get status(): SupervisorStatus {
    return parseStatus(readFileSync(join(this.directory, "status"), "utf8"))!
  }

  get hasSocket(): boolean {
    return existsSync(join(this.directory, "attach.sock"))
  }
}

export const temporaryBase = (): string => mkdtempSync("/tmp/fx-init-test-")

export const removeBase = (base: string): void => {
  // The next file has this list too when files share a process
  for (const run of started.splice(0)) {
    const init = run.process.exitCode === null ? run.status.init : undefined
    if (run.process.signalCode === null && init !== undefined) process.kill(init.pid, "SIGKILL")
  }
  rmSync(base, { recursive: true, force: true })
}
