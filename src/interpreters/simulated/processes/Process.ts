/**
 * A process of the simulated host, of any kind: a daemon of the host, an engine, a supervisor, or
 * what runs in a container. What it does when it is scheduled is its `task`, plain data like all
 * else.
 */
import type { InitOp, NamespaceKind } from "../../../domain/kernel/InitOp.ts"
import type { SupervisorSpec } from "../../../domain/kernel/Supervisor.ts"
import type { Call, Event } from "../behaviours/Behaviour.ts"
import type { Limits, Node, Place } from "../World.ts"

/**
 * When a process runs next; `tie` is drawn, so that the order at one moment depends on the seed.
 */
export interface Timer {
  readonly at: number
  readonly tie: number
  readonly pid: number
}

export type Descriptor =
  | { readonly _tag: "Null" }
  | { readonly _tag: "PipeRead"; readonly pipe: number }
  | { readonly _tag: "PipeWrite"; readonly pipe: number }
  | { readonly _tag: "Terminal"; readonly terminal: number }
  /** `offset`: where the next read begins; writes go to the end. */
  | {
    readonly _tag: "File"
    readonly filesystem: number
    readonly node: Node
    readonly offset: number
  }

export interface CapabilitySets {
  readonly effective: ReadonlyArray<number>
  readonly permitted: ReadonlyArray<number>
  readonly inheritable: ReadonlyArray<number>
  readonly bounding: ReadonlyArray<number>
  readonly ambient: ReadonlyArray<number>
}

export interface ExitRecord {
  /** 0–255; 128 + n when killed by signal n. */
  readonly code: number
  readonly signal: number
}

export interface InitReport {
  readonly at: number
  readonly failed?: {
    readonly operation: number
    readonly errno: number
    readonly syscall: string
    readonly path: string
  }
}

export type Task =
  /** Lives until killed. */
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Engine" }
  | SupervisorTask
  /** The child between clone and exec: `next` is the index of the InitOp to perform. */
  | {
    readonly _tag: "Init"
    readonly program: ReadonlyArray<InitOp>
    readonly next: number
    /** Detached mounts opened by TreeOpen. */
    readonly slots: { readonly [slot: number]: number }
    /** Directory that MaskPaths binds over others: its mount, 0 before the first. */
    readonly maskMount: number
    /** Terminal opened by MountDevpts or Console, 0: none. */
    readonly terminal: number
    readonly umaskSet: boolean
    /** It has become the root of its user namespace. */
    readonly entered: boolean
  }
  | ProgramTask
  /** docker-init: forwards signals and reaps. */
  | { readonly _tag: "Reaper"; readonly child: number }

/** What a stream has said since its last newline. */
export interface LogLine {
  readonly bytes: Uint8Array
  /** Entries of this line were written already; they share the time of the first. */
  readonly partial: boolean
  readonly time: string
}

export interface SupervisorTask {
  readonly _tag: "Supervisor"
  readonly spec: SupervisorSpec
  /**
   * `starting`: before the clone. `launching`: the child performs its program. `killing`: the init
   * has gone, what is left dies. `draining`: the last output is read. `flushing`: clients take the
   * last frame.
   */
  readonly phase: "starting" | "launching" | "running" | "killing" | "draining" | "flushing"
  readonly init: number
  readonly initStart: number
  /** Those who connected, first to last. */
  readonly channels: ReadonlyArray<number>
  /** Pipes, 0: none. It writes the first, reads the others. */
  readonly stdin: number
  readonly stdout: number
  readonly stderr: number
  readonly terminal: number
  /** Inode of its listening socket, 0 before. */
  readonly socket: number
  readonly report?: InitReport
  /** 0: not started. */
  readonly startedAt: number
  readonly failed?: NonNullable<InitReport["failed"]>
  readonly exit?: {
    readonly at: number
    readonly code: number
    readonly signal: number
    readonly oomKilled: boolean
  }
  /** oom_kill counter before the start. */
  readonly oomBefore: number
  /**
   * While `killing`: when that is given up, and the next pause in it. Afterwards: since when
   * clients are waited for. Microseconds.
   */
  readonly patience: number
  readonly pause: number
  readonly lines: { readonly stdout: LogLine; readonly stderr: LogLine }
  /** Bytes in the current log file; −1: there is none. */
  readonly logSize: number
}

export interface ProgramTask {
  readonly _tag: "Program"
  readonly behaviour: string
  readonly state: unknown
  /** The call it waits in. */
  readonly call?: Call
  /** What its last call came to, to be given at its next turn. */
  readonly event?: Event
  /** For Sleep: until when. */
  readonly until?: number
  /** Signals with a handler, and signals ignored. */
  readonly caught: ReadonlyArray<number>
  readonly ignored: ReadonlyArray<number>
}

export interface Process {
  /** In the host's pid namespace. */
  readonly pid: number
  readonly parent: number
  readonly children: ReadonlyArray<number>
  /** Pids from the innermost pid namespace to the host's. */
  readonly pids: ReadonlyArray<{ readonly namespace: number; readonly pid: number }>
  /** Clock ticks (100 a second) since boot. */
  readonly startTime: number
  readonly startedAt: number
  readonly task: Task
  readonly state: "running" | "stopped" | "zombie"
  /** Its turn came while it was stopped or frozen. */
  readonly due: boolean
  readonly exit?: ExitRecord
  readonly pending: ReadonlyArray<number>
  readonly argv: ReadonlyArray<string>
  readonly environment: ReadonlyArray<string>
  readonly executable: string
  /** The name it was executed by (comm); absent: the executable's. */
  readonly name?: string
  readonly namespaces: { readonly [K in NamespaceKind]: number }
  readonly pidForChildren: number
  readonly timeForChildren: number
  readonly root: Place
  readonly directory: Place
  readonly umask: number
  readonly uid: number
  readonly gid: number
  readonly groups: ReadonlyArray<number>
  readonly capabilities: CapabilitySets
  readonly noNewPrivileges: boolean
  /** Filters installed. */
  readonly seccomp: number
  readonly limits: Limits
  readonly oomScoreAdjust: number
  readonly keyring: string
  readonly personality: number
  /** Cgroup by hierarchy index. */
  readonly cgroups: ReadonlyArray<number>
  /** Bytes, charged to its memory cgroup. */
  readonly memory: number
  /** Microseconds. */
  readonly cpu: number
  readonly stdio: readonly [Descriptor, Descriptor, Descriptor]
  /** Pipes it has made and holds both ends of; children do not inherit them. */
  readonly pipes: ReadonlyArray<number>
  /** Controlling terminal, 0: none. */
  readonly terminal: number
  readonly session: number
}
