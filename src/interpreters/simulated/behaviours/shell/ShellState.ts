/** What a running shell knows, and how its own commands write. */
import type { Redirection } from "../Behaviour.ts"
import { perform, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import type { Command } from "./Syntax.ts"

const SIGINT = 2
export const SIGQUIT = 3

/** Tells a shell that it stands for one that was forked: no root shell, in the words of ash.c. */
export const forkedOption = "k"

/** Where a descriptor of the shell's own commands goes. */
export type Output = { readonly descriptor: 1 | 2 } | { readonly path: string }

export interface ShellState {
  /** Name in messages, and how another shell is started. */
  readonly name: string
  readonly variables: Map<string, string>
  readonly exported: Set<string>
  positional: ReadonlyArray<string>
  readonly functions: Map<string, Command>
  status: number
  pid: number
  lastBackground: number
  readonly jobs: Set<number>
  /** Scripts by signal number, 0 for EXIT. */
  readonly traps: Map<number, string>
  readonly pending: Array<number>
  stopsOnError: boolean
  /** Conditions are no errors for `set -e`. */
  conditional: number
  outputs: { readonly 1: Output; readonly 2: Output }
  /** Redirections of the constructs around, for programs. */
  redirections: ReadonlyArray<Redirection>
  /** Input of `read` that was taken and not used. */
  input: string
  /** Nothing comes after it: it is that of a file. */
  inputEnds: boolean
}

/** Leaves a construct: thrown inside the evaluation. */
export class Leave {
  readonly kind: "exit" | "break" | "continue" | "return"
  readonly value: number

  constructor(kind: Leave["kind"], value: number) {
    this.kind = kind
    this.value = value
  }
}

/** Writes for a command of the shell itself. */
export function* say(state: ShellState, text: string, descriptor: 1 | 2 = 1): Running<number> {
  const output = state.outputs[descriptor]
  if ("descriptor" in output) yield* write(text, output.descriptor)
  else if (text !== "") {
    const result = yield* perform({
      _tag: "WriteFile",
      path: output.path,
      data: text,
      append: true
    })
    if (!result.ok) return 1
  }
  return 0
}

/** `sh: message` on the standard error; gives `code`. */
export function* report(state: ShellState, message: string, code: number): Running<number> {
  yield* say(state, `${state.name}: ${message}\n`, 2)
  return code
}

/**
 * What is said of a program that a signal ended; interrupts and broken pipes are not worth a word.
 */
const deaths: { readonly [signal: number]: string } = {
  1: "Hangup", 3: "Quit", 6: "Aborted", 9: "Killed", 10: "User defined signal 1",
  11: "Segmentation fault", 15: "Terminated"
}

export function* tellDeath(state: ShellState, signal: number): Running<void> {
  const text = deaths[signal]
  if (text !== undefined) yield* say(state, `${text}\n`, 2)
}

/** The environment of programs. */
export const environmentOf = (state: ShellState, all = false): ReadonlyArray<string> =>
  [...state.variables].filter(([name]) => all || state.exported.has(name)).map(([name, value]) =>
    `${name}=${value}`
  )

/** What a child of the shell sets before it runs: it does not ignore SIGQUIT as the shell itself does. */
export const dispositions = (state: ShellState, background = false): ReadonlyMap<number, "ignore" | "default"> =>
  new Map([SIGINT, SIGQUIT].flatMap((signal): ReadonlyArray<readonly [number, "ignore" | "default"]> =>
    background ? [[signal, "ignore"]] : signal === SIGQUIT && state.traps.get(signal) !== "" ? [[signal, "default"]] : []))
