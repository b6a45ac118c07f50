/**
 * Programs that the shell starts: alone, in pipelines, in the background, in shells of their own.
 */
import type { Redirection } from "../Behaviour.ts"
import { act, messageOf, perform, spawn, wait } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { dispositions, environmentOf, forkedOption, Leave, report, type ShellState, tellDeath } from "./ShellState.ts"
import type { Command } from "./Syntax.ts"

const keepSignal = (state: ShellState) => (signal: number): void => {
  state.pending.push(signal)
}

export function* notStarted(state: ShellState, name: string, errno: string): Running<number> {
  // ash gives up: ash_msg_and_raise_error()
  if (errno === "EAGAIN") {
    throw new Leave("exit", yield* report(state, `can't fork: ${messageOf(errno)}`, 2))
  }
  return errno === "ENOENT" && !name.includes("/")
    ? yield* report(state, `${name}: not found`, 127)
    : errno === "ENOENT"
    ? yield* report(state, `${name}: not found`, 127)
    : yield* report(state, `${name}: ${messageOf(errno)}`, 126)
}

export function* runProgram(
  state: ShellState,
  argv: ReadonlyArray<string>,
  environment: ReadonlyArray<string>,
  last: boolean
): Running<number> {
  if (last && state.traps.size === 0) {
    const result = yield* perform({
      _tag: "Exec",
      argv,
      environment,
      redirections: state.redirections
    })
    return result.ok ? 0 : yield* notStarted(state, argv[0]!, result.errno)
  }
  const child = yield* spawn(argv, state.redirections, environment, dispositions(state))
  if (!child.ok) return yield* notStarted(state, argv[0]!, child.errno)
  const ended = yield* wait(child.value, keepSignal(state))
  if (ended.ok && ended.value.signal !== 0) yield* tellDeath(state, ended.value.signal)
  return ended.ok ? ended.value.code : 127
}

/** A command as a shell of its own; what is simple is started at once. */
const startAside = (
  state: ShellState,
  command: Command,
  redirections: ReadonlyArray<Redirection>,
  background = false
) =>
  spawn(
    [
      "sh", `-${state.stopsOnError && state.conditional === 0 ? "e" : ""}${forkedOption}c`, command.source,
      state.name, ...state.positional
    ],
    [...state.redirections, ...redirections], environmentOf(state, true), dispositions(state, background)
  )

export function* runPipeline(state: ShellState, commands: ReadonlyArray<Command>): Running<number> {
  const pids: Array<number> = []
  let status = 0
  let before = 0
  for (const [index, command] of commands.entries()) {
    const next = index === commands.length - 1
      ? undefined
      : yield* perform<number>({ _tag: "MakePipe" })
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

export function* runBackground(state: ShellState, command: Command): Running<number> {
  const child = yield* startAside(state, command, [{
    descriptor: 0,
    path: "/dev/null",
    mode: "read"
  }], true)
  if (!child.ok) return yield* notStarted(state, "sh", child.errno)
  state.lastBackground = child.value
  state.jobs.add(child.value)
  return 0
}

export function* runSubshell(state: ShellState, body: Command): Running<number> {
  const child = yield* startAside(state, body, [])
  if (!child.ok) return yield* notStarted(state, "sh", child.errno)
  const ended = yield* wait(child.value, keepSignal(state))
  return ended.ok ? ended.value.code : 127
}
