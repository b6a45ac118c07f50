/** sh(1): the script of -c, of a file, or of the standard input. */
import type { Applet } from "../applets/Applet.ts"
import type { Launch } from "../Behaviour.ts"
import { facts, handle, messageOf, read, readFile, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { evaluate } from "./evaluate.ts"
import { parseScript } from "./parse.ts"
import { forkedOption, Leave, report, type ShellState, SIGQUIT } from "./ShellState.ts"
import { SyntaxFault } from "./Syntax.ts"

const newState = (
  name: string,
  pid: number,
  launch: Launch,
  environment: ReadonlyArray<string>
): ShellState => {
  const variables = new Map(environment.map((one) => {
    const at = one.indexOf("=")
    return [one.slice(0, at), one.slice(at + 1)] as const
  }))
  return {
    name,
    pid,
    variables,
    exported: new Set(variables.keys()),
    positional: launch.argv,
    functions: new Map(),
    status: 0,
    lastBackground: 0,
    jobs: new Set(),
    traps: new Map(),
    pending: [],
    stopsOnError: false,
    conditional: 0,
    outputs: { 1: { descriptor: 1 }, 2: { descriptor: 2 } },
    redirections: [],
    input: "",
    inputEnds: false
  }
}

/** Runs a script; its exit code, or `undefined` when it came to its end. */
function* runScript(state: ShellState, text: string, last: boolean): Running<number | undefined> {
  try {
    yield* evaluate(state, parseScript(text), last)
    return undefined
  } catch (cause) {
    if (cause instanceof Leave) return cause.value
    if (cause instanceof SyntaxFault) return yield* report(state, cause.message, 2)
    throw cause
  }
}

function* exitTrap(state: ShellState, status: number): Running<number> {
  const script = state.traps.get(0)
  if (script === undefined) return status
  state.traps.delete(0)
  state.status = status
  return (yield* runScript(state, script, false)) ?? status
}

const isIncomplete = (text: string): boolean => {
  try {
    parseScript(text)
    return false
  } catch (cause) {
    return cause instanceof SyntaxFault && cause.incomplete
  }
}

/** Line by line; a prompt on a terminal. */
function* runInput(state: ShellState, interactive: boolean): Running<number> {
  let waiting = ""
  for (;;) {
    while (state.input.includes("\n")) {
      const end = state.input.indexOf("\n") + 1
      waiting += state.input.slice(0, end)
      state.input = state.input.slice(end)
      if (isIncomplete(waiting)) continue
      const text = waiting
      waiting = ""
      const status = yield* runScript(state, text, false)
      if (status === undefined) continue
      if (!interactive || status !== 2) return status
    }
    if (interactive) {
      yield* write(
        waiting === ""
          ? `${(yield* facts()).directory} ${(yield* facts()).uid === 0 ? "#" : "$"} `
          : "> ",
        2
      )
    }
    const piece = yield* read()
    if (piece.length > 0) {
      state.input += new TextDecoder().decode(piece)
      continue
    }
    const rest = waiting + state.input
    if (interactive) yield* write("\n", 2)
    return rest.trim() === "" ? state.status : (yield* runScript(state, rest, true)) ?? state.status
  }
}

export const shell: Applet = function*(args, launch) {
  const own = yield* facts()
  const name = launch.argv[0]?.split("/").at(-1) === "busybox"
    ? "sh"
    : launch.argv[0]?.split("/").at(-1) ?? "sh"
  const state = newState(name, own.pid, { ...launch, argv: [] }, launch.environment)
  let rest = [...args]
  let script: string | undefined
  let forked = false
  while (rest[0]?.startsWith("-") === true) {
    const option = rest.shift()!
    if (option.includes("e")) state.stopsOnError = true
    if (option.includes(forkedOption)) forked = true
    if (!option.includes("c")) continue
    script = rest.shift() ?? ""
    break
  }
  // setsignal() in ash.c: the root shell ignores it whatever it runs
  if (!forked) yield* handle(SIGQUIT, "ignore")
  if (script !== undefined) {
    state.positional = rest.slice(1)
    const status = yield* runScript(state, script, true)
    return yield* exitTrap(state, status ?? state.status)
  }
  if (rest[0] === undefined) {
    return yield* exitTrap(state, yield* runInput(state, own.stdio[0] === "Terminal"))
  }
  const file = yield* readFile(rest[0])
  if (!file.ok) {
    return yield* report(
      state,
      `can't open '${rest[0]}': ${messageOf(file.errno)}`,
      file.errno === "ENOENT" ? 2 : 126
    )
  }
  Object.assign(state, { name: rest[0], positional: rest.slice(1) })
  const status = yield* runScript(state, new TextDecoder().decode(file.value), true)
  return yield* exitTrap(state, status ?? state.status)
}
