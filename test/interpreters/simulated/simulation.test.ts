import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"
import { decodeFrames } from "../../../src/domain/kernel/frames.ts"
import { op } from "../../../src/domain/kernel/KernelOp.ts"
import { perform, performAll } from "../../../src/programs/Kernel.ts"
import {
  Deadlock, encodeWorld, engineOn, runOn, runSimulated, runSimulatedExit, runtimeFor, simulate,
  SimulatedHost, simulatedKernel, untilCrash
} from "../../../src/testing/index.ts"
import { containerOf } from "./SimulatedMachine.ts"

const directories = [
  "/run/test", "/var/lib/test", "/var/lib/test/upper", "/var/lib/test/work", "/var/lib/test/root"
]
const options = { busyboxImage: "/images/busybox" }

/** Starts a container and gives what it writes and how it ends. */
const container = (script: string) =>
  Effect.gen(function*() {
    for (const path of directories) yield* perform("DirEnsure", { path, mode: 0o755 })
    const { channel } = yield* perform("SupervisorStart", {
      spec: containerOf(["sh", "-c", script]),
      attach: 11
    })
    const frames = []
    for (;;) {
      const bytes = yield* perform("ChannelRead", { channel })
      if (bytes.length === 0) break
      frames.push(...decodeFrames(bytes))
    }
    yield* perform("ChannelClose", { channel })
    return frames.map((frame) =>
      frame._tag === "Output"
        ? new TextDecoder().decode(frame.data)
        : frame._tag === "Exited"
        ? frame.exit.code
        : frame._tag
    )
  })

describe("a program on a simulated kernel", () => {
  it("runs in virtual time", async () => {
    const began = performance.now()
    const program = Effect.gen(function*() {
      const before = yield* Clock.currentTimeMillis
      const said = yield* container("sleep 86400; echo done; exit 3")
      return { said, days: ((yield* Clock.currentTimeMillis) - before) / 86_400_000 }
    })
    const { said, days } = await runSimulated(program, options)
    assert.deepStrictEqual(said, ["Started", "done\n", 3])
    assert.approximately(days, 1, 0.001)
    assert.isBelow(performance.now() - began, 5000)
  })

  it("goes the same way for the same seed, and its world ends up the same", async () => {
    const program = Effect.all([
      container("echo a; sleep 1; echo b"),
      Effect.forEach([1, 2, 3], (n) => Effect.sleep(Duration.millis(n * 300)))
    ], { concurrency: "unbounded" })
    const runs = await Promise.all(
      [7, 7, 8].map((seed) => runSimulatedExit(program, { ...options, seed }))
    )
    assert.deepStrictEqual(runs[0]!.exit, runs[1]!.exit)
    const worlds = runs.map((run) => encodeWorld(run.simulation.world))
    assert.strictEqual(worlds[0], worlds[1])
    assert.notStrictEqual(worlds[0], worlds[2])
  })

  it("interleaves its fibers differently for different seeds", async () => {
    const order = (seed: number) =>
      runSimulated(
        Effect.gen(function*() {
          const log = yield* Ref.make("")
          const worker = (name: string) =>
            Effect.forEach([1, 2, 3], () =>
              Effect.andThen(
                perform("FileStat", { path: "/etc", follow: true }),
                Ref.update(log, (text) => text + name)
              ), { discard: true })
          yield* Effect.all([worker("a"), worker("b"), worker("c")], { concurrency: "unbounded" })
          return yield* Ref.get(log)
        }),
        { seed }
      )
    const orders = new Set(await Promise.all(Array.from({ length: 20 }, (_, seed) => order(seed))))
    assert.isAbove(orders.size, 5)
  })

  it("that waits for nothing is told so", async () => {
    const waiting = Effect.andThen(
      perform("LockAcquire", { path: "/tmp/l", shared: false }),
      perform("LockAcquire", { path: "/tmp/l", shared: false })
    )
    const error = await runSimulated(waiting).catch((cause: unknown) => cause)
    assert.instanceOf(error, Deadlock)
  })
})

describe("an operation that waits", () => {
  it("goes on when another fiber has changed what it waits for", async () => {
    const program = Effect.gen(function*() {
      const first = yield* perform("LockAcquire", { path: "/tmp/l", shared: false })
      const second = yield* Effect.forkChild(
        perform("LockAcquire", { path: "/tmp/l", shared: false })
      )
      yield* Effect.sleep("1 second")
      yield* perform("LockRelease", { handle: first })
      return yield* Fiber.join(second)
    })
    assert.isNumber(await runSimulated(program))
  })

  it("can be interrupted, and has then no effect", async () => {
    const program = Effect.gen(function*() {
      const first = yield* perform("LockAcquire", { path: "/tmp/l", shared: false })
      const second = yield* Effect.forkChild(
        perform("LockAcquire", { path: "/tmp/l", shared: false })
      )
      yield* Effect.sleep("1 second")
      yield* Fiber.interrupt(second)
      yield* perform("LockRelease", { handle: first })
      return yield* perform("LockTry", { path: "/tmp/l" })
    })
    assert.isNumber(await runSimulated(program))
  })

  it("works under any clock: with a test clock time stands until it is moved", () =>
    Effect.runPromise(
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(container("sleep 60; echo done"))
        const done = () => fiber.pollUnsafe() !== undefined
        for (let count = 0; count < 50 && !done(); count++) yield* TestClock.adjust("1 second")
        assert.isFalse(done())
        for (let count = 0; count < 50 && !done(); count++) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(fiber), ["Started", "done\n", 0])
      }).pipe(
        Effect.provide(Layer.merge(simulatedKernel(options), TestClock.layer())),
        Effect.scoped
      )
    ))
})

describe("an engine", () => {
  it("loses its locks with its layer, records stay", async () => {
    const simulation = simulate(options)
    const first = Effect.andThen(
      perform("LockAcquire", { path: "/tmp/l", shared: false }),
      perform("RecordPut", { collection: "images", key: "k", revision: 0, name: "", value: "v" })
    )
    await runOn(simulation, first)
    const second = Effect.all([
      perform("LockTry", { path: "/tmp/l" }),
      perform("RecordGet", { collection: "images", key: "k" })
    ])
    const exit = await runOn(simulation, second)
    assert.isTrue(
      Exit.isSuccess(exit) && exit.value[0] !== undefined && exit.value[1]?.value === "v"
    )
  })

  it("that is killed performs nothing any more, and its supervisors live on", async () => {
    const simulation = simulate(options)
    const run = await runtimeFor(simulation).run(
      untilCrash(simulation, container("sleep 5; exit 4"), { tag: "ChannelRead", when: "before" })
    )
    assert.strictEqual(run._tag, "Crashed")
    const exit = await runOn(
      simulation,
      Effect.andThen(
        Effect.sleep("10 seconds"),
        perform("FileRead", { path: "/var/lib/test/exit", limit: 1000 })
      )
    )
    assert.isTrue(Exit.isSuccess(exit) && exit.value.endsWith(" 4 0 0\n"), String(exit))
  })

  it("shares the host with others", async () => {
    const simulation = simulate(options)
    const turn = (name: string, gate: Deferred.Deferred<void>) =>
      Effect.gen(function*() {
        const handle = yield* perform("LockAcquire", { path: "/tmp/l", shared: false })
        const before = yield* perform("DirList", { path: "/tmp" })
        yield* perform("DirMake", { path: `/tmp/${name}`, mode: 0o755 })
        yield* Deferred.await(gate)
        yield* perform("LockRelease", { handle })
        return before.filter((one) => one !== "l")
      }).pipe(Effect.provide(Layer.fresh(engineOn(simulation))))
    const program = Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const fibers = yield* Effect.forEach(["a", "b"], (name) => Effect.forkChild(turn(name, gate)))
      yield* Effect.sleep("1 second")
      yield* Deferred.succeed(gate, undefined)
      return yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
    })
    const seen = await runtimeFor(simulation).run(program)
    assert.deepStrictEqual(seen.map((one) => one.length).sort(), [0, 1])
  })

  it("performs a list as it would its members, up to the first failure", async () => {
    const program = Effect.gen(function*() {
      const host = yield* SimulatedHost
      const exit = yield* Effect.exit(
        performAll([
          op("DirMake", { path: "/tmp/a", mode: 0o755 }),
          op("DirMake", { path: "/tmp/a", mode: 0o755 }),
          op("DirMake", { path: "/tmp/b", mode: 0o755 })
        ])
      )
      return {
        failed: Exit.isFailure(exit),
        names: yield* perform("DirList", { path: "/tmp" }),
        processes: host.world.processes.size
      }
    })
    assert.deepStrictEqual(await runSimulated(program), {
      failed: true,
      names: ["a"],
      processes: 4
    })
  })
})

describe("the simulated kernel's speed", () => {
  it("is more than 10,000 quick operations a second, even on a busy machine", async () => {
    const count = 5000
    const round = Effect.gen(function*() {
      const began = performance.now()
      for (let index = 0; index < count; index++) {
        yield* perform("FileWrite", {
          path: `/run/fx/containers/${index % 100}`,
          mode: 0o600,
          text: "text"
        })
      }
      return count / (performance.now() - began) * 1000
    })
    const program = Effect.andThen(
      perform("DirEnsure", { path: "/run/fx/containers", mode: 0o700 }),
      Effect.forEach([1, 2, 3, 4, 5], () => round)
    )
    assert.isAbove(Math.max(...(await runSimulated(program))), 10_000)
  })
})
