/**
 * From the numbers of a recorded run to those of its replay, and what its channels said in each.
 */
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { decodeFrames } from "../../domain/kernel/frames.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import { type Frame, parseStatus } from "../../domain/kernel/Supervisor.ts"
import type { Difference } from "./replayed.ts"
import type { TraceEntry, TraceOutcome } from "./TraceEntry.ts"

interface Heard {
  readonly recorded: Array<Uint8Array>
  readonly replayed: Array<Uint8Array>
}

/**
 * What a channel said, without numbers and without how it was cut: streams, and the frames about
 * the start and end.
 */
interface Gist {
  readonly events: ReadonlyArray<string>
  readonly stdout: string
  readonly stderr: string
}

const gist = (frames: ReadonlyArray<Frame>): Gist => {
  const decoder = new TextDecoder()
  const stream = (name: "stdout" | "stderr") =>
    decoder.decode(
      joinBytes(frames.flatMap((frame) =>
        frame._tag === "Output" && frame.stream === name ? [frame.data] : []
      ))
    )
  const events = frames.flatMap((frame) => {
    switch (frame._tag) {
      case "Started":
        return ["started"]
      case "Failed":
        return [["failed", frame.operation, frame.syscall, frame.path, frame.errno].join(" ")]
      case "Exited":
        return [["exited", frame.exit.code, frame.exit.signal, frame.exit.oomKilled].join(" ")]
      default:
        return []
    }
  })
  return { events, stdout: stream("stdout"), stderr: stream("stderr") }
}

/** Who listened to the end heard all of it; who went away before may have missed what came next. */
const isSame = (then: Gist, now: Gist): boolean => {
  const heardAll = then.events.some((event) => !event.startsWith("started"))
  return heardAll
    ? JSON.stringify(then) === JSON.stringify(now)
    : then.events.every((event, index) => now.events[index] === event) &&
      now.stdout.startsWith(then.stdout) && now.stderr.startsWith(then.stderr)
}

const isIdentity = (value: object): value is { readonly pid: number; readonly startTime: number } =>
  "pid" in value && "startTime" in value && Object.keys(value).length === 2

/** Fields that hold a handle, by their names in payloads and results. */
const handleFields: ReadonlySet<string> = new Set(["handle", "channel", "archive", "blob"])

export class Translation {
  private readonly handles = new Map<number, number>()
  private readonly pids = new Map<number, { readonly pid: number; readonly startTime: number }>()
  private readonly channels = new Map<number, Heard>()
  /** Channels of then that cannot be opened now: what follows on them is left out. */
  private readonly missed = new Set<number>()

  /** The operation with this run's numbers. */
  translate(op: KernelOp): KernelOp {
    return { tag: op.tag, payload: this.value(op.payload, "") } as KernelOp
  }

  /** Nobody listens any more where a channel was opened then. */
  miss({ op, outcome }: TraceEntry): void {
    if (op.tag === "ChannelOpen" && outcome._tag === "Success") {
      this.missed.add((outcome.value as { readonly channel: number }).channel)
    }
  }

  isMissed({ payload }: KernelOp): boolean {
    return "channel" in payload && this.missed.has(payload.channel)
  }

  /** Takes the numbers that an operation gave then and now. */
  learn(entry: TraceEntry, outcome: TraceOutcome): void {
    if (entry.outcome._tag !== "Success" || outcome._tag !== "Success") return
    this.learnHandles(entry.outcome.value, outcome.value)
    if (entry.op.tag === "FileRead") {
      this.learnStatus(String(entry.outcome.value), String(outcome.value))
    }
  }

  expected(channel: number, bytes: Uint8Array): void {
    this.heard(channel).recorded.push(bytes)
  }

  received(channel: number, bytes: Uint8Array): void {
    const heard = this.heard(channel)
    heard.replayed.push(bytes)
    const [then, now] = [heard.recorded, heard.replayed].map((pieces) =>
      decodeFrames(joinBytes(pieces)).find((frame) => frame._tag === "Started")
    )
    if (then?._tag === "Started" && now?._tag === "Started") {
      this.pids.set(then.process.pid, now.process)
    }
  }

  /** Whether less has come on a channel than had come by now then. */
  isBehind(channel: number): boolean {
    const { recorded, replayed } = this.heard(channel)
    return joinBytes(replayed).length < joinBytes(recorded).length
  }

  /** One for each channel that said something else in the end. */
  channelDifferences(entries: ReadonlyArray<TraceEntry>): ReadonlyArray<Difference> {
    return [...this.channels].flatMap(([channel, heard]) => {
      const expected = gist(decodeFrames(joinBytes(heard.recorded)))
      const actual = gist(decodeFrames(joinBytes(heard.replayed)))
      const last = entries.findLast((entry) =>
        entry.op.tag === "ChannelRead" && entry.op.payload.channel === channel
      )
      return isSame(expected, actual) || last === undefined
        ? []
        : [{ index: last.index, op: last.op, expected: JSON.stringify(expected), actual: JSON.stringify(actual) }]
    })
  }

  /** A text of then with the numbers of now in it. */
  text(text: string): string {
    let translated = text
    for (const [then, now] of this.pids) {
      translated = translated.replaceAll(`/proc/${then}/`, `/proc/${now.pid}/`)
    }
    return translated
  }

  private heard(channel: number): Heard {
    const known = this.channels.get(channel)
    if (known !== undefined) return known
    const made: Heard = { recorded: [], replayed: [] }
    this.channels.set(channel, made)
    return made
  }

  private value(value: unknown, field: string): unknown {
    if (typeof value === "string") return this.text(value)
    if (typeof value === "number") {
      return handleFields.has(field)
        ? this.handles.get(value) ?? value
        : value
    }
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
    if (Array.isArray(value)) return value.map((one) => this.value(one, field))
    if (isIdentity(value)) return this.pids.get(value.pid) ?? value
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, this.value(one, key)])
    )
  }

  private learnHandles(then: unknown, now: unknown): void {
    if (typeof then === "number" && typeof now === "number") this.handles.set(then, now)
    if (typeof then !== "object" || typeof now !== "object" || then === null || now === null) return
    for (const field of handleFields) {
      const [old, fresh] = [
        (then as Record<string, unknown>)[field],
        (now as Record<string, unknown>)[field]
      ]
      if (typeof old === "number" && typeof fresh === "number") this.handles.set(old, fresh)
    }
  }

  private learnStatus(then: string, now: string): void {
    const [old, fresh] = [parseStatus(then), parseStatus(now)]
    if (old === undefined || fresh === undefined) return
    this.pids.set(old.supervisor.pid, fresh.supervisor)
    if (old.init !== undefined && fresh.init !== undefined) this.pids.set(old.init.pid, fresh.init)
  }
}
