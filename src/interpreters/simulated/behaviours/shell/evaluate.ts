/** Runs the tree of a script: programs are started and waited for, traps run between commands. */
import type { Redirection } from "../Behaviour.ts"
import { act, messageOf, perform, readFile, spawn, wait } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { builtins } from "./builtins.ts"
import { expandFields, expandText, patternOf } from "./expand.ts"
import { parseScript } from "./parse.ts"
import { environmentOf, Leave, type Output, report, type ShellState, tellDeath } from "./ShellState.ts"
import type { Command, Redirect } from "./Syntax.ts"

const keepSignal = (state: ShellState) => (signal: number): void => {
  state.pending.push(signal)
}

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

/** What redirections mean for programs, and for the shell's own commands. */
interface Opened {
  readonly redirections: ReadonlyArray<Redirection>
  readonly outputs: ShellState["outputs"]
  /** Content of a file that `read` reads, as far as it was not read yet. */
  readonly input: string
  readonly inputEnds: boolean
}

/** Opens the files of redirections; `undefined` after a message when one can't be. */
function* open(state: ShellState, redirects: ReadonlyArray<Redirect>): Running<Opened | undefined> {
  let { redirections, outputs, input, inputEnds } = state
  for (const { descriptor, operator, target } of redirects) {
    const path = yield* expandText(state, target)
    if (operator === "&") {
      const from = Number(path) as 0 | 1 | 2
      redirections = [...redirections, { descriptor, from }]
      if (descriptor !== 0 && from !== 0) outputs = { ...outputs, [descriptor]: outputs[from] }
      continue
    }
    if (operator === "<") {
      const found = yield* readFile(path)
      if (!found.ok && found.errno !== "EISDIR") {
        yield* report(state, `can't open ${path}: ${found.errno === "ENOENT" ? "no such file" : messageOf(found.errno)}`, 1)
        return undefined
      }
      redirections = [...redirections, { descriptor, path, mode: "read" }]
      input = found.ok ? new TextDecoder().decode(found.value) : ""
      inputEnds = true
      continue
    }
    const own = /^\/dev\/std(out|err)$/.exec(path)
    if (own === null) {
      const result = yield* perform({ _tag: "WriteFile", path, data: "", append: operator === ">>" })
      if (!result.ok) {
        yield* report(state, `can't create ${path}: ${result.errno === "ENOENT" ? "nonexistent directory" : messageOf(result.errno)}`, 1)
        return undefined
      }
    }
    const output: Output = own === null ? { path } : outputs[own[1] === "out" ? 1 : 2]
    // Opened and emptied above: whoever writes now goes on at the end
    redirections = [...redirections, { descriptor, path, mode: "append" }]
    if (descriptor !== 0) outputs = { ...outputs, [descriptor]: output }
  }
  return { redirections, outputs, input, inputEnds }
}

/** Runs `body` under redirections. */
function* under(state: ShellState, redirects: ReadonlyArray<Redirect>, body: () => Running<number>): Running<number> {
  if (redirects.length === 0) return yield* body()
  const opened = yield* open(state, redirects)
  if (opened === undefined) return 1
  const before: Opened = {
    redirections: state.redirections, outputs: state.outputs, input: state.input, inputEnds: state.inputEnds
  }
  Object.assign(state, opened)
  try {
    return yield* body()
  } finally {
    const readsOn = !redirects.some((one) => one.operator === "<")
    Object.assign(state, before, readsOn ? { input: state.input } : {})
  }
}

function* notStarted(state: ShellState, name: string, errno: string): Running<number> {
  if (errno === "EAGAIN") return yield* report(state, `can't fork: ${messageOf(errno)}`, 2)
  return errno === "ENOENT" && !name.includes("/")
    ? yield* report(state, `${name}: not found`, 127)
    : errno === "ENOENT"
    ? yield* report(state, `${name}: not found`, 127)
    : yield* report(state, `${name}: ${messageOf(errno)}`, 126)
}

function* runProgram(state: ShellState, argv: ReadonlyArray<string>, environment: ReadonlyArray<string>, last: boolean): Running<number> {
  if (last && state.traps.size === 0) {
    const result = yield* perform({ _tag: "Exec", argv, environment, redirections: state.redirections })
    return result.ok ? 0 : yield* notStarted(state, argv[0]!, result.errno)
  }
  const child = yield* spawn(argv, state.redirections, environment)
  if (!child.ok) return yield* notStarted(state, argv[0]!, child.errno)
  const ended = yield* wait(child.value, keepSignal(state))
  if (ended.ok && ended.value.signal !== 0) yield* tellDeath(state, ended.value.signal)
  return ended.ok ? ended.value.code : 127
}

function* runFunction(state: ShellState, body: Command, args: ReadonlyArray<string>): Running<number> {
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
  const result = yield* perform({ _tag: "Exec", argv, environment: environmentOf(state), redirections: state.redirections })
  if (result.ok) return 0
  throw new Leave("exit", yield* notStarted(state, argv[0]!, result.errno))
}

function* runSimple(state: ShellState, command: Extract<Command, { readonly _tag: "Simple" }>, last: boolean): Running<number> {
  const argv: Array<string> = []
  for (const word of command.words) argv.push(...(yield* expandFields(state, word)))
  const assigned: Array<readonly [string, string]> = []
  for (const [name, word] of command.assignments) assigned.push([name, yield* expandText(state, word)])
  const [name, ...args] = argv
  if (name === undefined) {
    for (const [variable, value] of assigned) state.variables.set(variable, value)
    return yield* under(state, command.redirects, function*() {
      return command.assignments.some(([, word]) => word.some((part) => part._tag === "Substitution")) ? state.status : 0
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
    const environment = [...environmentOf(state).filter((one) => !assigned.some(([variable]) => one.startsWith(`${variable}=`))), ...extra]
    return runProgram(state, argv, environment, last)
  })
}

/** A command as a shell of its own; what is simple is started at once. */
const startAside = (state: ShellState, command: Command, redirections: ReadonlyArray<Redirection>) =>
  spawn(["sh", "-c", command.source, state.name, ...state.positional], [...state.redirections, ...redirections], environmentOf(state, true))

function* runPipeline(state: ShellState, commands: ReadonlyArray<Command>): Running<number> {
  const pids: Array<number> = []
  let status = 0
  let before = 0
  for (const [index, command] of commands.entries()) {
    const next = index === commands.length - 1 ? undefined : yield* perform<number>({ _tag: "MakePipe" })
    const pipe = next?.ok === true ? next.value : 0
    const child = yield* startAside(state, command, [
      ...(before === 0 ? [] : [{ descriptor: 0 as const, pipe: before, end: "read" as const }]),
      ...(pipe === 0 ? [] : [{ descriptor: 1 as const, pipe, end: "write" as const }])
    ])
    if (before !== 0) yield* act({ _tag: "ClosePipe", pipe: before })
    before = pipe
    if (child.ok) pids.push(child.value)
    else status = yield* notStarted(state, "sh", child.errno)
  }
  for (const pid of pids) {
    const ended = yield* wait(pid, keepSignal(state))
    if (ended.ok && pid === pids.at(-1)) status = ended.value.code
  }
  return status
}

function* runBackground(state: ShellState, command: Command): Running<number> {
  const child = yield* startAside(state, command, [{ descriptor: 0, path: "/dev/null", mode: "read" }])
  if (!child.ok) return yield* notStarted(state, "sh", child.errno)
  state.lastBackground = child.value
  state.jobs.add(child.value)
  return 0
}

/** Whether a loop goes on after its body was left by break or continue. */
const goesOn = (leave: unknown): boolean => {
  if (!(leave instanceof Leave) || (leave.kind !== "break" && leave.kind !== "continue")) throw leave
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

function* runLoop(state: ShellState, command: Extract<Command, { readonly _tag: "While" }>): Running<number> {
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

function* runFor(state: ShellState, command: Extract<Command, { readonly _tag: "For" }>): Running<number> {
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

function* runSubshell(state: ShellState, body: Command): Running<number> {
  const child = yield* startAside(state, body, [])
  if (!child.ok) return yield* notStarted(state, "sh", child.errno)
  const ended = yield* wait(child.value, keepSignal(state))
  return ended.ok ? ended.value.code : 127
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
      const status = command.commands.length > 1 ? yield* runPipeline(state, command.commands) : Number(!(yield* condition(state, only!)))
      return command.negated ? Number(status === 0) : status
    }
    case "Background":
      return yield* runBackground(state, command.command)
    case "Group":
      return yield* under(state, command.redirects, () =>
        command.subshell ? runSubshell(state, command.body) : evaluate(state, command.body, last && command.redirects.length === 0))
    case "If": {
      for (const [test, body] of command.branches) if (yield* condition(state, test)) return yield* evaluate(state, body, last)
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
          if (patternOf(yield* expandText(state, pattern)).test(subject)) return yield* evaluate(state, body, last)
        }
      }
      return 0
    }
    case "Function":
      state.functions.set(command.name, command.body)
      return 0
  }
}

/** Runs a command; its status is `$?` afterwards. `last`: nothing comes after it, so a program may take the shell's place. */
export function* evaluate(state: ShellState, command: Command, last: boolean): Running<number> {
  state.status = yield* run(state, command, last)
  yield* runTraps(state)
  const simple = command._tag === "Simple" || command._tag === "Pipeline"
  if (simple && state.stopsOnError && state.status !== 0 && state.conditional === 0) throw new Leave("exit", state.status)
  return state.status
}
