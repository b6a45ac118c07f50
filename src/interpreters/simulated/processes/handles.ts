/**
 * What a process holds in the world beyond its descriptors: locks, channels, archives, listening
 * sockets.
 */
import { alter, type Draft, fail, takeId } from "../Draft.ts"
import { drop } from "../mounts/mountTree.ts"
import { clearVolatile } from "../mounts/overlay.ts"
import type { Channel, Handle } from "../World.ts"
import { alterPipe } from "./descriptors.ts"
import { wake } from "./schedule.ts"

export const handleAt = <T extends Handle["_tag"]>(
  draft: Draft,
  owner: number,
  id: number,
  tag: T
): Extract<Handle, { readonly _tag: T }> => {
  const handle = draft.handles.get(id)
  return handle?.owner === owner && handle._tag === tag
    ? handle as Extract<Handle, { readonly _tag: T }>
    : fail("EBADF")
}

type WithoutId<H> = H extends Handle ? Omit<H, "id"> : never

export const addHandle = (draft: Draft, handle: WithoutId<Handle>): number => {
  const id = takeId(draft)
  draft.handles = draft.handles.set(id, { ...handle, id } as Handle)
  return id
}

export const channelAt = (draft: Draft, id: number): Channel =>
  draft.channels.get(id) ?? fail("EBADF")

export const alterChannel = (draft: Draft, id: number, change: Partial<Channel>): void => {
  const channel = { ...channelAt(draft, id), ...change }
  draft.channels = channel.clientGone && channel.supervisorGone
    ? draft.channels.remove(id)
    : draft.channels.set(id, channel)
}

export const makeChannel = (draft: Draft, supervisor: number, flags: number): number => {
  const id = takeId(draft)
  draft.channels = draft.channels.set(id, {
    id,
    supervisor,
    flags,
    accepted: false,
    outgoing: [],
    outgoingSize: 0,
    progress: 0,
    incoming: [],
    incomingSize: 0,
    clientGone: false,
    supervisorGone: false
  })
  return id
}

/**
 * Closes a handle. An archive's own mount goes with it; `byChoice`: its owner closes it, and is not
 * dying.
 */
export const closeHandle = (draft: Draft, handle: Handle, byChoice = true): void => {
  draft.handles = draft.handles.remove(handle.id)
  if (handle._tag === "ArchiveWrite" && handle.ownMount !== 0) {
    drop(draft, handle.ownMount)
    // A killed engine leaves the mark, as in the kernel: whoever mounts the layer next removes it
    if (byChoice && handle.work !== "") clearVolatile(draft, handle.work)
  }
  if (handle._tag === "Channel") {
    const { supervisor } = channelAt(draft, handle.channel)
    alterChannel(draft, handle.channel, { clientGone: true })
    wake(draft, supervisor)
  }
}

/** Closes a handle of a kind; one that is closed already is no error. */
export const closeIfOpen = (
  draft: Draft,
  owner: number,
  id: number,
  tags: ReadonlyArray<Handle["_tag"]>
): void => {
  const handle = draft.handles.get(id)
  if (handle === undefined || handle.owner !== owner) return
  closeHandle(draft, tags.includes(handle._tag) ? handle : fail("EBADF"))
}

/** What the kernel does with them when their process dies. */
export const releaseHandles = (draft: Draft, pid: number): void => {
  const process = draft.processes.get(pid)
  if (process?.task._tag === "Engine") {
    for (const handle of draft.handles.values()) {
      if (handle.owner === pid) closeHandle(draft, handle, false)
    }
  }
  if (process?.task._tag !== "Supervisor") return
  const { stdin, stdout, stderr, terminal } = process.task
  const input = draft.pipes.get(stdin)
  if (input !== undefined) alterPipe(draft, stdin, { writers: input.writers - 1 })
  for (const output of [stdout, stderr]) {
    const pipe = draft.pipes.get(output)
    if (pipe !== undefined) alterPipe(draft, output, { readers: pipe.readers - 1 })
  }
  draft.terminals = draft.terminals.remove(terminal)
  for (const channel of process.task.channels) {
    if (draft.channels.get(channel) !== undefined) {
      alterChannel(draft, channel, { supervisorGone: true })
    }
  }
  alter(draft, pid, { task: { ...process.task, channels: [] } })
  const socket = draft.inodes.get(process.task.socket)
  if (socket?.type === "socket") {
    draft.inodes = draft.inodes.set(process.task.socket, { ...socket, listener: 0 })
  }
}
