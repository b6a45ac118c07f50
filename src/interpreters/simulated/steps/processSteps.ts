/** Supervisors, the channels to them, and signals to processes by identity. */
import type { SupervisorSpec } from "../../../domain/kernel/Supervisor.ts"
import { alter, current, type Draft, fail, notYet, processOf } from "../Draft.ts"
import { attributesOf, requireAccess, write } from "../files/access.ts"
import { resolve, resolveDirectory } from "../files/resolve.ts"
import { processByIdentity } from "../init/namespaceOps.ts"
import { maySignal } from "../processes/credentials.ts"
import { noDescriptors } from "../processes/descriptors.ts"
import { fork } from "../processes/fork.ts"
import {
  addHandle, alterChannel, channelAt, closeIfOpen, handleAt, makeChannel
} from "../processes/handles.ts"
import type { SupervisorTask } from "../processes/Process.ts"
import { wake } from "../processes/schedule.ts"
import { lastSignal, sendSignal } from "../processes/signals.ts"
import { socketBuffer } from "../supervisor/clients.ts"
import { emptyLine } from "../supervisor/jsonLog.ts"
import type { Channel } from "../World.ts"
import type { Handlers } from "./Step.ts"

const newTask = (spec: SupervisorSpec): SupervisorTask => ({
  _tag: "Supervisor",
  spec,
  phase: "starting",
  init: 0,
  initStart: 0,
  channels: [],
  stdin: 0,
  stdout: 0,
  stderr: 0,
  terminal: 0,
  socket: 0,
  startedAt: 0,
  oomBefore: 0,
  patience: 0,
  pause: 0,
  lines: { stdout: emptyLine, stderr: emptyLine },
  logSize: -1
})

/** The engine forks; the supervisor leaves its session and stands at the root directory. */
const start = (
  draft: Draft,
  spec: SupervisorSpec,
  attach: number
): { readonly channel: number; readonly pid: number } => {
  draft.syscall = "clone"
  const pid = fork(draft, draft.current, { task: newTask(spec), stdio: noDescriptors })
  const { root } = processOf(draft, pid)
  alter(draft, pid, {
    directory: root,
    session: pid,
    terminal: 0,
    argv: ["fx-init", spec.id],
    executable: "/fx-init",
    environment: []
  })
  const channel = makeChannel(draft, pid, attach)
  alterChannel(draft, channel, { accepted: true })
  alter(draft, pid, { task: { ...newTask(spec), channels: [channel] } })
  return { channel: addHandle(draft, { _tag: "Channel", owner: draft.current, channel }), pid }
}

/** connect(2) to the supervisor's socket. */
const open = (draft: Draft, directory: string, attach: number): { readonly channel: number } => {
  draft.syscall = "openat"
  resolveDirectory(draft, directory)
  draft.syscall = "connect"
  const path = `${directory}/attach.sock`
  const place = resolve(draft, path, true)
  const attributes = attributesOf(draft, place)
  if (attributes.type !== "socket") fail("ECONNREFUSED", path)
  requireAccess(draft, attributes, write, path)
  const inode = typeof place.node === "number" ? draft.inodes.get(place.node) : undefined
  const listener = inode?.type === "socket" ? draft.processes.get(inode.listener) : undefined
  if (listener?.task._tag !== "Supervisor" || listener.state === "zombie") {
    return fail("ECONNREFUSED", path)
  }
  const channel = makeChannel(draft, listener.pid, attach)
  // SO_PEERCRED: only root and its own user
  const { uid } = current(draft)
  if (uid === 0 || uid === listener.uid) {
    alter(draft, listener.pid, {
      task: { ...listener.task, channels: [...listener.task.channels, channel] }
    })
    wake(draft, listener.pid)
  } else alterChannel(draft, channel, { supervisorGone: true })
  return { channel: addHandle(draft, { _tag: "Channel", owner: draft.current, channel }) }
}

const channelOf = (draft: Draft, handle: number): Channel =>
  channelAt(draft, handleAt(draft, draft.current, handle, "Channel").channel)

const headerSize = 8

/** Whole frames, one by one. */
const split = (frames: Uint8Array): ReadonlyArray<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength)
  for (let at = 0; at + headerSize <= frames.length;) {
    const end = at + headerSize + view.getUint32(at + 4)
    parts.push(frames.slice(at, end))
    at = end
  }
  return parts
}

export const processSteps: Handlers<
  | "SupervisorStart"
  | "ChannelOpen"
  | "ChannelRead"
  | "ChannelWrite"
  | "ChannelClose"
  | "ProcessSignal"
> = {
  SupervisorStart: (draft, { spec, attach }) => start(draft, spec, attach),
  ChannelOpen: (draft, { directory, attach }) => open(draft, directory, attach),
  ChannelRead: (draft, { channel: handle }) => {
    draft.syscall = "read"
    const channel = channelOf(draft, handle)
    if (channel.outgoing.length > 0) {
      alterChannel(draft, channel.id, { outgoing: [], outgoingSize: 0, progress: draft.now })
      // A supervisor held back by this client may go on
      if (!channel.supervisorGone) wake(draft, channel.supervisor)
      return new Uint8Array(Buffer.concat(channel.outgoing))
    }
    return channel.supervisorGone ? new Uint8Array(0) : notYet
  },
  ChannelWrite: (draft, { channel: handle, frames }) => {
    draft.syscall = "sendto"
    const channel = channelOf(draft, handle)
    if (channel.supervisorGone) fail("EPIPE", undefined, "the supervisor has gone")
    if (channel.incomingSize > socketBuffer) return notYet
    alterChannel(draft, channel.id, {
      incoming: [...channel.incoming, ...split(frames)],
      incomingSize: channel.incomingSize + frames.length
    })
    wake(draft, channel.supervisor)
    return undefined
  },
  ChannelClose: (draft, { channel }) => {
    draft.syscall = "close"
    closeIfOpen(draft, draft.current, channel, ["Channel"])
  },
  ProcessSignal: (draft, { process, signal }) => {
    const target = processByIdentity(draft, process)
    draft.syscall = "pidfd_send_signal"
    if (signal > lastSignal) fail("EINVAL")
    if (!maySignal(draft, current(draft), target)) fail("EPERM")
    sendSignal(draft, target.pid, signal, draft.current)
  }
}
