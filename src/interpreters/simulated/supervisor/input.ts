/**
 * From the clients to the container: the stdin pipe, or the terminal with its line discipline
 * (termios(3)).
 */
import type { Draft } from "../Draft.ts"
import { alterPipe, alterTerminal, fillPipe, pipeAt, terminalAt } from "../processes/descriptors.ts"
import { sendSignal, signals } from "../processes/signals.ts"
import { alterTask, taskOf } from "./SupervisorState.ts"

const nothing = new Uint8Array(0)

/** Closes stdin; a terminal has no end of input. `force`: at the container's end. */
export const closeInput = (draft: Draft, pid: number, force: boolean): void => {
  const { spec, stdin } = taskOf(draft, pid)
  if (spec.stdio.terminal && !force) return
  if (stdin === 0) return
  alterTask(draft, pid, { stdin: 0 })
  if (draft.pipes.get(stdin) !== undefined) {
    alterPipe(draft, stdin, { writers: pipeAt(draft, stdin).writers - 1 })
  }
}

/** Control characters of a new terminal. */
const control = {
  interrupt: 3, endOfFile: 4, quit: 28, suspend: 26, erase: 127, carriageReturn: 13, newline: 10
} as const

const signalOf: { readonly [code: number]: number } = {
  [control.interrupt]: signals.SIGINT,
  [control.quit]: signals.SIGQUIT,
  [control.suspend]: signals.SIGTSTP
}

const signalSession = (draft: Draft, terminal: number, signal: number): void => {
  const { session } = terminalAt(draft, terminal)
  for (const process of draft.processes.values()) {
    if (process.session === session && process.terminal === terminal) {
      sendSignal(draft, process.pid, signal, "kernel")
    }
  }
}

/** One typed byte: echoed, kept in the line, or acted on (ISIG, ICANON, ECHO, ICRNL). */
const typeByte = (draft: Draft, id: number, typed: number): void => {
  const byte = typed === control.carriageReturn ? control.newline : typed
  const { line, input, output } = terminalAt(draft, id)
  const echo = (text: string) => [...output, new TextEncoder().encode(text)]
  const signal = signalOf[byte]
  if (signal !== undefined) {
    alterTerminal(draft, id, { line: "", output: echo(`^${String.fromCharCode(byte + 64)}`) })
    signalSession(draft, id, signal)
  } else if (byte === control.endOfFile) {
    alterTerminal(draft, id, { line: "", input: [...input, Buffer.from(line, "latin1")] })
  } else if (byte === control.erase) {
    if (line !== "") alterTerminal(draft, id, { line: line.slice(0, -1), output: echo("\b \b") })
  } else if (byte === control.newline) {
    alterTerminal(draft, id, {
      line: "",
      input: [...input, Buffer.from(`${line}\n`, "latin1")],
      output: echo("\r\n")
    })
  } else {
    alterTerminal(draft, id, {
      line: line + String.fromCharCode(byte),
      output: [...output, Uint8Array.of(byte)]
    })
  }
}

/**
 * Writes input; gives what the container has not taken. Nobody who could read it: it is thrown
 * away.
 */
export const writeInput = (draft: Draft, pid: number, data: Uint8Array): Uint8Array => {
  const { spec, stdin, terminal, phase } = taskOf(draft, pid)
  const over = phase === "killing" || phase === "draining" || phase === "flushing"
  if (spec.stdio.terminal) {
    if (terminal === 0) return over || spec.stdio.stdin === "null" ? nothing : data
    if (spec.stdio.stdin !== "null") { for (const byte of data) typeByte(draft, terminal, byte) }
    return nothing
  }
  if (stdin === 0) return nothing
  if (pipeAt(draft, stdin).readers === 0) {
    closeInput(draft, pid, true)
    return nothing
  }
  return data.subarray(fillPipe(draft, stdin, data))
}

/** Before the terminal has come, this is the size it will get. */
export const resizeTerminal = (draft: Draft, pid: number, rows: number, columns: number): void => {
  const { spec, terminal } = taskOf(draft, pid)
  alterTask(draft, pid, { spec: { ...spec, stdio: { ...spec.stdio, rows, columns } } })
  if (terminal === 0) return
  alterTerminal(draft, terminal, { rows, columns })
  signalSession(draft, terminal, signals.SIGWINCH)
}
