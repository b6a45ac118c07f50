/**
 * Scheduler and clock in one: among the tasks that are ready one is picked by the seed, and when
 * none is, time jumps to the next sleeper. The same seed gives the same run.
 */
import { nextState, numberOf } from "../../domain/random/mulberry32.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { loadAll } from "../../programs/late.ts"

interface Sleeper {
  readonly at: number
  /** Drawn: sleepers of one moment wake in an order of the seed. */
  readonly tie: number
  readonly wake: () => void
}

export interface RuntimeOptions {
  readonly seed: number
  /** Microseconds since the epoch. */
  readonly now: number
  /**
   * Milliseconds of real time after which a program is given up when nothing is ready and nobody
   * sleeps; 0: never, for programs that also wait for something real.
   */
  readonly patience?: number
}

/** Milliseconds of real time after which the event loop gets its turn. */
const slice = 10

const defaultPatience = 1000

/** Nothing can ever happen again: the program waits for something that nobody will do. */
export class Deadlock extends Error {
  override readonly name = "Deadlock"
}

export class SimulatedRuntime implements Scheduler.Scheduler {
  readonly executionMode = "async" as const
  readonly seed: number
  /** Microseconds since the epoch. */
  now: number
  private readonly patience: number
  private readonly ready: Array<() => void> = []
  private readonly sleepers: Array<Sleeper> = []
  private state: number
  private pumping = false
  private onIdle: (() => void) | undefined
  private idleness: NodeJS.Timeout | undefined

  constructor(options: RuntimeOptions) {
    this.seed = options.seed
    this.now = options.now
    this.patience = options.patience ?? defaultPatience
    this.state = options.seed >>> 0
  }

  /** An integer from 0 to `bound` − 1. */
  draw(bound: number): number {
    this.state = nextState(this.state)
    return numberOf(this.state) % bound
  }

  /** Time that something took; who sleeps until then wakes before anybody else sleeps on. */
  elapse(micros: number): void {
    this.now += micros
  }

  /** Runs a task when it is its turn. */
  schedule(task: () => void): void {
    this.ready.push(task)
    this.kick()
  }

  /** Runs a task at a time, microseconds since the epoch; the result calls that off. */
  at(micros: number, wake: () => void): () => void {
    const sleeper: Sleeper = { at: micros, tie: this.draw(2 ** 30), wake }
    let place = this.sleepers.length
    while (place > 0 && isBefore(sleeper, this.sleepers[place - 1]!)) place--
    this.sleepers.splice(place, 0, sleeper)
    this.kick()
    return () => {
      const index = this.sleepers.indexOf(sleeper)
      if (index >= 0) this.sleepers.splice(index, 1)
    }
  }

  shouldYield(_fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return false
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => this.schedule(task),
      flush: () => this.turns(Number.POSITIVE_INFINITY)
    }
  }

  readonly clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => Math.floor(this.now / 1000),
    currentTimeMillis: Effect.sync(() => Math.floor(this.now / 1000)),
    currentTimeNanosUnsafe: () => BigInt(this.now) * 1000n,
    currentTimeNanos: Effect.sync(() => BigInt(this.now) * 1000n),
    monotonicTimeNanosUnsafe: () => BigInt(this.now) * 1000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(this.now) * 1000n),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        if (!Duration.isFinite(duration)) return
        const cancel = this.at(this.now + Math.round(Duration.toMillis(duration) * 1000), () =>
          resume(Effect.void))
        return Effect.sync(cancel)
      })
  }

  /** Runs a program to its end under this scheduler, this clock, and random numbers of the seed. */
  run<A, E>(effect: Effect.Effect<A, E>): Promise<A> {
    return this.runExit(effect).then((exit) => Effect.runPromise(Effect.suspend(() => exit)))
  }

  /**
   * As `run`, with the exit as a value. Rejects with a Deadlock when nothing can happen any more.
   */
  runExit<A, E>(effect: Effect.Effect<A, E>): Promise<Exit.Exit<A, E>> {
    const context = Context.make(Scheduler.Scheduler, this as Scheduler.Scheduler).pipe(
      Context.add(Clock.Clock, this.clock)
    )
    return loadAll().then(() => new Promise((resolve, reject) => {
      this.onIdle = () =>
        reject(new Deadlock("deadlock: nothing is ready to run and nobody sleeps"))
      Effect.runPromiseExitWith(context as Context.Context<never>)(
        Random.withSeed(effect, this.seed)
      ).then((exit) => {
        this.onIdle = undefined
        clearTimeout(this.idleness)
        resolve(exit)
      }, reject)
    }))
  }

  private kick(): void {
    if (this.pumping) return
    this.pumping = true
    clearTimeout(this.idleness)
    setImmediate(() => this.pump())
  }

  private pump(): void {
    if (this.turns(performance.now() + slice)) {
      this.pumping = false
      this.watchIdleness()
    } else setImmediate(() => this.pump())
  }

  /** Runs tasks until nothing is left (true) or real time is up (false). */
  private turns(until: number): boolean {
    for (let count = 1;; count++) {
      while (this.sleepers.length > 0 && this.sleepers[0]!.at <= this.now) {
        this.ready.push(this.sleepers.shift()!.wake)
      }
      if (this.ready.length > 0) this.take()()
      else if (this.sleepers.length > 0) this.now = Math.max(this.now, this.sleepers[0]!.at)
      else return true
      if (count % 64 === 0 && performance.now() > until) return false
    }
  }

  private take(): () => void {
    const index = this.draw(this.ready.length)
    const task = this.ready[index]!
    const last = this.ready.pop()!
    if (index < this.ready.length) this.ready[index] = last
    return task
  }

  private watchIdleness(): void {
    if (this.patience === 0 || this.onIdle === undefined) return
    this.idleness = setTimeout(() => {
      if (!this.pumping && this.ready.length === 0 && this.sleepers.length === 0) this.onIdle?.()
    }, this.patience)
  }
}

const isBefore = (one: Sleeper, other: Sleeper): boolean =>
  one.at < other.at || (one.at === other.at && one.tie < other.tie)
