/** Runs a scenario on a simulated host: each client is an engine process of its own; what they saw must be explained. */
import { Deferred, Effect, Exit, Layer, Option, Scope } from "effect"
import type { Engine } from "../../../src/programs/Engine.ts"
import { Engine as EngineService } from "../../../src/programs/Engine.ts"
import { Kernel, type Middleware } from "../../../src/programs/Kernel.ts"
import {
  brokenInvariants, crashing, namesUnique, runtimeFor, simulate, type Simulation, type SimulatedRuntime, type World
} from "../../../src/testing/index.ts"
import { config, engineLayer, left } from "../SimulatedEngine.ts"
import { type Command, type Crash, type Round, type Scenario, showCommand, showScenario } from "./Command.ts"
import { Linearisation } from "./Linearisation.ts"
import { type Outcome, perform, type Seen, showOutcome, showSeen } from "./perform.ts"
import type { Call } from "./Specification.ts"

type Event =
  | { readonly _tag: "Begin" | "End" | "Crash"; readonly call: Call; readonly client: number }
  | { readonly _tag: "Rest"; readonly seen: ReadonlyArray<Seen> }

const showEvent = (event: Event): string => {
  if (event._tag === "Rest") return `at rest: ${event.seen.map(showSeen).join(" ")}`
  const { call, client } = event
  const what = `client ${client}: ${showCommand(call.command)}`
  if (event._tag === "Begin") return `${what} …`
  return event._tag === "Crash" ? `${what} → its engine died` : `${what} → ${showOutcome(call.outcome!)}`
}

class Failure extends Error {
  override readonly name = "Failure"
}

/** Virtual microseconds in which what is about to end has ended. */
const settling = 10_000_000

/** Virtual time that a round may take. */
const patience = "10 minutes"

/** Who looks at the host between rounds. */
const observer = -1

class Run {
  private readonly scenario: Scenario
  private readonly simulation: Simulation
  private readonly runtime: SimulatedRuntime
  private readonly events: Array<Event> = []
  private count = 0
  private disturbed = false

  constructor(scenario: Scenario, boot: World) {
    this.scenario = scenario
    this.simulation = simulate({ world: boot })
    this.runtime = runtimeFor(this.simulation, scenario.schedule)
  }

  async toEnd(): Promise<void> {
    const boot = this.simulation.world
    await this.runtime.run(Effect.scoped(Effect.gen({ self: this }, function*() {
      for (const round of this.scenario.rounds) {
        yield* this.round(round)
        yield* this.rest()
      }
      yield* this.asObserver(removeAll)
    }))).catch((error: unknown) => {
      if (error instanceof Failure) throw error
      this.fail(String(error))
    })
    this.explain()
    this.expectNothing("left behind", left(boot, this.simulation).map(({ kind, what }) => `${kind}: ${what}`))
  }

  private fail(problem: string, upTo = this.events.length): never {
    const shown = this.events.slice(0, upTo).map((event) => `  ${showEvent(event)}`)
    throw new Failure(`${problem}\n\n${showScenario(this.scenario)}\n\nwhat was seen:\n${shown.join("\n")}\n`)
  }

  private expectNothing(problem: string, found: ReadonlyArray<string>): void {
    if (found.length > 0) this.fail(`${problem}: ${found.join("; ")}`)
  }

  /** Operations of the clients meet in many ways: each may wait for others, or a little. */
  private readonly dawdling: Middleware = (next) => (tag, payload) =>
    Effect.suspend(() => {
      const drawn = this.runtime.draw(16)
      if (drawn < 8) return next(tag, payload)
      const pause = drawn < 13 ? Effect.yieldNow : Effect.sleep(`${1 + this.runtime.draw(3000)} micros`)
      return Effect.andThen(pause, Effect.suspend(() => next(tag, payload)))
    })

  private engine(pid: number, ...middlewares: ReadonlyArray<Middleware>) {
    return engineLayer(middlewares.reduceRight<Layer.Layer<Kernel>>(
      (inner, one) => Layer.provide(Layer.fresh(Kernel.around(one)), inner), Kernel.layer(this.simulation.interpreter(pid))
    ))
  }

  private perform(
    client: number, command: Command, onBegin: (call: Call) => void = () => {}, isDead = () => false
  ): Effect.Effect<Outcome, never, Engine | Kernel> {
    return Effect.gen({ self: this }, function*() {
      const call: Call = { number: ++this.count, command, outcome: undefined }
      this.events.push({ _tag: "Begin", call, client })
      onBegin(call)
      const outcome = yield* perform(command)
      // No line of a dead process runs, though a clock of ours may have waited for it
      if (isDead()) return yield* Effect.never
      call.outcome = outcome
      this.events.push({ _tag: "End", call, client })
      if (call.outcome._tag === "Broken") this.fail("a failure that is not in the engine's words")
      this.expectNothing("names", namesUnique(this.simulation.world))
      return call.outcome
    })
  }

  /** All commands of a client, by an engine that lives as long, unless it dies. */
  private client(client: number, commands: ReadonlyArray<Command>, crash: Crash | undefined) {
    return Effect.gen({ self: this }, function*() {
      const scope = yield* Scope.make()
      const pid = yield* Scope.provide(this.simulation.engine(), scope)
      const over = yield* Deferred.make<Exit.Exit<void>>()
      let current: Call | undefined
      let dead = false
      const onCrash = Effect.suspend(() => {
        this.disturbed = dead = true
        if (current !== undefined && current.outcome === undefined) this.events.push({ _tag: "Crash", call: current, client })
        this.simulation.kill(pid)
        return Effect.asVoid(Deferred.succeed(over, Exit.void))
      })
      const dying = crash?.client === client ? [crashing({ ...crash, onCrash, afterwards: "hang" })] : []
      const all = Effect.forEach(commands, (command) => this.perform(client, command, (call) => {
        current = call
      }, () => dead), { discard: true })
      yield* Effect.forkDetach(Effect.flatMap(
        Effect.exit(Effect.provide(all, this.engine(pid, this.dawdling, ...dying))), (exit) => Deferred.succeed(over, exit)
      ))
      yield* yield* Deferred.await(over)
      const held = this.simulation.world.handles.values().filter((one) => one.owner === pid)
      this.expectNothing(`client ${client} still holds`, held.map((one) => one._tag))
      yield* Scope.close(scope, Exit.void)
    })
  }

  private round({ clients, crash }: Round) {
    return Effect.gen({ self: this }, function*() {
      this.disturbed ||= clients.flat().some(({ _tag }) => _tag === "KillSupervisor")
      const all = Effect.forEach(clients, (commands, client) => this.client(client, commands, crash), {
        concurrency: "unbounded", discard: true
      })
      const ended = yield* Effect.timeoutOption(all, patience)
      if (Option.isNone(ended)) this.fail("it hangs")
    })
  }

  private asObserver<A, E>(effect: Effect.Effect<A, E, Engine | Kernel>): Effect.Effect<A, E> {
    return Effect.scoped(Effect.flatMap(this.simulation.engine(), (pid) => Effect.provide(effect, this.engine(pid))))
  }

  /** After whatever happened to engines and supervisors an engine is started, which recovers; then all must agree. */
  private rest() {
    return Effect.gen({ self: this }, function*() {
      yield* Effect.sleep(`${settling} micros`)
      this.simulation.pass(0)
      yield* this.look()
      if (this.disturbed) {
        yield* this.perform(observer, { _tag: "Recover" })
        yield* this.look()
      }
      const engine = yield* EngineService
      const disagreements = yield* engine.check({ repair: false })
      this.expectNothing("records and kernel disagree", disagreements.map(({ object, problem }) => `${object}: ${problem}`))
      this.expectNothing("the model", brokenInvariants(this.simulation.world).map(({ kind, what }) => `${kind}: ${what}`))
    }).pipe((looking) => this.asObserver(looking as Effect.Effect<void, unknown, Engine | Kernel>))
  }

  private look() {
    return Effect.map(perform({ _tag: "List" }), (outcome) => {
      const seen = outcome._tag === "Done" ? outcome.seen ?? [] : this.fail(showOutcome(outcome))
      this.events.push({ _tag: "Rest", seen })
    })
  }

  /** Whether some order of the steps of all commands gives what they saw. */
  private explain(): void {
    const linearisation = new Linearisation()
    for (const [index, event] of this.events.entries()) {
      const before = linearisation.explanations(3)
      const explained = event._tag === "Rest" ? linearisation.rest(event.seen)
        : event._tag === "End" ? linearisation.end(event.call)
        : event._tag === "Begin" ? (linearisation.begin(event.call), true)
        : (linearisation.crash(event.call), true)
      if (!explained) this.fail(`no order of the commands explains the last line; before it, among others:\n${before.join("\n")}`, index + 1)
    }
  }
}

/** Without recovery, unless it was disturbed; each name is free again. */
const removeAll = Effect.gen(function*() {
  const engine = yield* EngineService
  for (const { record } of yield* engine.list) yield* engine.remove(record.id, { force: true })
  for (const name of ["n1", "n2", "n3"]) {
    yield* engine.create(config(["true"]), name)
    yield* engine.remove(name, { force: false })
  }
})

/** Rejects, with the scenario and all that was seen, when anything does not hold. */
export const runScenario = (scenario: Scenario, boot: World): Promise<void> => new Run(scenario, boot).toEnd()
