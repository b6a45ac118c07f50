/**
 * A simulated host that lives: it holds the current world, performs the operations of its engines
 * on it, lets its time pass with the clock of whoever runs it, and makes operations wait that have
 * to.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import {
  type KernelOp, KernelOps, type KernelTag, type Payload, type Success
} from "../../domain/kernel/KernelOp.ts"
import { type Interpreter, Kernel } from "../../programs/Kernel.ts"
import type { Behaviours } from "./behaviours/Behaviour.ts"
import { builtins } from "./behaviours/builtins.ts"
import { endEngine, startEngine } from "./makeWorld.ts"
import { SimulatedRuntime } from "./SimulatedRuntime.ts"
import { advance, nextTurn, notYet, type Outcome, step } from "./step.ts"
import type { World } from "./World.ts"

export interface SimulationOptions {
  readonly world: World
  /** Besides the built-in ones, and instead of those of the same name. */
  readonly behaviours?: Behaviours
  /** Microseconds an operation takes at most; with a SimulatedRuntime they are drawn. */
  readonly operationCost?: number
}

/** Microseconds: what a quick system call or two cost. */
const defaultCost = 30

/** One operation in so many lets other fibers run before it. */
const yieldOneIn = 4

/**
 * How time is asked and waited for: by a SimulatedRuntime itself, or by whatever clock there is.
 */
interface Timekeeper {
  /** Microseconds in the time of the world. */
  readonly now: () => number
  readonly at: (micros: number, wake: () => void) => () => void
  readonly soon: (task: () => void) => void
  readonly runtime: SimulatedRuntime | undefined
}

/** Whether more than time has passed. */
const differs = (one: World, other: World): boolean => {
  for (const key in one) {
    if (key !== "now" && one[key as keyof World] !== other[key as keyof World]) return true
  }
  return false
}

type AnyFiber = Fiber.Fiber<unknown, unknown>

export class Simulation {
  readonly behaviours: Behaviours
  private readonly cost: number
  private current: World
  /** Who waits for something to change, and by which clock. */
  private readonly waiting = new Map<() => void, Timekeeper>()
  private readonly dead = new Set<number>()
  private readonly timekeepers = new WeakMap<Clock.Clock, Timekeeper>()

  constructor(options: SimulationOptions) {
    this.current = options.world
    this.behaviours = { ...builtins, ...options.behaviours }
    this.cost = options.operationCost ?? defaultCost
  }

  get world(): World {
    return this.current
  }

  /** Changes the world from outside: what a test does to the host behind the engine's back. */
  change(change: (world: World) => World): void {
    this.replace(change(this.current))
  }

  /** Lets all that is due happen until `micros` after now, without waiting for anybody. */
  pass(micros: number): void {
    this.replace(advance(this.current, this.current.now + micros, this.behaviours))
  }

  /**
   * Ends an engine process: its locks and channels go, its operations never return. Supervisors
   * live on.
   */
  kill(engine: number): void {
    this.dead.add(engine)
    this.replace(endEngine(this.current, engine))
  }

  /** A new engine process on this host, until its scope closes. */
  engine(): Effect.Effect<number, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        const [pid, world] = startEngine(this.current)
        this.replace(world)
        return pid
      }),
      (pid) => Effect.sync(() => this.kill(pid))
    )
  }

  /** The handlers of an engine process. */
  interpreter(engine: number): Interpreter {
    const handler = (tag: KernelTag) => (payload: unknown) =>
      this.perform({ tag, payload } as KernelOp, engine)
    return Object.fromEntries(
      (Object.keys(KernelOps) as Array<KernelTag>).map((tag) => [tag, handler(tag)])
    ) as unknown as Interpreter
  }

  /** A kernel for one engine process, which lives as long as the layer. */
  layer(): Layer.Layer<Kernel> {
    return Layer.effect(
      Kernel,
      Effect.map(this.engine(), (pid) => Kernel.make(this.interpreter(pid)))
    )
  }

  perform<T extends KernelTag>(
    op: { readonly tag: T; readonly payload: Payload<T> },
    engine: number
  ): Effect.Effect<Success<T>, KernelError>
  perform(op: KernelOp, engine: number): Effect.Effect<unknown, KernelError> {
    return Effect.withFiber<unknown, KernelError>((fiber) => {
      const time = this.timekeeper(fiber)
      return time.runtime !== undefined && time.runtime.draw(yieldOneIn) === 0
        ? Effect.andThen(Effect.yieldNow, Effect.suspend(() => this.performNow(op, engine, time)))
        : this.performNow(op, engine, time)
    })
  }

  private performNow(
    op: KernelOp,
    engine: number,
    time: Timekeeper
  ): Effect.Effect<unknown, KernelError> {
    if (this.dead.has(engine)) return Effect.never
    time.runtime?.elapse(1 + time.runtime.draw(this.cost))
    const outcome = this.attempt(op, engine, time)
    if (outcome === notYet) return this.wait(op, engine, time)
    return outcome instanceof KernelError ? Effect.fail(outcome) : Effect.succeed(outcome)
  }

  private attempt(op: KernelOp, engine: number, time: Timekeeper): Outcome {
    const before = advance(this.current, time.now(), this.behaviours)
    const [outcome, after] = step(before, op, engine, this.behaviours)
    this.replace(after)
    return outcome
  }

  /** Tries again whenever the world has changed or a process has had its turn. Interruptible. */
  private wait(
    op: KernelOp,
    engine: number,
    time: Timekeeper
  ): Effect.Effect<unknown, KernelError> {
    return Effect.callback<unknown, KernelError>((resume) => {
      let cancel = () => {}
      let over = false
      const stop = () => {
        over = true
        cancel()
        this.waiting.delete(look)
      }
      const arm = () => {
        cancel()
        const next = nextTurn(this.current)
        cancel = next === undefined ? () => {} : time.at(next, look)
      }
      const look = () => {
        if (over) return
        if (this.dead.has(engine)) return stop()
        const outcome = this.attempt(op, engine, time)
        if (outcome === notYet) return arm()
        stop()
        resume(outcome instanceof KernelError ? Effect.fail(outcome) : Effect.succeed(outcome))
      }
      this.waiting.set(look, time)
      arm()
      return Effect.sync(stop)
    })
  }

  /** Takes a new world; everyone who waits looks at it in turn. */
  private replace(world: World): void {
    const { current } = this
    this.current = world
    if (this.waiting.size === 0 || !differs(current, world)) return
    for (const [look, time] of this.waiting) time.soon(() => this.waiting.has(look) && look())
  }

  private timekeeper(fiber: AnyFiber): Timekeeper {
    const clock = fiber.getRef(Clock.Clock)
    const known = this.timekeepers.get(clock)
    if (known !== undefined) return known
    const scheduler = fiber.getRef(Scheduler.Scheduler)
    const made = scheduler instanceof SimulatedRuntime && scheduler.clock === clock
      ? this.virtualTime(scheduler)
      : this.anyTime(clock, fiber.context)
    this.timekeepers.set(clock, made)
    return made
  }

  private virtualTime(runtime: SimulatedRuntime): Timekeeper {
    const ahead = Math.max(0, this.current.now - runtime.now)
    return {
      runtime,
      now: () => runtime.now + ahead,
      at: (micros, wake) => runtime.at(micros - ahead, wake),
      soon: (task) => runtime.schedule(task)
    }
  }

  /** A clock that knows nothing of this: sleeping is a fiber of its own. */
  private anyTime(clock: Clock.Clock, context: Context.Context<never>): Timekeeper {
    const now = () => Number(clock.currentTimeNanosUnsafe() / 1000n)
    const ahead = Math.max(0, this.current.now - now())
    return {
      runtime: undefined,
      now: () => now() + ahead,
      at: (micros, wake) => {
        const left = Math.max(0, micros - ahead - now())
        const sleep = Effect.andThen(
          clock.sleep(Duration.nanos(BigInt(left) * 1000n)),
          Effect.sync(wake)
        )
        const sleeper = Effect.runForkWith(context)(sleep)
        return () => void Effect.runFork(Fiber.interrupt(sleeper))
      },
      soon: (task) => queueMicrotask(task)
    }
  }
}
