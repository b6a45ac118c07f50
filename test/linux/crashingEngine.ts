/**
 * An engine process that kills itself, by SIGKILL, before or after the k-th operation of a command. Prints
 * `done` when the command has fewer operations. Arguments: directory, rootfs, command, k, before|after. It begins
 * when there is a byte to read, so that it can be loaded while another is at work.
 */
import { readSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { Kernel, type Middleware } from "../../src/programs/Kernel.ts"

const [directory = "", rootfs = "", command = "", index = "", when = ""] = process.argv.slice(2)
const paths = { root: `${directory}/root`, execRoot: `${directory}/run` }

let armed = false
let count = 0

const die = Effect.callback<never>(() => {
  process.kill(process.pid, "SIGKILL")
})

const crash: Middleware = (next) => (tag, payload) =>
  Effect.suspend(() => {
    if (!armed || count++ !== Number(index)) return next(tag, payload)
    // Also after one that fails, as many do in the best of lives
    return when === "before" ? die : Effect.andThen(Effect.exit(next(tag, payload)), die)
  })

const config = (script: string) => ({ ...defaultConfig("test"), rootfs, command: ["sh", "-c", script] })
const silent = { input: undefined, sizes: Stream.never, detached: Effect.never, output: () => Effect.void }

const idle = Effect.gen(function*() {
  const engine = yield* Engine
  const { id } = yield* engine.create(config("trap 'exit 0' TERM; while :; do sleep 0.05; done"), "victim")
  yield* engine.start(id)
  return { engine, id }
})

const arm = Effect.sync(() => {
  armed = true
})

const commands: { readonly [name: string]: Effect.Effect<unknown, unknown, Engine> } = {
  run: Effect.gen(function*() {
    const engine = yield* Engine
    yield* arm
    const { id } = yield* engine.create(config("sleep 0.05; echo hello"), "victim")
    yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* engine.startAttached(id, { stdin: false, stdout: true, stderr: true, claim: true })
      yield* session.run(silent)
    }))
    yield* engine.remove(id, { force: false })
  }),
  stop: Effect.gen(function*() {
    const { engine, id } = yield* idle
    yield* arm
    yield* engine.stop(id, { timeout: 5 })
  }),
  exec: Effect.gen(function*() {
    const { engine, id } = yield* idle
    yield* arm
    yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* engine.exec(id, {
        command: ["true"], env: [], user: "", workingDirectory: "", tty: false, consoleSize: [0, 0], stdin: false,
        privileged: false, attach: 3
      })
      yield* session.run(silent)
    }))
  }),
  rm: Effect.gen(function*() {
    const { engine, id } = yield* idle
    yield* arm
    yield* engine.remove(id, { force: true })
  })
}

const kernel = Kernel.around(crash).pipe(Layer.provide(LinuxKernel.layer(paths)))
const layer = Engine.local({ onExit: [] }).pipe(
  Layer.provide(Host.layer({ paths, builtinImages: [] })), Layer.provide(kernel)
)

if (readSync(0, new Uint8Array(1)) === 0) process.exit(1)
await Effect.runPromise(Effect.provide(commands[command]!, layer))
process.stdout.write("done\n")
process.exit(0)
