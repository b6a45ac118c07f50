/**
 * What a program in a container does, as a pure state machine: an event comes in, the next system
 * call goes out. The simulated kernel performs the calls, with the errors of the real ones.
 */
import type { Descriptor } from "../processes/Process.ts"

/**
 * What a program asks of the kernel. Paths may be relative to its directory; pids are those it sees
 * itself.
 */
export type Call =
  | { readonly _tag: "Exit"; readonly code: number }
  /** Microseconds. */
  | { readonly _tag: "Sleep"; readonly micros: number }
  /** Waits for a signal. */
  | { readonly _tag: "Pause" }
  /** Uses the CPU for so long. */
  | { readonly _tag: "Compute"; readonly micros: number }
  /** Gives a Uint8Array, empty at the end of the input. */
  | { readonly _tag: "Read"; readonly descriptor: 0 | 1 | 2 }
  | { readonly _tag: "Write"; readonly descriptor: 0 | 1 | 2; readonly data: string | Uint8Array }
  /**
   * fork(2) and execve(2); gives the child's pid. Descriptors left out are the parent's. `dispositions` are set by
   * the child before execve: signals that it ignores, or takes as by default.
   */
  | {
    readonly _tag: "Spawn"
    readonly argv: ReadonlyArray<string>
    readonly environment?: ReadonlyArray<string>
    readonly redirections?: ReadonlyArray<Redirection>
    readonly dispositions?: ReadonlyMap<number, "ignore" | "default">
  }
  | {
    readonly _tag: "Exec"
    readonly argv: ReadonlyArray<string>
    readonly environment?: ReadonlyArray<string>
    readonly redirections?: ReadonlyArray<Redirection>
  }
  /**
   * A child, or with 0 any child: gives `Waited`. With `poll` it does not wait: pid 0 when none has
   * ended.
   */
  | { readonly _tag: "Wait"; readonly pid: number; readonly poll: boolean }
  | { readonly _tag: "Kill"; readonly pid: number; readonly signal: number }
  /** Gives the numbers of caught signals that have ended no call: `ReadonlyArray<number>`. */
  | { readonly _tag: "TakeSignals" }
  | {
    readonly _tag: "Handle"
    readonly signal: number
    readonly how: "catch" | "ignore" | "default"
  }
  /** Grows (or, below 0, shrinks) the memory it uses. */
  | { readonly _tag: "Allocate"; readonly bytes: number }
  /** pipe(2); gives its number, for redirections. ClosePipe gives up both ends. */
  | { readonly _tag: "MakePipe" }
  | { readonly _tag: "ClosePipe"; readonly pipe: number }
  /** Gives a Uint8Array, empty when nobody else can write to it any more. */
  | { readonly _tag: "ReadPipe"; readonly pipe: number }
  /** dup2(2) onto its own descriptors. */
  | { readonly _tag: "Redirect"; readonly redirections: ReadonlyArray<Redirection> }
  | { readonly _tag: "Facts" }
  /** Pids and command lines of the processes it can see: `ReadonlyArray<Seen>`. */
  | { readonly _tag: "Processes" }
  | FileCall

export type FileCall =
  /** Gives a Uint8Array. */
  | { readonly _tag: "ReadFile"; readonly path: string }
  | {
    readonly _tag: "WriteFile"
    readonly path: string
    readonly data: string | Uint8Array
    readonly append: boolean
  }
  /** Names without `.` and `..`, sorted. */
  | { readonly _tag: "List"; readonly path: string }
  /** Gives `Status`. */
  | { readonly _tag: "Stat"; readonly path: string; readonly follow: boolean }
  | { readonly _tag: "MakeDirectory"; readonly path: string; readonly mode: number }
  | {
    readonly _tag: "MakeNode"
    readonly path: string
    readonly type: "fifo" | "character" | "block"
    readonly major: number
    readonly minor: number
  }
  | { readonly _tag: "RemoveFile"; readonly path: string }
  | { readonly _tag: "RemoveDirectory"; readonly path: string }
  | { readonly _tag: "Rename"; readonly from: string; readonly to: string }
  | { readonly _tag: "Link"; readonly from: string; readonly to: string }
  | { readonly _tag: "Symlink"; readonly target: string; readonly path: string }
  | { readonly _tag: "ChangeMode"; readonly path: string; readonly mode: number }
  | {
    readonly _tag: "ChangeOwner"
    readonly path: string
    readonly uid: number
    readonly gid: number
    readonly follow: boolean
  }
  | { readonly _tag: "ChangeDirectory"; readonly path: string }

/**
 * What becomes of a descriptor: a file, an end of a pipe that the process made, or another
 * descriptor's copy.
 */
export type Redirection =
  & { readonly descriptor: 0 | 1 | 2 }
  & (
    | { readonly path: string; readonly mode: "read" | "write" | "append" }
    | { readonly pipe: number; readonly end: "read" | "write" }
    | { readonly from: 0 | 1 | 2 }
  )

export type Event =
  /** The program has begun. */
  | { readonly _tag: "Start" }
  | { readonly _tag: "Done"; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly errno: string }
  /** A caught signal ended the call. */
  | { readonly _tag: "Signal"; readonly signal: number }

export interface Waited {
  readonly pid: number
  /** As `$?`: 128 + n when killed by signal n. */
  readonly code: number
  readonly signal: number
}

export interface Facts {
  readonly pid: number
  readonly parent: number
  readonly uid: number
  readonly gid: number
  readonly groups: ReadonlyArray<number>
  readonly hostname: string
  readonly directory: string
  readonly environment: ReadonlyArray<string>
  readonly umask: number
  /** Bound for forks and the like. */
  readonly stdio: readonly [Descriptor["_tag"], Descriptor["_tag"], Descriptor["_tag"]]
  /** Microseconds since the epoch. */
  readonly now: number
  readonly machine: string
  readonly kernelRelease: string
  readonly cpus: number
  readonly effectiveCapabilities: ReadonlyArray<number>
}

export interface Status {
  readonly type: "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket"
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  readonly size: number
  readonly modified: number
  readonly major: number
  readonly minor: number
  readonly target?: string
}

export interface Seen {
  readonly pid: number
  readonly uid: number
  readonly argv: ReadonlyArray<string>
}

export interface Launch {
  readonly argv: ReadonlyArray<string>
  readonly environment: ReadonlyArray<string>
}

/**
 * `S` must be JSON apart from Uint8Arrays and EventLogs, and `step` pure: worlds are stored, copied
 * and stepped twice.
 */
export interface Behaviour<S = unknown> {
  readonly start: (launch: Launch) => S
  readonly step: (state: S, event: Event) => readonly [S, Call]
}

/** Behaviours by absolute path of the program or by its last component. */
export interface Behaviours {
  readonly [name: string]: Behaviour<never>
}
