/**
 * The ends of supervisors in a trace. A supervisor ends by itself, some moments after its container's death: it removes
 * groups, writes what became of it, takes its socket away and goes. Which of these an operation of the engine still
 * sees is nobody's doing, and another run of the same trace may see it otherwise.
 */
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { decodeFrames } from "../../domain/kernel/frames.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import { parseStatus, type SupervisorSpec } from "../../domain/kernel/Supervisor.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"

/** How something that goes with a supervisor's end was seen: still there, or gone. */
type Sight = "there" | "gone"

const refusals: Partial<Record<KernelOp["tag"], ReadonlyArray<string>>> = {
  // A socket that has gone, one that nobody listens on, one whose listener goes while it is connected to
  ChannelOpen: ["ENOENT", "ECONNREFUSED", "EPIPE", "ECONNRESET"],
  ChannelWrite: ["EPIPE", "ECONNRESET"],
  ProcessSignal: ["ESRCH"],
  // A group that has gone, and one that goes while its file is open
  CgroupRead: ["ENOENT", "ENODEV"],
  CgroupWrite: ["ENOENT", "ENODEV"],
  CgroupFreeze: ["ENOENT", "ENODEV"]
}

export const sightOf = ({ tag }: KernelOp, outcome: TraceOutcome): Sight | undefined => {
  if (outcome._tag === "Interrupted") return undefined
  if (tag === "FileRead") {
    if (outcome._tag === "Failure") return undefined
    const status = parseStatus(outcome.value as string)
    return status === undefined ? undefined : status.exited === undefined ? "there" : "gone"
  }
  const gone = refusals[tag]
  if (gone === undefined) return undefined
  if (outcome._tag === "Success") return "there"
  return gone.includes(outcome.error.errno) ? "gone" : undefined
}

/** Whether what came on a channel tells of the end of the process. */
const toldOfEnd = (entries: ReadonlyArray<TraceEntry>, channel: number): boolean =>
  decodeFrames(joinBytes(entries.flatMap(({ op, outcome }) =>
    op.tag === "ChannelRead" && op.payload.channel === channel && outcome._tag === "Success"
      ? [outcome.value as Uint8Array]
      : []
  ))).some((frame) => frame._tag === "Exited")

/** A container's volatile directory, its groups and its exit file are called by its id. */
const containerIn = (path: string): string | undefined => /\/([0-9a-f]{64})(?:\/exit)?$/.exec(path)?.[1]

/** What is written to one that is about to go may or may not get there, and what is read of one may come out empty. */
const eitherWay: ReadonlySet<KernelOp["tag"]> = new Set(["ChannelWrite", "CgroupRead"])

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** Operations that tell of an end by themselves. */
const proofs: ReadonlySet<KernelOp["tag"]> = new Set(["FileRead", "ProcessSignal", "ChannelOpen"])

export class Endings {
  /** Runs by what is seen of them: paths, and in the numbers of the trace processes and channels. */
  private readonly paths = new Map<string, string>()
  private readonly processes = new Map<number, string>()
  private readonly channels = new Map<number, string>()
  /** Each entry's run, and from which entry on a run's end may come at any moment. */
  private readonly runs = new Map<number, string>()
  private readonly due = new Map<string, number>()

  constructor(entries: ReadonlyArray<TraceEntry>) {
    const inOrder = entries.toSorted((one, other) => one.index - other.index)
    for (const entry of inOrder) {
      const run = this.runOf(entry.op)
      if (run === undefined) continue
      this.runs.set(entry.index, run)
      this.learn(entry, run)
    }
    for (const entry of inOrder) {
      const run = this.runs.get(entry.index)
      if (run !== undefined && !this.due.has(run) && this.begins(entry, inOrder)) this.due.set(run, entry.index)
    }
  }

  /** Whether the end of what this operation looks at has begun, or may begin at any moment. */
  isDue({ index }: TraceEntry): boolean {
    const run = this.runs.get(index)
    return run !== undefined && (this.due.get(run) ?? Infinity) <= index
  }

  /** Whether it was seen then that a supervisor had gone, or was about to. */
  sawEnd(entry: TraceEntry): boolean {
    return this.isDue(entry) && sightOf(entry.op, entry.outcome) === "gone"
  }

  /** Whether the outcomes of then and now differ only in how far a supervisor's end had come. */
  excuses(entry: TraceEntry, outcome: TraceOutcome): boolean {
    if (!this.isDue(entry)) return false
    const [then, now] = [sightOf(entry.op, entry.outcome), sightOf(entry.op, outcome)]
    // Texts that both tell of the end are compared
    if (then === "gone" && now === "gone") return entry.op.tag !== "FileRead"
    if (then === undefined || now === undefined) return false
    return then === "there" && now === "gone" || eitherWay.has(entry.op.tag)
  }

  /**
   * A run of the trace's own ends when its program likes to; any other when it is signalled or killed, or where the
   * trace has seen that it did.
   */
  private begins({ index, op, outcome }: TraceEntry, entries: ReadonlyArray<TraceEntry>): boolean {
    switch (op.tag) {
      case "SupervisorStart":
      case "CgroupKill":
        return outcome._tag !== "Failure"
      case "ProcessSignal":
        return op.payload.signal !== 0 || sightOf(op, outcome) === "gone"
      case "ChannelOpen":
        return outcome._tag === "Success"
          ? toldOfEnd(entries, (outcome.value as { readonly channel: number }).channel)
          : sightOf(op, outcome) === "gone"
      case "FileRead":
        return sightOf(op, outcome) === "gone"
      default:
        // A group may lack a file: that its run has ended is seen otherwise too
        return sightOf(op, outcome) === "gone" && entries.some((other) =>
          this.runs.get(other.index) === this.runs.get(index) &&
          proofs.has(other.op.tag) && sightOf(other.op, other.outcome) === "gone"
        )
    }
  }

  private runOf({ payload, tag }: KernelOp): string | undefined {
    switch (tag) {
      case "SupervisorStart":
        return this.runAt(payload.spec.directory)
      case "ChannelOpen":
        return this.runAt(payload.directory)
      case "CgroupRead":
      case "CgroupWrite":
      case "CgroupFreeze":
      case "CgroupKill":
        return this.runOfPath(payload.directory)
      case "FileRead":
        return payload.path.endsWith("/status") ? this.runAt(parentOf(payload.path)) : this.runOfPath(payload.path)
      case "ProcessSignal":
        return this.processes.get(payload.process.pid)
      case "ChannelRead":
      case "ChannelWrite":
        return this.channels.get(payload.channel)
      default:
        return undefined
    }
  }

  private runOfPath(path: string): string | undefined {
    return this.paths.get(path) ?? containerIn(path)
  }

  /** An exec's run has no other name than its directory. */
  private runAt(directory: string): string {
    return containerIn(directory) ?? directory
  }

  private learn({ op, outcome }: TraceEntry, run: string): void {
    if (op.tag === "SupervisorStart") this.learnPaths(op.payload.spec, run)
    if (outcome._tag !== "Success") return
    if (op.tag === "SupervisorStart" || op.tag === "ChannelOpen") {
      this.channels.set((outcome.value as { readonly channel: number }).channel, run)
    }
    if (op.tag === "FileRead") {
      const status = parseStatus(outcome.value as string)
      this.learnProcess(status?.supervisor, run)
      this.learnProcess(status?.init, run)
    }
    if (op.tag === "ChannelRead") {
      for (const frame of decodeFrames(outcome.value as Uint8Array)) {
        if (frame._tag === "Started") this.learnProcess(frame.process, run)
      }
    }
  }

  /** What goes with it; an exec's group is its container's. */
  private learnPaths({ exitFile, killFiles, killProcs, removeDirectories }: SupervisorSpec, run: string): void {
    for (const path of [...removeDirectories, ...[...killFiles, ...killProcs].map(parentOf)]) this.paths.set(path, run)
    if (exitFile !== undefined) this.paths.set(exitFile, run)
  }

  private learnProcess(process: ProcessIdentity | undefined, run: string): void {
    if (process !== undefined) this.processes.set(process.pid, run)
  }
}
