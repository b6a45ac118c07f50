/**
 * An engine process of its own for the laws: does what its name says, prints `ready`, and lives until it is killed.
 * Arguments: directory, name, argument.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"
import { type StrangerName, strangers } from "./strangers.ts"

const [directory = "", name = "", argument = ""] = process.argv.slice(2)
const paths = { root: `${directory}/root`, execRoot: `${directory}/run` }

const layer = Engine.local({ onExit: [] }).pipe(
  Layer.provideMerge(Host.layer({ paths, builtinImages: [] })), Layer.provideMerge(LinuxKernel.layer(paths))
)

const program = strangers[name as StrangerName](argument) as Effect.Effect<unknown, unknown, Engine | Kernel>
const ready = Effect.sync(() => void process.stdout.write("ready\n"))

// Something to wait for: an event loop that is empty would end the process
setInterval(() => {}, 60_000)
await Effect.runPromise(Effect.provide(Effect.andThen(Effect.andThen(program, ready), Effect.never), layer))
