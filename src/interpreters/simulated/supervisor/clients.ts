/**
 * The clients of a supervisor: sockets that get frames and send them. The slowest decides when
 * output goes on.
 */
import { startedFrame } from "../../../domain/kernel/frames.ts"
import { attachFlags, FrameType } from "../../../domain/kernel/Supervisor.ts"
import type { Draft } from "../Draft.ts"
import { alterChannel, channelAt } from "../processes/handles.ts"
import type { Channel } from "../World.ts"
import { closeInput, resizeTerminal, writeInput } from "./input.ts"
import { alterTask, taskOf } from "./SupervisorState.ts"

/** Clients at once; later ones are turned away. */
const clientCount = 16

/** net.core.wmem_default: what a socket holds before its writer waits. */
export const socketBuffer = 212_992

const headerSize = 8

/** Microseconds a client may take nothing once the container has ended. */
const stall = 10_000_000

const live = (draft: Draft, pid: number): ReadonlyArray<Channel> =>
  taskOf(draft, pid).channels.flatMap((id) => {
    const channel = draft.channels.get(id)
    return channel === undefined ? [] : [channel]
  })

const send = (draft: Draft, channel: Channel, frame: Uint8Array): void => {
  alterChannel(draft, channel.id, {
    outgoing: [...channel.outgoing, frame],
    outgoingSize: channel.outgoingSize + frame.length
  })
}

/** Gives a frame to all clients with one of `flags`; 0: to all. */
export const publish = (draft: Draft, pid: number, frame: Uint8Array, flags: number): void => {
  for (const channel of live(draft, pid)) {
    if (channel.accepted && !channel.clientGone && (flags === 0 || (channel.flags & flags) !== 0)) {
      send(draft, channel, frame)
    }
  }
}

const isPending = (channel: Channel): boolean =>
  channel.accepted && !channel.clientGone && channel.outgoingSize > socketBuffer

/** Whether a client has not taken what it was given. */
export const clientsPending = (draft: Draft, pid: number): boolean =>
  live(draft, pid).some(isPending)

/** Whether a client that claimed the exit is still there. */
export const isClaimed = (draft: Draft, pid: number): boolean =>
  live(draft, pid).some((channel) =>
    !channel.clientGone && (channel.flags & attachFlags.claim) !== 0
  )

const forget = (draft: Draft, pid: number, id: number): void => {
  const task = taskOf(draft, pid)
  alterTask(draft, pid, { channels: task.channels.filter((one) => one !== id) })
  alterChannel(draft, id, { supervisorGone: true })
}

/** Drops a client. With `once` that ends the container's input. */
const drop = (draft: Draft, pid: number, channel: Channel): void => {
  forget(draft, pid, channel.id)
  if (taskOf(draft, pid).spec.stdio.stdin === "once" && (channel.flags & attachFlags.stdin) !== 0) {
    closeInput(draft, pid, false)
  }
}

/**
 * Drops clients that took nothing for too long since `from`; microseconds until the next could be
 * dropped, none when nobody is waited for.
 */
export const dropStalled = (draft: Draft, pid: number, from: number): number | undefined => {
  const left = live(draft, pid).filter(isPending).flatMap((channel) => {
    const time = Math.max(from, channel.progress) + stall - draft.now
    if (time > 0) return [time]
    drop(draft, pid, channel)
    return []
  })
  return left.length === 0 ? undefined : Math.min(...left)
}

/** Takes new connections; who comes late learns at once that the container runs. */
export const acceptClients = (draft: Draft, pid: number): void => {
  const { startedAt, init, initStart } = taskOf(draft, pid)
  for (const channel of live(draft, pid)) {
    if (channel.accepted) continue
    if (live(draft, pid).filter((one) => one.accepted).length >= clientCount) {
      forget(draft, pid, channel.id)
      continue
    }
    alterChannel(draft, channel.id, { accepted: true })
    if (startedAt !== 0) {
      send(draft, channelAt(draft, channel.id), startedFrame({ pid: init, startTime: initStart }))
    }
  }
}

interface Received {
  readonly type: number
  readonly payload: Uint8Array
}

const read = (bytes: Uint8Array): Received => ({
  type: bytes[0]!,
  payload: bytes.subarray(headerSize)
})

/** The frames a client may send, each with its one length. */
const isAllowed = ({ type, payload }: Received): boolean =>
  type === FrameType.stdin || (type === FrameType.stdinEnd && payload.length === 0) ||
  (type === FrameType.resize && payload.length === 4) ||
  (type === FrameType.attach && payload.length === 1)

/** Acts on a frame; what is left of it when the container does not take all of its input. */
const actOn = (
  draft: Draft,
  pid: number,
  channel: Channel,
  frame: Received
): Uint8Array | undefined => {
  switch (frame.type) {
    case FrameType.attach:
      alterChannel(draft, channel.id, { flags: frame.payload[0]! })
      return undefined
    case FrameType.stdinEnd:
      if ((channel.flags & attachFlags.stdin) !== 0) closeInput(draft, pid, false)
      return undefined
    case FrameType.resize: {
      const view = new DataView(frame.payload.buffer, frame.payload.byteOffset, 4)
      resizeTerminal(draft, pid, view.getUint16(0, true), view.getUint16(2, true))
      return undefined
    }
    default: {
      if ((channel.flags & attachFlags.stdin) === 0) return undefined
      const left = writeInput(draft, pid, frame.payload)
      if (left.length === 0) return undefined
      const rest = new Uint8Array(headerSize + left.length)
      rest[0] = FrameType.stdin
      new DataView(rest.buffer).setUint32(4, left.length)
      rest.set(left, headerSize)
      return rest
    }
  }
}

/** Takes what a client has sent, as far as the container takes its input. */
const serve = (draft: Draft, pid: number, id: number): void => {
  for (;;) {
    const channel = draft.channels.get(id)
    const bytes = channel?.incoming[0]
    if (channel === undefined || bytes === undefined) break
    const frame = read(bytes)
    if (!isAllowed(frame)) return drop(draft, pid, channel)
    const rest = actOn(draft, pid, channel, frame)
    const now = draft.channels.get(id)
    if (now === undefined) return
    alterChannel(draft, id, {
      incoming: [...rest === undefined ? [] : [rest], ...now.incoming.slice(1)],
      incomingSize: now.incomingSize - bytes.length + (rest?.length ?? 0)
    })
    if (rest !== undefined) return
  }
  const channel = draft.channels.get(id)
  if (channel?.clientGone === true) drop(draft, pid, channel)
}

export const serveClients = (draft: Draft, pid: number): void => {
  for (const { id } of live(draft, pid)) serve(draft, pid, id)
}
