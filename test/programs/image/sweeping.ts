/** Runs a scenario again and again, disturbed at each of its operations, and looks at every host that came of it once. */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Option } from "effect"
import type { KernelTag } from "../../../src/domain/kernel/KernelOp.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Kernel, type Middleware } from "../../../src/programs/Kernel.ts"
import {
  encodeWorld, faulty, possibleErrnos, reboot, runtimeFor, type Simulation, simulate, untilCrash, type World
} from "../../../src/testing/index.ts"
import { interruptible, type Interruption } from "../../simulation/interruptedAt.ts"
import { type ImageBench, imageBench } from "./imageBench.ts"
import { booted, expectWhole, published, type Scenario } from "./scenarios.ts"

/** `FX_SWEEP=all`: every operation fails in every way it can, and every recovery is cut short; that takes half an hour. */
const everything = process.env["FX_SWEEP"] === "all"

/** No scenario has so many operations. */
const limit = 600

/** A host but for its clock and for the numbers that it would give next: what two such have in common, so have their futures. */
const lasting = (world: World): string =>
  createHash("sha256").update(encodeWorld({ ...world, now: 0, random: 0, nextId: 0, nextInode: 0, nextDevice: 0 })).digest("base64")

/** Virtual time after which a command does not return any more. */
const patience = "60 seconds"

/** close(2) lets go whatever it returns: such a fault comes after the effect. */
const closing: ReadonlySet<KernelTag> = new Set<KernelTag>(["LockRelease", "ArchiveClose", "BlobClose", "ChannelClose"])

/** A flock(2) that fails has taken nothing: such a fault comes before the effect. */
const locking: ReadonlySet<KernelTag> = new Set<KernelTag>(["LockAcquire", "LockTry"])

const momentsOf = (tag: KernelTag): ReadonlyArray<"before" | "after"> =>
  closing.has(tag) ? ["after"] : locking.has(tag) ? ["before"] : ["before", "after"]

const recover: Scenario["program"] = Engine.use((engine) => engine.recover)

/** Whose result is a handle: when it is lost, nobody can close what it is of. */
const opening: ReadonlySet<KernelTag> = new Set<KernelTag>([
  "ArchiveRead", "ArchiveWrite", "LayerWrite", "BlobOpen", "ChannelOpen", "SupervisorStart"
])

export class Sweep {
  /** Disturbed runs, and different hosts that came of them. */
  runs = 0
  private readonly seen = new Set<string>()
  private readonly scenario: Scenario
  private readonly driver: StorageDriver
  private readonly bench: ImageBench
  private readonly boot: World
  private readonly rebooted: World
  private readonly prepared: World

  private constructor(scenario: Scenario, driver: StorageDriver, bench: ImageBench, boot: World, rebooted: World) {
    this.scenario = scenario
    this.driver = driver
    this.bench = bench
    this.boot = boot
    this.rebooted = rebooted
    this.prepared = bench.simulation.world
  }

  static async prepare(scenario: Scenario, driver: StorageDriver): Promise<Sweep> {
    const bench = published(driver)
    const boot = await booted(bench)
    const up = await booted(imageBench({ simulation: simulate({ world: reboot(boot) }), registry: bench.registry, driver }))
    await bench.run(scenario.prepare as Effect.Effect<unknown, never, never>)
    return new Sweep(scenario, driver, bench, boot, up)
  }

  get hosts(): number {
    return this.seen.size
  }

  /** An engine over a kernel, with a registry that no earlier run has changed. */
  private program(kernel: Kernel["Service"], program: Scenario["program"] = this.scenario.program): Effect.Effect<unknown, unknown> {
    const { registry } = this.scenario.pushes === true ? published(this.driver) : this.bench
    const own = imageBench({ simulation: this.bench.simulation, registry, driver: this.driver })
    return Effect.provide(program, own.layer(Layer.succeed(Kernel, kernel)))
  }

  /** The engine dies; false when it had ended before. */
  private async crashes(simulation: Simulation, at: number, when: "before" | "after", program?: Scenario["program"]): Promise<boolean> {
    const needing = Effect.flatMap(Effect.service(Kernel), (kernel) => this.program(kernel, program))
    const run = await runtimeFor(simulation).run(untilCrash(simulation, needing, { at, when }))
    return run._tag === "Crashed"
  }

  /** What a host that has not been seen yet comes to. */
  private async look(simulation: Simulation, what: string, boot = this.boot): Promise<boolean> {
    const state = lasting(simulation.world)
    if (this.seen.has(state)) return false
    this.seen.add(state)
    const own = imageBench({ simulation, registry: this.bench.registry, driver: this.driver })
    await expectWhole(own, boot, `${this.scenario.name}, ${what}`)
    return true
  }

  private fresh(world = this.prepared): Simulation {
    this.runs++
    return simulate({ world })
  }

  /** Of some hosts also: the power fails, and recovery itself is cut short after each of its operations. */
  private async lookThoroughly(crashed: World, what: string): Promise<void> {
    const isNew = await this.look(simulate({ world: crashed }), what)
    if (!isNew || !(everything || this.hosts % 10 === 1)) return
    await this.look(simulate({ world: reboot(crashed) }), `${what}, then no power`, this.rebooted)
    for (let cut = 0;; cut++) {
      assert.isBelow(cut, limit)
      const recovering = this.fresh(crashed)
      if (!(await this.crashes(recovering, cut, "after", recover))) return
      await this.look(recovering, `${what}, recovery cut short after its operation ${cut}`)
    }
  }

  async crashEverywhere(): Promise<void> {
    for (const when of ["before", "after"] as const) {
      for (let at = 0;; at++) {
        assert.isBelow(at, limit)
        const simulation = this.fresh()
        if (!(await this.crashes(simulation, at, when))) break
        await this.lookThoroughly(simulation.world, `dead ${when} operation ${at}`)
      }
    }
  }

  /** As an engine that lives on when the command has ended: it must hold nothing then, but for what it was never told of. */
  private async attempt(
    simulation: Simulation, middleware: Middleware, what: string, begun: (fiber: Fiber.Fiber<unknown, unknown>) => void = () => {},
    runtime = runtimeFor(simulation), untold: KernelTag | undefined = undefined, isInterrupted = false
  ): Promise<void> {
    await runtime.run(Effect.scoped(Effect.gen({ self: this }, function*() {
      const engine = yield* simulation.engine()
      const layer = Layer.provide(Layer.fresh(Kernel.around(middleware)), Kernel.layer(simulation.interpreter(engine)))
      const needing = Effect.flatMap(Effect.service(Kernel), (kernel) => this.program(kernel))
      const fiber = yield* Effect.forkDetach(Effect.provide(needing, layer))
      begun(fiber)
      const exit = Option.getOrUndefined(yield* Effect.timeoutOption(Fiber.await(fiber), patience))
      assert.isDefined(exit, `${what}: it does not return`)
      if (Exit.isFailure(exit!)) assert.isFalse(Cause.hasDies(exit.cause), `${what}: ${Cause.pretty(exit.cause)}`)
      // Whoever is interrupted, as when another layer fails, between getting a lock and hearing of it loses it, until the
      // process ends
      const losesLocks = isInterrupted || this.scenario.pulls === true
      const held = simulation.world.handles.values().filter((one) => one.owner === engine && !(losesLocks && one._tag === "Lock"))
      if (untold !== undefined && opening.has(untold)) return
      const names = held.map((one) => `${one._tag} ${"path" in one ? one.path : one.id}`)
      assert.deepStrictEqual([...names], [], `${what}: it holds`)
    })))
  }

  private async operations(): Promise<ReadonlyArray<KernelTag>> {
    const tags: Array<KernelTag> = []
    const noted: Middleware = (next) => (tag, payload) => Effect.suspend(() => (tags.push(tag), next(tag, payload)))
    await this.attempt(simulate({ world: this.prepared }), noted, "undisturbed")
    return tags
  }

  /** Every operation fails: the first of its kind in each way it can, the others in one. */
  async failEverywhere(): Promise<void> {
    const tags = await this.operations()
    assert.isAbove(tags.length, 2)
    for (const [at, tag] of tags.entries()) {
      // The programs tell only few errnos apart
      const errnos = possibleErrnos[tag].slice(0, tags.indexOf(tag) === at || everything ? Infinity : 1)
      for (const errno of errnos) {
        for (const when of momentsOf(tag)) {
          const simulation = this.fresh()
          const what = `${tag}, operation ${at}, ${errno}, ${when} its effect`
          const untold = when === "after" ? tag : undefined
          await this.attempt(simulation, faulty([{ at, errno, when, times: 1 }]), what, undefined, undefined, untold)
          await this.look(simulation, what)
        }
      }
    }
  }

  /** The command is interrupted: it returns, and what it leaves needs no recovery. */
  async interruptEverywhere(): Promise<void> {
    for (const when of ["before", "during", "after"] as const) {
      for (let at = 0;; at++) {
        assert.isBelow(at, limit)
        const simulation = this.fresh()
        if (!(await this.interrupted(simulation, { at, when }))) break
        await this.look(simulation, `interrupted ${when} operation ${at}`)
      }
    }
  }

  private async interrupted(simulation: Simulation, interruption: Interruption): Promise<boolean> {
    const runtime = runtimeFor(simulation)
    let struck = false
    let fiber: Fiber.Fiber<unknown, unknown> | undefined
    const strike = (then: () => void) =>
      runtime.schedule(() => {
        struck = true
        fiber?.interruptUnsafe()
        then()
      })
    const what = `interrupted ${interruption.when} operation ${interruption.at}`
    await this.attempt(simulation, interruptible(interruption, strike), what, (begun) => void (fiber = begun), runtime, undefined, true)
    return struck
  }
}
