/** Commands that the shell performs itself. */
import { echoed, formatted } from "../applets/printed.ts"
import { kill, numberOfSignal } from "../applets/systemApplets.ts"
import { judge } from "../applets/test.ts"
import type { Waited } from "../Behaviour.ts"
import { act, facts, finished, messageOf, perform } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { Leave, report, say, type ShellState, tellDeath } from "./ShellState.ts"

type Builtin = (state: ShellState, args: ReadonlyArray<string>) => Running<number>

function* changeDirectory(state: ShellState, args: ReadonlyArray<string>): Running<number> {
  const path = args[0] ?? state.variables.get("HOME") ?? "/"
  const target = path === "-" ? state.variables.get("OLDPWD") ?? "/" : path
  const before = (yield* facts()).directory
  const result = yield* perform({ _tag: "ChangeDirectory", path: target })
  if (!result.ok) {
    return yield* report(state, `cd: line 0: can't cd to ${target}: ${messageOf(result.errno)}`, 2)
  }
  state.variables.set("OLDPWD", before)
  state.variables.set("PWD", (yield* facts()).directory)
  return 0
}

const code = (text: string | undefined, otherwise: number): number | undefined =>
  text === undefined ? otherwise : /^\d+$/.test(text) ? Number(text) & 0xff : undefined

function* setTrap(state: ShellState, args: ReadonlyArray<string>): Running<number> {
  const [script = "", ...names] = args
  if (args.length === 0) {
    for (const [signal, one] of state.traps) yield* say(state, `trap -- '${one}' ${signal}\n`)
    return 0
  }
  const [action, wanted] = names.length === 0 ? ["-", [script]] as const : [script, names] as const
  for (const name of wanted) {
    const signal = numberOfSignal(name)
    if (signal === undefined) {
      return yield* report(state, `trap: ${name}: invalid signal specification`, 1)
    }
    if (action === "-") state.traps.delete(signal)
    else state.traps.set(signal, action)
    if (signal !== 0) {
      yield* act({
        _tag: "Handle",
        signal,
        how: action === "-" ? "default" : action === "" ? "ignore" : "catch"
      })
    }
  }
  return 0
}

/** Ends at the first signal with a trap, as POSIX wants. */
function* waitFor(state: ShellState, args: ReadonlyArray<string>): Running<number> {
  const wanted = args.length === 0 ? [...state.jobs] : args.map(Number)
  let status = 0
  for (const pid of wanted) {
    const event = yield { _tag: "Wait" as const, pid, poll: false }
    if (event._tag === "Signal") {
      state.pending.push(event.signal)
      return 128 + event.signal
    }
    state.jobs.delete(pid)
    if (event._tag !== "Done") {
      status = 127
      continue
    }
    const { code, signal } = event.value as Waited
    status = code
    if (args.length > 0 && signal !== 0) yield* tellDeath(state, signal)
  }
  return args.length === 0 ? 0 : status
}

function* readLine(state: ShellState, args: ReadonlyArray<string>): Running<number> {
  const names = args.filter((one) => !one.startsWith("-"))
  while (!state.inputEnds && !state.input.includes("\n")) {
    const piece = yield* perform<Uint8Array>(
      { _tag: "Read", descriptor: 0 },
      (signal) => state.pending.push(signal)
    )
    if (!piece.ok || piece.value.length === 0) break
    state.input += new TextDecoder().decode(piece.value)
  }
  const end = state.input.indexOf("\n")
  const line = end < 0 ? state.input : state.input.slice(0, end)
  state.input = end < 0 ? "" : state.input.slice(end + 1)
  const words = line.trim().split(/[ \t]+/)
  for (const [index, name] of (names.length === 0 ? ["REPLY"] : names).entries()) {
    const last = index === Math.max(0, names.length - 1)
    state.variables.set(name, (last ? words.slice(index).join(" ") : words[index]) ?? "")
  }
  return end < 0 && line === "" ? 1 : 0
}

function* umask(state: ShellState, args: ReadonlyArray<string>): Running<number> {
  if (args.length > 0) return yield* report(state, "umask: the simulated shell only shows it", 1)
  return yield* say(state, `${(yield* facts()).umask.toString(8).padStart(4, "0")}\n`)
}

function* test(state: ShellState, name: string, args: ReadonlyArray<string>): Running<number> {
  const verdict = yield* judge(name, args)
  if (typeof verdict === "boolean") return verdict ? 0 : 1
  return yield* report(state, verdict, 2)
}

const nothing: Builtin = () => finished(0)

export const builtins: { readonly [name: string]: Builtin } = {
  ":": nothing,
  true: nothing,
  false: () => finished(1),
  echo: (state, args) => say(state, echoed(args)),
  printf: (state, args) => say(state, formatted(args)),
  pwd: function*(state) {
    return yield* say(state, `${(yield* facts()).directory}\n`)
  },
  cd: changeDirectory,
  exit: function*(state, args) {
    const status = code(args[0], state.status)
    if (status === undefined) {
      yield* report(state, `exit: line 0: Illegal number: ${args[0]}`, 2)
      throw new Leave("exit", 2)
    }
    throw new Leave("exit", status)
  },
  return: (state, args) => {
    throw new Leave("return", code(args[0], state.status) ?? 2)
  },
  break: (_state, args) => {
    throw new Leave("break", code(args[0], 1) ?? 1)
  },
  continue: (_state, args) => {
    throw new Leave("continue", code(args[0], 1) ?? 1)
  },
  test: (state, args) => test(state, "test", args),
  "[": (state, args) => test(state, "[", args),
  kill: (state, args) =>
    kill(
      args.map((one) => one.startsWith("%") ? String(state.lastBackground) : one),
      `${state.name}`
    ),
  trap: setTrap,
  wait: waitFor,
  read: readLine,
  umask,
  export: (state, args) => {
    for (const one of args) {
      const [name = "", ...value] = one.split("=")
      if (value.length > 0) state.variables.set(name, value.join("="))
      if (!state.variables.has(name)) state.variables.set(name, "")
      state.exported.add(name)
    }
    return finished(0)
  },
  unset: (state, args) => {
    for (const name of args) {
      state.variables.delete(name)
      state.exported.delete(name)
      state.functions.delete(name)
    }
    return finished(0)
  },
  set: (state, args) => {
    for (const [index, one] of args.entries()) {
      if (one === "--" || !/^[-+]/.test(one)) {
        state.positional = args.slice(one === "--" ? index + 1 : index)
        break
      }
      if (one.includes("e")) state.stopsOnError = one.startsWith("-")
    }
    return finished(0)
  },
  shift: (state, args) => {
    const count = code(args[0], 1) ?? 1
    if (count > state.positional.length) return finished(1)
    state.positional = state.positional.slice(count)
    return finished(0)
  },
  ulimit: nothing,
  jobs: nothing
}
