/** The command line's beginning and end: argv in, exit status out. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { findCommand } from "./argv/findCommand.ts"
import type { Globals } from "./argv/globalFlags.ts"
import { type Read, readCommand } from "./argv/readCommand.ts"
import type { Answer } from "./argv/Reading.ts"
import { builtFile, loadAddon } from "../interpreters/linux/addon.ts"
import type { Running } from "./commands/Command.ts"
import { tellFailure } from "./tellFailure.ts"
import { NodeSignals } from "./terminal/NodeSignals.ts"
import { nodeSurroundings } from "./terminal/nodeSurroundings.ts"
import { nodeTerminal } from "./terminal/nodeTerminal.ts"

const print = (answer: Answer): void => {
  process.exitCode = answer.exitCode
  const stream = process[answer.stream]
  // Nobody reads any more: quietly, as if by SIGPIPE
  stream.on("error", () => process.exit(141))
  stream.write(answer.text)
}

/** Help is laid out for the terminal that it is shown on. */
const helpWidth = (): number => process.stdout.isTTY ? process.stdout.columns : 80

/** The addon is loaded already where an engine runs. Without it the terminal is raw enough for most programs. */
const plainOutput = (descriptor: number): void => {
  try {
    loadAddon(builtFile("fx.node")).plainOutput(descriptor)
  } catch {
    // As said: nothing that the user must know of
  }
}

/** A command that needs no engine does not wait for one to be loaded. */
const program = async (read: Read, globals: Globals, cli: string) => {
  if (read.command.engine === "nothing") return read.command.run(read.invocation) as Running<never>
  const { runOnEngine } = await import("./runOnEngine.ts")
  return runOnEngine(read, globals, cli)
}

/** `cli`: the file that was run, for supervisors to run again. `onFound` is told the words of the command. */
export const main = async (
  argv: ReadonlyArray<string>, cli: string, onFound: (path: string) => void
): Promise<void> => {
  const found = findCommand(argv, helpWidth)
  if (found._tag === "Answer") return print(found)
  onFound(found.path)
  const read = readCommand(await found.entry.load(), found, helpWidth)
  if (read._tag === "Answer") return print(read)
  const signals = new NodeSignals()
  const own = Layer.merge(nodeTerminal({ signals, plainOutput }), nodeSurroundings)
  const run = tellFailure(read.described, await program(read, found.globals, cli))
  // What counts if nothing is left to wait for and the command has not ended
  process.exitCode = 1
  const fiber = Effect.runFork(Effect.provide(run, own))
  let ended = 0
  signals.watch((signal) => {
    if (ended !== 0) process.exit(128 + signal)
    ended = signal
    fiber.interruptUnsafe()
  })
  fiber.addObserver((exit) => process.exit(Exit.isSuccess(exit) ? exit.value : 128 + ended))
}
