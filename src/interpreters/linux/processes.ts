/** Handlers for supervisors, their channels, and signals to processes by identity. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { attachFrame } from "../../domain/kernel/frames.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload, Success } from "../../domain/kernel/KernelOp.ts"
import { encodeSpec } from "../../domain/kernel/wire.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { type Addon, builtFile } from "./addon.ts"
import { attempt, backOff, pause, Refusal, type Subject, toKernelError, valueOf } from "./attempt.ts"
import { Channel } from "./Channel.ts"
import { type Looks, looking } from "./looks.ts"
import type { Machine } from "./Machine.ts"
import { monotonicNow } from "./monotonicNow.ts"
import { reapLater } from "./Reaper.ts"

/** Descriptors of sealed images of the supervisor, by path: made once per process, and never closed. */
const images = new Map<string, number>()

const imageOf = (addon: Addon, path: string): number => {
  const known = images.get(path)
  if (known !== undefined) return known
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    const { code = "EIO" } = cause as NodeJS.ErrnoException
    throw new Refusal("openat", code, `${path} can't be read: build it with npm run build:native`)
  }
  const image = valueOf(addon.sealedFile("fx-init", bytes, true))
  images.set(path, image)
  return image
}

const channelOut = new Int32Array(1)

const start = (machine: Machine, { attach, spec }: Payload<"SupervisorStart">): Success<"SupervisorStart"> => {
  const { addon } = machine
  const image = imageOf(addon, machine.options.init ?? builtFile("fx-init"))
  const pid = valueOf(addon.spawn(image, spec.id, encodeSpec(spec, attach), channelOut))
  reapLater(addon, pid)
  return { channel: machine.open(new Channel(addon, channelOut[0]!)), pid }
}

/** errno of connect(2) on a full backlog. */
const again = 11
/** Milliseconds that a supervisor may take to accept: it does little else. */
const patience = 5000

const open = (
  machine: Machine, { attach, directory }: Payload<"ChannelOpen">
): Effect.Effect<Success<"ChannelOpen">, KernelError> => {
  const subject: Subject = { op: "ChannelOpen", path: `${directory}/attach.sock` }
  const began = monotonicNow()
  const connect = attempt(subject, () => {
    const fd = machine.addon.connectChannel(directory)
    if (typeof fd === "number") return new Channel(machine.addon, fd)
    if (fd.errno !== again || monotonicNow() - began > patience) throw fd
    return undefined
  })
  const round = (count: number): Effect.Effect<Channel, KernelError> =>
    Effect.flatMap(connect, (channel) =>
      channel === undefined
        ? Effect.andThen(pause(backOff(count)), Effect.suspend(() => round(count + 1)))
        : Effect.succeed(channel))
  // A supervisor that ends closes its listener, and what waits to be accepted with it: it did not listen any more
  const refused = (error: KernelError) =>
    error.errno === "EPIPE" ? toKernelError(subject, new Refusal("connect", "ECONNREFUSED")) : error
  return Effect.flatMap(round(0), (channel) =>
    Effect.as(
      Effect.onError(channel.write(attachFrame(attach)), () => Effect.sync(() => channel.close())),
      channel
    ).pipe(Effect.map((channel) => ({ channel: machine.open(channel) })), Effect.mapError(refused)))
}

type Tags =
  | "SupervisorStart" | "ChannelOpen" | "ChannelRead" | "ChannelWrite" | "ChannelClose" | "ProcessSignal"

/** A signal is as quick as a look, and signal 0 is one. */
export const processLooks = (machine: Machine): Pick<Looks, "ProcessSignal"> => ({
  ProcessSignal: {
    pathOf: ({ process }) => `/proc/${process.pid}`,
    answer: ({ process, signal }) =>
      void valueOf(machine.addon.signalProcess(process.pid, process.startTime, signal))
  }
})

export const processes = (machine: Machine): Pick<Interpreter, Tags> => ({
  SupervisorStart: (payload) =>
    attempt({ op: "SupervisorStart", path: payload.spec.directory }, () => start(machine, payload)),
  ChannelOpen: (payload) => Effect.suspend(() => open(machine, payload)),
  ChannelRead: ({ channel }) =>
    Effect.flatMap(attempt({ op: "ChannelRead" }, () => machine.get(channel, Channel)), (open) => open.read()),
  ChannelWrite: ({ channel, frames }) =>
    Effect.flatMap(attempt({ op: "ChannelWrite" }, () => machine.get(channel, Channel)), (open) => open.write(frames)),
  ChannelClose: ({ channel }) => attempt({ op: "ChannelClose" }, () => machine.close(channel, Channel)),
  ProcessSignal: looking("ProcessSignal", processLooks(machine).ProcessSignal)
})
