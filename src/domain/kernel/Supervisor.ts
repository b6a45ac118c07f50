/**
 * The contract with the supervisor (`native/init`), one per container and one per exec: what it is told
 * (`SupervisorSpec`), what it says on its channels (frames), and what it leaves in its directory
 * (the status file). The simulated kernel keeps the same contract.
 */
import * as Schema from "effect/Schema"
import { InitOp, NamespaceKind, ProcessIdentity } from "./InitOp.ts"

const UInt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 }))

/** One line of /proc/PID/uid_map: ids of the namespace, ids outside, how many. */
export const IdMap = Schema.Struct({ inside: UInt, outside: UInt, count: UInt })
export type IdMap = typeof IdMap.Type

export const LogFile = Schema.Struct({
  /** json-file format; rotated files are `path.1`, `path.2`, … */
  path: Schema.String,
  /** Bytes after which the file is rotated; 0: never. */
  maxSize: Schema.Int,
  /** Files kept, the current one included. */
  maxFiles: Schema.Int
})
export type LogFile = typeof LogFile.Type

export const Stdio = Schema.Struct({
  /** A pty instead of three pipes; `rows`/`columns` are its first size (0: leave the kernel's). */
  terminal: Schema.Boolean,
  rows: UInt,
  columns: UInt,
  /**
   * `null`: /dev/null. `open`: a pipe (or the pty) that stays open when a client leaves.
   * `once`: closed when the first client that sent input leaves.
   */
  stdin: Schema.Literals(["null", "open", "once"])
})
export type Stdio = typeof Stdio.Type

export const SupervisorSpec = Schema.Struct({
  /** Shown in the process list, `fx-init ID`. */
  id: Schema.String,
  /** Volatile directory of this supervisor: `status`, `attach.sock` (0600). Exists already. */
  directory: Schema.String,
  /** Where a copy of the final status is written for good; absent for exec. */
  exitFile: Schema.optionalKey(Schema.String),
  log: Schema.optionalKey(LogFile),
  stdio: Stdio,
  /** Namespaces that the clone makes. */
  namespaces: Schema.Array(NamespaceKind),
  /** Pid namespace to be born in: setns of the supervisor before the clone. */
  pidNamespace: Schema.optionalKey(Schema.Union([ProcessIdentity, Schema.String])),
  /** A cgroup2 directory for CLONE_INTO_CGROUP; "" when there is no cgroup2. */
  cgroup: Schema.String,
  uidMap: Schema.Array(IdMap),
  gidMap: Schema.Array(IdMap),
  /** Performed in the child, in order; the last is `Exec`. */
  program: Schema.Array(InitOp),
  /** Files that get "1" after the init's death (cgroup.kill): what is left of the container dies. */
  killFiles: Schema.Array(Schema.String),
  /** cgroup.procs files whose processes are killed one by one (where there is no cgroup.kill). */
  killProcs: Schema.Array(Schema.String),
  /** Cgroup directories removed (children first) after the last process has gone. */
  removeDirectories: Schema.Array(Schema.String),
  /** memory.events (v2) or memory.oom_control (v1) to read `oom_kill` from after the exit; "" for none. */
  oomFile: Schema.String,
  /** argv that replaces the supervisor at the end, unless a client that claimed the exit is attached. */
  onExit: Schema.Array(Schema.String)
})
export type SupervisorSpec = typeof SupervisorSpec.Type

/**
 * Frames on a channel, both ways: type (u8), three zero bytes, length of the payload (u32 big-endian):
 * the header of Docker's multiplexed streams, so that output can be passed on untouched.
 */
export const FrameType = {
  /** client → supervisor: bytes for the container's stdin */
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** supervisor → client: u32le pid of the init on the host, u64le its start time */
  started: 16,
  /** supervisor → client: i32le index of the InitOp (−1: before the program), i32le errno, then syscall NUL path */
  failed: 17,
  /** supervisor → client: u32le exit code (128+n for a signal), u32le signal or 0, u32le 1 if the OOM killer struck */
  exited: 18,
  /** client → supervisor: end of stdin */
  stdinEnd: 32,
  /** client → supervisor: u16le rows, u16le columns */
  resize: 33,
  /** client → supervisor, first frame after connect: u8 bit 0 stdout, 1 stderr, 2 stdin, 3 claims the exit */
  attach: 34
} as const

export const attachFlags = { stdout: 1, stderr: 2, stdin: 4, claim: 8 } as const

/** The largest payload of one frame, either way. */
export const framePayloadLimit = 65_536

export type Frame =
  | { readonly _tag: "Output"; readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }
  | { readonly _tag: "Started"; readonly process: ProcessIdentity }
  | { readonly _tag: "Failed"; readonly operation: number; readonly errno: number; readonly syscall: string; readonly path: string }
  | { readonly _tag: "Exited"; readonly exit: ExitStatus }

export const ExitStatus = Schema.Struct({
  /** 0–255; 128 + n when killed by signal n. */
  code: Schema.Int,
  signal: Schema.Int,
  oomKilled: Schema.Boolean
})
export type ExitStatus = typeof ExitStatus.Type

/**
 * `DIRECTORY/status`, replaced atomically by the supervisor; a line a fact, in this order, none missing
 * that has happened: `supervisor PID START`, `init PID START`, `started NS`, `failed INDEX ERRNO SYSCALL PATH`,
 * `exited NS CODE SIGNAL OOM`. NS: nanoseconds since the epoch.
 */
export interface SupervisorStatus {
  readonly supervisor: ProcessIdentity
  readonly init?: ProcessIdentity
  readonly startedAt?: bigint
  readonly failed?: { readonly operation: number; readonly errno: number; readonly syscall: string; readonly path: string }
  readonly exited?: { readonly at: bigint; readonly status: ExitStatus }
}

const identity = (words: ReadonlyArray<string>): ProcessIdentity => ({ pid: Number(words[1]), startTime: Number(words[2]) })

/** Reads a status file. Unknown lines are passed over; `undefined` when the first fact is missing. */
export const parseStatus = (text: string): SupervisorStatus | undefined => {
  let supervisor: ProcessIdentity | undefined
  let rest: Omit<SupervisorStatus, "supervisor"> = {}
  for (const line of text.split("\n")) {
    const words = line.split(" ")
    switch (words[0]) {
      case "supervisor":
        supervisor = identity(words)
        break
      case "init":
        rest = { ...rest, init: identity(words) }
        break
      case "started":
        rest = { ...rest, startedAt: BigInt(words[1] ?? 0) }
        break
      case "failed":
        rest = {
          ...rest,
          failed: {
            operation: Number(words[1]), errno: Number(words[2]), syscall: words[3] ?? "",
            path: words.slice(4).join(" ")
          }
        }
        break
      case "exited":
        rest = {
          ...rest,
          exited: {
            at: BigInt(words[1] ?? 0),
            status: { code: Number(words[2]), signal: Number(words[3]), oomKilled: words[4] === "1" }
          }
        }
    }
  }
  return supervisor === undefined ? undefined : { supervisor, ...rest }
}

/** Prints a status as the supervisor does. */
export const formatStatus = (status: SupervisorStatus): string => {
  const lines = [`supervisor ${status.supervisor.pid} ${status.supervisor.startTime}`]
  if (status.init !== undefined) lines.push(`init ${status.init.pid} ${status.init.startTime}`)
  if (status.startedAt !== undefined) lines.push(`started ${status.startedAt}`)
  if (status.failed !== undefined) {
    const { operation, errno, syscall, path } = status.failed
    lines.push(`failed ${operation} ${errno} ${syscall} ${path}`)
  }
  if (status.exited !== undefined) {
    const { at, status: { code, signal, oomKilled } } = status.exited
    lines.push(`exited ${at} ${code} ${signal} ${oomKilled ? 1 : 0}`)
  }
  return lines.join("\n") + "\n"
}
