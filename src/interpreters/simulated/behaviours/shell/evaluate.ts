/** Runs the tree of a script: programs are started and waited for, traps run between commands. */
import { act, finished, perform } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { builtins } from "./builtins.ts"
import { expandFields, expandText, patternOf } from "./expand.ts"
import { parseScript } from "./parse.ts"
import { under } from "./redirections.ts"
import { environmentOf, Leave, type ShellState } from "./ShellState.ts"
import { notStarted, runBackground, runPipeline, runProgram, runSubshell } from "./startProgram.ts"
import type { Command } from "./Syntax.ts"

/** Runs the scripts of signals that came meanwhile. */
function* runTraps(state: ShellState): Running<void> {
  if (state.traps.size === 0) return
  const more = yield* perform<ReadonlyArray<number>>({ _tag: "TakeSignals" })
  if (more.ok) state.pending.push(...more.value)
  for (let signal = state.pending.shift(); signal !== undefined; signal = state.pending.shift()) {
    const script = state.traps.get(signal)
    if (script === undefined) continue
    const status = state.status
    yield* evaluate(state, parseScript(script), false)
    state.status = status
  }
}

function* runFunction(
  state: ShellState,
  body: Command,
  args: ReadonlyArray<string>
): Running<number> {
  const before = state.positional
  state.positional = args
  try {
    return yield* evaluate(state, body, false)
  } catch (leave) {
    if (leave instanceof Leave && leave.kind === "return") return leave.value
    throw leave
  } finally {
    state.positional = before
  }
}

function* runExec(state: ShellState, argv: ReadonlyArray<string>): Running<number> {
  if (argv.length === 0) {
    yield* act({ _tag: "Redirect", redirections: state.redirections })
    return 0
  }
  const result = yield* perform({
    _tag: "Exec",
    argv,
    environment: environmentOf(state),
    redirections: state.redirections
  })
  if (result.ok) return 0
  throw new Leave("exit", yield* notStarted(state, argv[0]!, result.errno))
}

function* runSimple(
  state: ShellState,
  command: Extract<Command, { readonly _tag: "Simple" }>,
  last: boolean
): Running<number> {
  const argv: Array<string> = []
  for (const word of command.words) argv.push(...(yield* expandFields(state, word)))
  const assigned: Array<readonly [string, string]> = []
  for (const [name, word] of command.assignments) {
    assigned.push([name, yield* expandText(state, word)])
  }
  const [name, ...args] = argv
  if (name === undefined) {
    for (const [variable, value] of assigned) state.variables.set(variable, value)
    return yield* under(state, command.redirects, () => {
      const substituted = command.assignments.some(([, word]) =>
        word.some((part) => part._tag === "Substitution")
      )
      return finished(substituted ? state.status : 0)
    })
  }
  return yield* under(state, command.redirects, () => {
    const body = state.functions.get(name)
    if (body !== undefined) return runFunction(state, body, args)
    if (name === "exec") return runExec(state, args)
    if (name === "eval") return evaluate(state, parseScript(args.join(" ")), false)
    if (name === "command") return runProgram(state, args, environmentOf(state), last)
    const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined
    if (builtin !== undefined) return builtin(state, args)
    const extra = assigned.map(([variable, value]) => `${variable}=${value}`)
    const environment = [
      ...environmentOf(state).filter((one) =>
        !assigned.some(([variable]) => one.startsWith(`${variable}=`))
      ),
      ...extra
    ]
    return runProgram(state, argv, environment, last)
  })
}

/** Whether a loop goes on after its body was left by break or continue. */
const goesOn = (leave: unknown): boolean => {
  if (!(leave instanceof Leave) || (leave.kind !== "break" && leave.kind !== "continue")) {
    throw leave
  }
  if (leave.value > 1) throw new Leave(leave.kind, leave.value - 1)
  return leave.kind === "continue"
}

function* condition(state: ShellState, command: Command): Running<boolean> {
  state.conditional++
  try {
    return (yield* evaluate(state, command, false)) === 0
  } finally {
    state.conditional--
  }
}

function* runLoop(
  state: ShellState,
  command: Extract<Command, { readonly _tag: "While" }>
): Running<number> {
  let status = 0
  while ((yield* condition(state, command.condition)) !== command.until) {
    try {
      status = yield* evaluate(state, command.body, false)
    } catch (leave) {
      if (!goesOn(leave)) break
    }
  }
  return status
}

function* runFor(
  state: ShellState,
  command: Extract<Command, { readonly _tag: "For" }>
): Running<number> {
  let status = 0
  const values: Array<string> = []
  for (const word of command.words ?? []) values.push(...(yield* expandFields(state, word)))
  for (const value of command.words === undefined ? state.positional : values) {
    state.variables.set(command.name, value)
    try {
      status = yield* evaluate(state, command.body, false)
    } catch (leave) {
      if (!goesOn(leave)) break
    }
  }
  return status
}

function* run(state: ShellState, command: Command, last: boolean): Running<number> {
  switch (command._tag) {
    case "Simple":
      return yield* runSimple(state, command, last)
    case "Sequence": {
      let status = 0
      for (const [index, one] of command.commands.entries()) {
        status = yield* evaluate(state, one, last && index === command.commands.length - 1)
      }
      return status
    }
    case "AndOr": {
      state.conditional++
      const left = yield* evaluate(state, command.left, false)
      state.conditional--
      return (left === 0) === command.and ? yield* evaluate(state, command.right, last) : left
    }
    case "Pipeline": {
      const [only] = command.commands
      const status = command.commands.length > 1
        ? yield* runPipeline(state, command.commands)
        : Number(!(yield* condition(state, only!)))
      return command.negated ? Number(status === 0) : status
    }
    case "Background":
      return yield* runBackground(state, command.command)
    case "Group":
      // A shell of its own fails to open its files itself, and exits with 2
      return yield* under(state, command.redirects, () =>
        command.subshell
          ? runSubshell(state, command.body)
          : evaluate(state, command.body, last && command.redirects.length === 0), command.subshell ? 2 : 1)
    case "If": {
      for (const [test, body] of command.branches) {
        if (yield* condition(state, test)) return yield* evaluate(state, body, last)
      }
      return command.otherwise === undefined ? 0 : yield* evaluate(state, command.otherwise, last)
    }
    case "While":
      return yield* runLoop(state, command)
    case "For":
      return yield* runFor(state, command)
    case "Case": {
      const subject = yield* expandText(state, command.subject)
      for (const [patterns, body] of command.cases) {
        for (const pattern of patterns) {
          if (patternOf(yield* expandText(state, pattern)).test(subject)) {
            return yield* evaluate(state, body, last)
          }
        }
      }
      return 0
    }
    case "Function":
      state.functions.set(command.name, command.body)
      return 0
  }
}

/**
 * Runs a command; its status is `$?` afterwards. `last`: nothing comes after it, so a program may
 * take the shell's place.
 */
export function* evaluate(state: ShellState, command: Command, last: boolean): Running<number> {
  state.status = yield* run(state, command, last)
  yield* runTraps(state)
  const simple = command._tag === "Simple" || (command._tag === "Pipeline" && !command.negated)
  if (simple && state.stopsOnError && state.status !== 0 && state.conditional === 0) {
    throw new Leave("exit", state.status)
  }
  return state.status
}
