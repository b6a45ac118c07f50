/** The three standard descriptors of a process, and the pipes behind them (pipe(7)). */
import { alter, type Draft, fail, processOf, takeId } from "../Draft.ts"
import type { Pipe, Terminal } from "../World.ts"
import type { Descriptor } from "./Process.ts"
import { wake } from "./schedule.ts"

/** Capacity of a pipe: 16 pages. */
export const pipeCapacity = 65_536

export const pipeAt = (draft: Draft, id: number): Pipe => draft.pipes.get(id) ?? fail("EBADF")

export const terminalAt = (draft: Draft, id: number): Terminal =>
  draft.terminals.get(id) ?? fail("EBADF")

export const wakeAll = (draft: Draft, waiting: ReadonlyArray<number>): void => {
  for (const pid of waiting) wake(draft, pid)
}

/** Changes a pipe and wakes all who wait at it; a pipe without ends is gone. */
export const alterPipe = (draft: Draft, id: number, change: Partial<Pipe>): void => {
  const pipe = { ...pipeAt(draft, id), ...change }
  draft.pipes = pipe.readers + pipe.writers <= 0
    ? draft.pipes.remove(id)
    : draft.pipes.set(id, pipe)
  wakeAll(draft, pipe.watchers)
}

export const alterTerminal = (draft: Draft, id: number, change: Partial<Terminal>): void => {
  const terminal = { ...terminalAt(draft, id), ...change }
  draft.terminals = draft.terminals.set(id, terminal)
  wakeAll(draft, terminal.watchers)
}

/** A pipe with the ends as given; `watcher` is told of every change. */
export const makePipe = (
  draft: Draft,
  readers: number,
  writers: number,
  watcher: number
): number => {
  const id = takeId(draft)
  draft.pipes = draft.pipes.set(id, {
    id,
    chunks: [],
    size: 0,
    readers,
    writers,
    watchers: [watcher]
  })
  return id
}

/** A process waits at a pipe or terminal: it is woken by every change. */
export const watch = (draft: Draft, descriptor: Descriptor, pid: number): void => {
  if (descriptor._tag === "PipeRead" || descriptor._tag === "PipeWrite") {
    const pipe = draft.pipes.get(descriptor.pipe)
    if (pipe === undefined || pipe.watchers.includes(pid)) return
    draft.pipes = draft.pipes.set(pipe.id, { ...pipe, watchers: [...pipe.watchers, pid] })
  } else if (descriptor._tag === "Terminal") {
    const terminal = draft.terminals.get(descriptor.terminal)
    if (terminal === undefined || terminal.watchers.includes(pid)) return
    draft.terminals = draft.terminals.set(terminal.id, {
      ...terminal,
      watchers: [...terminal.watchers, pid]
    })
  }
}

/** One more holder of what a descriptor stands for (fork, dup). */
export const hold = (draft: Draft, descriptor: Descriptor): void => {
  if (descriptor._tag === "PipeRead") {
    alterPipe(draft, descriptor.pipe, { readers: pipeAt(draft, descriptor.pipe).readers + 1 })
  } else if (descriptor._tag === "PipeWrite") {
    alterPipe(draft, descriptor.pipe, { writers: pipeAt(draft, descriptor.pipe).writers + 1 })
  } else if (descriptor._tag === "Terminal") {
    alterTerminal(draft, descriptor.terminal, {
      slaves: terminalAt(draft, descriptor.terminal).slaves + 1
    })
  }
}

export const close = (draft: Draft, descriptor: Descriptor): void => {
  if (descriptor._tag === "PipeRead" && draft.pipes.get(descriptor.pipe) !== undefined) {
    alterPipe(draft, descriptor.pipe, { readers: pipeAt(draft, descriptor.pipe).readers - 1 })
  } else if (descriptor._tag === "PipeWrite" && draft.pipes.get(descriptor.pipe) !== undefined) {
    alterPipe(draft, descriptor.pipe, { writers: pipeAt(draft, descriptor.pipe).writers - 1 })
  } else if (
    descriptor._tag === "Terminal" && draft.terminals.get(descriptor.terminal) !== undefined
  ) {
    alterTerminal(draft, descriptor.terminal, {
      slaves: terminalAt(draft, descriptor.terminal).slaves - 1
    })
  }
}

const nothing: Descriptor = { _tag: "Null" }
export const noDescriptors: readonly [Descriptor, Descriptor, Descriptor] = [
  nothing,
  nothing,
  nothing
]

/** Gives up both ends of a pipe that a process has made. */
export const closePipe = (draft: Draft, pid: number, id: number): void => {
  const { pipes } = processOf(draft, pid)
  if (!pipes.includes(id)) fail("EBADF")
  alter(draft, pid, { pipes: pipes.filter((one) => one !== id) })
  const { readers, writers } = pipeAt(draft, id)
  alterPipe(draft, id, { readers: readers - 1, writers: writers - 1 })
}

/** Closes all. */
export const closeDescriptors = (draft: Draft, pid: number): void => {
  const { stdio, pipes } = processOf(draft, pid)
  for (const id of pipes) closePipe(draft, pid, id)
  alter(draft, pid, { stdio: noDescriptors })
  for (const descriptor of stdio) close(draft, descriptor)
}

/** Adds to a pipe as much as fits; gives the bytes that did. */
export const fillPipe = (draft: Draft, id: number, data: Uint8Array): number => {
  const pipe = pipeAt(draft, id)
  const taken = Math.min(data.length, pipeCapacity - pipe.size)
  if (taken > 0) {
    alterPipe(draft, id, {
      chunks: [...pipe.chunks, data.subarray(0, taken)],
      size: pipe.size + taken
    })
  }
  return taken
}

/** Takes everything out of a pipe. */
export const drainPipe = (draft: Draft, id: number): ReadonlyArray<Uint8Array> => {
  const pipe = pipeAt(draft, id)
  if (pipe.chunks.length > 0) alterPipe(draft, id, { chunks: [], size: 0 })
  return pipe.chunks
}
