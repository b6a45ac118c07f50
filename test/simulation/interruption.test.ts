/**
 * The caller of a command is interrupted at every operation: when the command has returned, what it began is done or
 * taken back, though its process lives on, and whatever comes next needs no recovery before it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Stream } from "effect"
import { lockFile } from "../../src/domain/container/Paths.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { Kernel } from "../../src/programs/Kernel.ts"
import { hostPaths, simulate, type World } from "../../src/testing/index.ts"
import { encodeTree } from "../differential/archive.ts"
import { interruptedAt } from "./interruptedAt.ts"
import { bootedHost, commands as swept, config, left, on, paths, startIdle } from "./SimulatedEngine.ts"

interface Interrupted {
  readonly name: string
  readonly prepare: Effect.Effect<unknown, EngineError, Engine>
  readonly command: Effect.Effect<unknown, EngineError, Engine>
}

const using = <A>(use: (engine: Engine["Service"]) => Effect.Effect<A, EngineError>) => Effect.flatMap(Engine, use)

const tree = encodeTree([
  { type: "dir", path: "copied", mode: 0o755, uid: 0 },
  { type: "file", path: "copied/one", mode: 0o644, uid: 0, content: "one\n" }
])

const create = using((engine) => engine.create(config(["sleep", "1000"]), "victim"))
const startPaused = Effect.andThen(startIdle, using((engine) => engine.pause("victim")))
const startStopped = Effect.andThen(startIdle, using((engine) => engine.stop("victim", { timeout: 0 })))
const copyIn = using((engine) => engine.copyIn("victim", "/", Stream.make(tree), undefined))
const copyOut = using((engine) => Stream.runDrain(engine.copyOut("victim", "/etc", { name: "etc", follow: false })))
const everything = { stdin: false, stdout: true, stderr: true, claim: false }
const attach = Effect.scoped(Effect.flatMap(Engine, (engine) => engine.attach("victim", everything)))

const commands: ReadonlyArray<Interrupted> = [
  ...swept,
  { name: "start after an end", prepare: startStopped, command: using((engine) => engine.start("victim")) },
  { name: "rm after an end", prepare: startStopped, command: using((engine) => engine.remove("victim", { force: false })) },
  { name: "stop when paused", prepare: startPaused, command: using((engine) => engine.stop("victim", { timeout: 1 })) },
  { name: "wait", prepare: startIdle, command: using((engine) => Effect.timeoutOption(engine.wait("victim"), "1 second")) },
  { name: "attach", prepare: startIdle, command: attach },
  { name: "cp into it", prepare: startIdle, command: copyIn },
  { name: "cp into it before a start", prepare: create, command: copyIn },
  { name: "cp out of it", prepare: startIdle, command: copyOut },
  { name: "cp out of it before a start", prepare: create, command: copyOut },
  { name: "cp out of it after an end", prepare: startStopped, command: copyOut }
]

/** As it was before, or as the command or a part of it that cannot be taken back makes it; "gone": there is none. */
const legalStates: { readonly [name: string]: ReadonlyArray<string> } = {
  run: ["gone", "created", "running", "exited"],
  start: ["gone", "created", "running"],
  stop: ["running", "exited"],
  rm: ["running", "exited", "gone"],
  restart: ["running", "exited"],
  "pause and unpause": ["running", "paused"],
  "start after an end": ["exited", "running"],
  "rm after an end": ["exited", "gone"],
  "stop when paused": ["paused", "running", "exited"],
  "cp into it before a start": ["created"],
  "cp out of it before a start": ["created"],
  "cp out of it after an end": ["exited"]
}

/** Without recovery: records and kernel agree, and the container can be used, removed, and made again. */
const goOn = using((engine) =>
  Effect.gen(function*() {
    const disagreements = yield* engine.check({ repair: false })
    const listed = yield* engine.list
    for (const { record, state } of listed) {
      if (state.name === "running") yield* engine.stop(record.id, { timeout: 0 })
      if (state.name !== "paused") yield* engine.start(record.id)
      yield* engine.remove(record.id, { force: true })
    }
    const { id } = yield* engine.create(config(["true"]), "victim")
    yield* engine.remove(id, { force: false })
    return { disagreements, states: listed.map(({ state }) => state.name) }
  }))

const expectClean = async (boot: World, world: World, name: string, what: string): Promise<void> => {
  const simulation = simulate({ world })
  const { disagreements, states } = await on(simulation, goOn)
    .catch((error: unknown) => assert.fail(`${what}, then: ${error}`))
  assert.deepStrictEqual(disagreements, [], what)
  assert.include(legalStates[name] ?? ["running"], states[0] ?? "gone", what)
  assert.deepStrictEqual(left(boot, simulation), [], what)
}

const locking: { readonly [name: string]: (engine: Engine["Service"]) => Effect.Effect<unknown, EngineError> } = {
  "start -a": (engine) => Effect.scoped(engine.startAttached("victim", everything)),
  stop: (engine) => engine.stop("victim", { timeout: 1 }),
  restart: (engine) => engine.restart("victim", { timeout: 1 }),
  pause: (engine) => engine.pause("victim"),
  unpause: (engine) => engine.unpause("victim"),
  rename: (engine) => engine.rename("victim", "other"),
  update: (engine) => engine.update("victim", { resources: { pidsLimit: 50 } }),
  rm: (engine) => engine.remove("victim", { force: true })
}

/** Microseconds in which what was told to end has ended. */
const settling = 5_000_000

/** Far more than any command performs. */
const limit = 500

describe("a command that waits for another engine's lock", () => {
  for (const [name, command] of Object.entries(locking)) {
    it(`${name} returns when its caller has no more patience`, async () => {
      const host = await bootedHost(6)
      const boot = host.world
      await on(host, startIdle)
      const returned = await on(host, Effect.gen(function*() {
        const engine = yield* Engine
        const { record } = yield* engine.find("inspect", "victim")
        const stranger = Kernel.make(host.interpreter(yield* host.engine()))
        yield* stranger.perform("LockAcquire", { path: lockFile(paths, record.id), shared: false })
        const fiber = yield* Effect.forkChild(Effect.timeoutOption(command(engine), "1 second"))
        return yield* Effect.timeoutOption(Fiber.await(fiber), "5 seconds")
      }).pipe(Effect.scoped))
      assert.deepStrictEqual(returned, Option.some(Exit.succeed(Option.none())))
      await expectClean(boot, host.world, name, name)
    })
  }
})

for (const cgroups of ["v1", "v2"] as const) {
  describe(`a command whose caller is interrupted at any operation, on cgroup ${cgroups}`, () => {
    for (const { command, name, prepare } of commands) {
      it(`${name}: it returns, holds nothing, and is done or undone`, { timeout: 120_000 }, async () => {
        const host = await bootedHost(5, cgroups)
        const boot = host.world
        await on(host, prepare)
        const prepared = host.world
        for (const when of ["before", "during", "after"] as const) {
          for (let at = 0;; at++) {
            assert.isBelow(at, limit)
            const simulation = simulate({ world: prepared })
            const what = `${name}, ${when} operation ${at}`
            const aftermath = await interruptedAt(simulation, command, { at, when })
            if (aftermath === undefined) break
            if (aftermath.exit._tag === "None") return assert.fail(`${what}: it does not return`)
            const exit = aftermath.exit.value
            assert.isTrue(
              Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause), `${what}: ${Exit.isFailure(exit) && Cause.pretty(exit.cause)}`
            )
            assert.deepStrictEqual(aftermath.held, [], what)
            simulation.pass(settling)
            assert.deepStrictEqual(hostPaths(simulation.world).filter((path) => path.includes("/exec/")), [], what)
            await expectClean(boot, simulation.world, name, what)
          }
        }
      })
    }
  })
}
