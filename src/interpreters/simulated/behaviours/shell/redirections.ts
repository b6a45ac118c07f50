/** Redirections of a command: for the programs it starts, and for what the shell does itself. */
import type { Redirection } from "../Behaviour.ts"
import { errnoOf, messageOf, readFile } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { expandText } from "./expand.ts"
import { type Output, report, type ShellState } from "./ShellState.ts"
import type { Redirect } from "./Syntax.ts"

/** What redirections mean for programs, and for the shell's own commands. */
interface Opened {
  readonly redirections: ReadonlyArray<Redirection>
  readonly outputs: ShellState["outputs"]
  /** Content of a file that `read` reads, as far as it was not read yet. */
  readonly input: string
  readonly inputEnds: boolean
}

/** errmsg() of ash */
const isMissing = (errno: string): boolean => errno === "ENOENT" || errno === "ENOTDIR"

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
        const reason = isMissing(found.errno) ? "no such file" : messageOf(found.errno)
        yield* report(state, `can't open ${path}: ${reason}`, 1)
        return undefined
      }
      redirections = [...redirections, { descriptor, path, mode: "read" }]
      input = found.ok ? new TextDecoder().decode(found.value) : ""
      inputEnds = true
      continue
    }
    const own = /^\/dev\/std(out|err)$/.exec(path)
    if (own === null) {
      const append = operator === ">>"
      const errno = yield* errnoOf({ _tag: "WriteFile", path, data: "", append })
      if (errno !== undefined) {
        const reason = isMissing(errno) ? "nonexistent directory" : messageOf(errno)
        yield* report(state, `can't create ${path}: ${reason}`, 1)
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

/** Runs `body` under redirections; `unopened` is the status when they can't be had. */
export function* under(
  state: ShellState,
  redirects: ReadonlyArray<Redirect>,
  body: () => Running<number>,
  unopened = 1
): Running<number> {
  if (redirects.length === 0) return yield* body()
  const opened = yield* open(state, redirects)
  if (opened === undefined) return unopened
  const before: Opened = {
    redirections: state.redirections,
    outputs: state.outputs,
    input: state.input,
    inputEnds: state.inputEnds
  }
  Object.assign(state, opened)
  try {
    return yield* body()
  } finally {
    const readsOn = !redirects.some((one) => one.operator === "<")
    Object.assign(state, before, readsOn ? { input: state.input } : {})
  }
}
