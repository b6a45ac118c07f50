/**
 * Follows what clients began and saw to end, and keeps every order of their steps that explains it. When none is left,
 * what was seen cannot have come about.
 */
import { isAtRest, matches, spontaneous, type State } from "./Container.ts"
import type { Seen } from "./perform.ts"
import { beginning, type Call, type Local, stepsOf } from "./Specification.ts"

interface Configuration {
  readonly state: State
  readonly locals: { readonly [call: number]: Local }
}

/** So many ways to explain a history would take too long to follow. */
const limit = 50_000

export class Linearisation {
  private configurations: ReadonlyArray<Configuration> = [{ state: [], locals: {} }]
  private readonly pending = new Map<number, Call>()
  /** Whether engines and supervisors die: a start may fail then. */
  private disturbed = false

  begin(call: Call): void {
    this.pending.set(call.number, call)
    if (call.command._tag === "KillSupervisor") this.disturbed = true
    this.configurations = this.configurations.map(({ locals, state }) => ({ state, locals: { ...locals, [call.number]: beginning } }))
  }

  /** False when its outcome cannot be. */
  end(call: Call): boolean {
    this.explore()
    this.pending.delete(call.number)
    this.keep(this.configurations.flatMap(({ locals, state }) => {
      const { [call.number]: own, ...others } = locals
      return own?.at === "done" ? [{ state, locals: others }] : []
    }))
    return this.configurations.length > 0
  }

  /** The engine of the command dies: it went as far as it did, and a start may come true all the same. */
  crash(call: Call): void {
    this.disturbed = true
    this.explore()
    const mayStart = ["Start", "StartAttached", "Restart"].includes(call.command._tag)
    if (!mayStart) this.pending.delete(call.number)
    this.keep(this.configurations.flatMap(({ locals, state }): ReadonlyArray<Configuration> => {
      const { [call.number]: own, ...others } = locals
      const free = state.map((one) => one.lock === call.number ? { ...one, lock: 0 } : one)
      if (!mayStart) return [{ state: free, locals: others }]
      const ghost: Local = own?.targets[0] === undefined ? { at: "done", targets: [] } : { at: "ghost", targets: own.targets }
      return [{ state: free, locals: { ...others, [call.number]: ghost } }]
    }))
  }

  /** Everything has come to rest, and this is what is there; false when it cannot be. */
  rest(seen: ReadonlyArray<Seen>): boolean {
    this.explore()
    this.keep(this.configurations.filter(({ state }) =>
      isAtRest(state) && state.length === seen.length &&
      state.every((one) => seen.some((other) => other.name === one.name && other.pids === one.pids && matches(other, one)))
    ).map(({ state }) => ({ state, locals: {} })))
    this.pending.clear()
    return this.configurations.length > 0
  }

  /** The states that explain what was seen so far, for a report. */
  explanations(count: number): ReadonlyArray<string> {
    return this.configurations.slice(0, count).map(({ locals, state }) => JSON.stringify({ state, locals }))
  }

  private keep(configurations: ReadonlyArray<Configuration>): void {
    const kept = new Map(configurations.map((one) => [JSON.stringify(one), one]))
    this.configurations = [...kept.values()]
  }

  /** Adds all that may have happened by now. */
  private explore(): void {
    const known = new Map(this.configurations.map((one) => [JSON.stringify(one), one]))
    const left = [...this.configurations]
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      for (const next of this.after(one)) {
        const key = JSON.stringify(next)
        if (known.has(key)) continue
        if (known.size > limit) throw new Error(`more than ${limit} explanations`)
        known.set(key, next)
        left.push(next)
      }
    }
    this.configurations = [...known.values()]
  }

  private after({ locals, state }: Configuration): ReadonlyArray<Configuration> {
    const calls = [...this.pending.values()]
    const recovering = calls.some(({ command }) => command._tag === "Recover")
    return [
      ...spontaneous(state, recovering).map((next) => ({ state: next, locals })),
      ...calls.flatMap((call) =>
        stepsOf(call, locals[call.number]!, state, this.disturbed).map((next) => ({
          state: next.state, locals: { ...locals, [call.number]: next.local }
        })))
    ]
  }
}
