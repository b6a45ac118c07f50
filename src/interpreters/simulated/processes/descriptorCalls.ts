/** read(2) and write(2) on the standard descriptors: pipes, terminals, files and nothing. */
import type { Call } from "../behaviours/Behaviour.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { bytesOf, concatenate } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { alterTerminal, drainPipe, fillPipe, pipeAt, terminalAt, watch } from "./descriptors.ts"
import type { Descriptor, Process, ProgramTask } from "./Process.ts"
import { sendSignal, signals } from "./signals.ts"

type Outcome = { readonly value: unknown } | undefined

const endOfFile: Outcome = { value: new Uint8Array(0) }

const readFileAt = (
  draft: Draft,
  process: Process,
  index: 0 | 1 | 2,
  file: Extract<Descriptor, { readonly _tag: "File" }>
): Outcome => {
  const filesystem = draft.filesystems.get(file.filesystem) ?? fail("EIO")
  const driver = driverOf(filesystem)
  if (driver.attributes(draft, filesystem, file.node).type === "directory") fail("EISDIR")
  const content = bytesOf(driver.read(draft, filesystem, file.node))
  const stdio = process.stdio.with(index, {
    ...file,
    offset: content.length
  }) as unknown as Process["stdio"]
  alter(draft, process.pid, { stdio })
  return { value: content.subarray(file.offset) }
}

const readTerminal = (draft: Draft, pid: number, id: number): Outcome => {
  const terminal = terminalAt(draft, id)
  const [first, ...rest] = terminal.input
  if (first === undefined) {
    watch(draft, { _tag: "Terminal", terminal: id }, pid)
    return undefined
  }
  alterTerminal(draft, id, { input: rest })
  return { value: first }
}

/** All that is there; empty at the end of the input. */
export const read = (draft: Draft, pid: number, index: 0 | 1 | 2): Outcome => {
  const process = processOf(draft, pid)
  const descriptor = process.stdio[index]
  switch (descriptor._tag) {
    case "Null":
      return endOfFile
    case "PipeWrite":
      return fail("EBADF")
    case "File":
      return readFileAt(draft, process, index, descriptor)
    case "Terminal":
      return readTerminal(draft, pid, descriptor.terminal)
    case "PipeRead": {
      const pipe = pipeAt(draft, descriptor.pipe)
      if (pipe.chunks.length > 0) {
        return { value: new Uint8Array(Buffer.concat(drainPipe(draft, pipe.id))) }
      }
      if (pipe.writers === 0) return endOfFile
      watch(draft, descriptor, pid)
      return undefined
    }
  }
}

/** Out of a pipe that the process holds both ends of: its own writing end does not keep it open. */
export const readPipe = (draft: Draft, pid: number, id: number): Outcome => {
  if (!processOf(draft, pid).pipes.includes(id)) fail("EBADF")
  const pipe = pipeAt(draft, id)
  if (pipe.chunks.length > 0) return { value: new Uint8Array(Buffer.concat(drainPipe(draft, id))) }
  if (pipe.writers <= 1) return endOfFile
  watch(draft, { _tag: "PipeRead", pipe: id }, pid)
  return undefined
}

/** Line feeds become carriage return and line feed (OPOST, ONLCR). */
const cooked = (data: Uint8Array): Uint8Array => {
  const out: Array<number> = []
  for (const byte of data) {
    if (byte === 10) out.push(13)
    out.push(byte)
  }
  return Uint8Array.from(out)
}

const writePipe = (
  draft: Draft,
  pid: number,
  call: Extract<Call, { readonly _tag: "Write" }>,
  pipe: number
): Outcome => {
  if (pipeAt(draft, pipe).readers === 0) {
    sendSignal(draft, pid, signals.SIGPIPE, "kernel")
    fail("EPIPE")
  }
  const data = bytesOf(call.data)
  const taken = fillPipe(draft, pipe, data)
  if (taken === data.length) return { value: data.length }
  // What did not fit is written when a reader has made room
  const task = processOf(draft, pid).task as ProgramTask
  alter(draft, pid, { task: { ...task, call: { ...call, data: data.subarray(taken) } } })
  watch(draft, { _tag: "PipeWrite", pipe }, pid)
  return undefined
}

export const write = (
  draft: Draft,
  pid: number,
  call: Extract<Call, { readonly _tag: "Write" }>
): Outcome => {
  const descriptor = processOf(draft, pid).stdio[call.descriptor]
  switch (descriptor._tag) {
    case "Null":
      return { value: call.data.length }
    case "PipeRead":
      return fail("EBADF")
    case "PipeWrite":
      return writePipe(draft, pid, call, descriptor.pipe)
    case "Terminal": {
      const terminal = terminalAt(draft, descriptor.terminal)
      alterTerminal(draft, terminal.id, {
        output: [...terminal.output, cooked(bytesOf(call.data))]
      })
      return { value: call.data.length }
    }
    case "File": {
      const filesystem = draft.filesystems.get(descriptor.filesystem) ?? fail("EIO")
      const driver = driverOf(filesystem)
      const before = driver.read(draft, filesystem, descriptor.node)
      driver.write(draft, filesystem, descriptor.node, concatenate(before, call.data))
      return { value: call.data.length }
    }
  }
}
