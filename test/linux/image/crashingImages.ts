/**
 * An engine process that kills itself, by SIGKILL, before, within or after the k-th operation of a command about images.
 * Prints `done` when the command has fewer operations. Its argument says what, as JSON. It begins when there is a byte to
 * read, so that it can be loaded while another is at work.
 */
import { createReadStream, readSync } from "node:fs"
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { linuxRemote } from "../../../src/cli/remote/linuxRemote.ts"
import { type ContainerConfig, defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import type { Paths } from "../../../src/domain/container/Paths.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import { parseReference } from "../../../src/domain/image/Reference.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { layer as compression } from "../../../src/interpreters/linux/LinuxCompression.ts"
import * as LinuxKernel from "../../../src/interpreters/linux/LinuxKernel.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Host } from "../../../src/programs/Host.ts"
import { Images } from "../../../src/programs/Images.ts"
import { Kernel, type Middleware } from "../../../src/programs/Kernel.ts"

export type Moment = "before" | "within" | "after"

export interface Crashing {
  readonly paths: Paths
  readonly driver: StorageDriver
  /** A directory with credentials. */
  readonly config: string
  /** Host and port. */
  readonly registry: string
  /** A file with an image to load, whose bytes are as good as a layer's. */
  readonly archive: string
  readonly command: string
  readonly index: number
  readonly when: Moment
}

const { archive, command, config, driver, index, paths, registry: registryHost, when } =
  JSON.parse(process.argv[2] ?? "{}") as Crashing

let armed = false
let count = 0

const kill = () => process.kill(process.pid, "SIGKILL")

const die = Effect.callback<never>(() => {
  kill()
})

/** Kills from a thread of its own, so that it may come into the middle of a system call or between two of them. */
const killer = (): { readonly ready: Promise<unknown>; readonly call: () => void } => {
  const state = new Int32Array(new SharedArrayBuffer(4))
  // Microseconds: a write of a small file takes some 50, of a record some 500, a copy of a tree thousands
  const delay = index * 131 % 1000
  const program = `
    const { parentPort, workerData: { delay, pid, state } } = require("node:worker_threads")
    parentPort.postMessage("ready")
    Atomics.wait(state, 0, 0)
    const end = process.hrtime.bigint() + BigInt(delay) * 1000n
    while (process.hrtime.bigint() < end);
    process.kill(pid, "SIGKILL")`
  const worker = new Worker(program, { eval: true, workerData: { delay, pid: process.pid, state } })
  return {
    ready: new Promise((resolve) => worker.once("message", resolve)),
    call: () => {
      Atomics.store(state, 0, 1)
      Atomics.notify(state, 0)
    }
  }
}

const within = when === "within" ? killer() : undefined

const crash: Middleware = (next) => (tag, payload) =>
  Effect.suspend(() => {
    if (!armed || count++ !== index) return next(tag, payload)
    if (when === "before") return die
    within?.call()
    // Also after one that fails, as many do in the best of lives
    return Effect.andThen(Effect.exit(next(tag, payload)), within === undefined ? die : Effect.never)
  })

const arm = Effect.sync(() => {
  armed = true
})

const quiet = () => Effect.void

const nameOf = (tag: string) => `${registryHost}/team/app:${tag}`

const pull = (tag: string) =>
  Images.use((images) => images.pull({
    reference: Result.getOrThrow(parseReference(nameOf(tag))), platform: undefined, observe: quiet
  }))

const data: Stream.Stream<Uint8Array> = Stream.suspend(() =>
  Stream.fromAsyncIterable(createReadStream(archive), (error) => error).pipe(Stream.orDie))

/** A container that changes something of each kind, however often it is started. */
const container: ContainerConfig = {
  ...defaultConfig(nameOf("two")), networkMode: "none",
  command: ["sh", "-c", "echo more >> /etc/passwd; rm -f /bin/ls; mkdir -p /new; echo x > /new/file"]
}

const start = Engine.use((engine) => Effect.andThen(engine.start("changed"), engine.wait("changed")))
const create = Effect.andThen(pull("two"), Engine.use((engine) => engine.create(container, "changed")))
const remove = Engine.use((engine) => engine.remove("changed", { force: false }))
const ended = Effect.andThen(create, start)
const then = (...steps: ReadonlyArray<Effect.Effect<unknown, unknown, Engine | Images>>) => Effect.all(steps, { discard: true })

/** `two` shares a layer with what comes or goes. */
const commands: { readonly [name: string]: Effect.Effect<unknown, unknown, Engine | Images> } = {
  pull: then(pull("two"), arm, pull("one")),
  load: then(arm, Images.use((images) => images.load({ source: "one.tar", data, platform: undefined, observe: quiet }))),
  import: then(arm, Images.use((images) =>
    images.import({ source: "one.tar", reference: "imported", data, defaults: noImageDefaults, message: "", platform: undefined }))),
  rmi: then(pull("two"), pull("one"), arm, Images.use((images) => images.remove(nameOf("one"), { force: false, noPrune: false }))),
  prune: then(pull("two"), pull("one"), arm, Images.use((images) => images.prune(true, noFilters))),
  commit: then(ended, arm, Images.use((images) =>
    images.commit({ container: "changed", reference: "committed", author: "", message: "", changes: [], pause: true }))),
  start: then(create, arm, start),
  rm: then(ended, arm, remove),
  "cp in": then(create, arm, Engine.use((engine) => engine.copyIn("changed", "/tmp", data, undefined))),
  "run of an image that is missing": then(arm, ended, remove)
}

const kernel = Kernel.around(crash).pipe(Layer.provide(LinuxKernel.layer(paths)))
const registry = Layer.unwrap(Effect.map(linuxRemote({ config, settings: "" }), (remote) => remote.registry))
const layer = Layer.mergeAll(Engine.local({ onExit: [] }), Images.local({ registry, compression })).pipe(
  Layer.provide(Host.layer({ paths, builtinImages: [], chosenDriver: driver })), Layer.provide(kernel)
)

if (within !== undefined) await within.ready
if (readSync(0, new Uint8Array(1)) === 0) process.exit(1)
await Effect.runPromise(Effect.provide(commands[command]!, layer))
process.stdout.write(`done ${count}\n`)
process.exit(0)
