/** `run`: creates a container, starts it, and stays with it until it ends unless told otherwise. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import { Engine } from "../../programs/Engine.ts"
import { boolean, type Values } from "../argv/Flag.ts"
import { printLine, warn } from "../terminal/print.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { badOptions, type CommandError, CommandFailure, describe, refusal } from "./CommandFailure.ts"
import { containerFlags } from "./run/containerFlags.ts"
import { createContainer } from "./run/createContainer.ts"
import { configOf } from "./run/readInput.ts"
import { checkTerminal, detachKeysFlag, detachKeysOf, joinSession, proxySignals } from "./session.ts"

const flags = {
  ...containerFlags,
  ...detachKeysFlag,
  detach: boolean("Run container in background and print container ID", { short: "d" }),
  "sig-proxy": boolean("Proxy received signals to the process", { initial: true, shownDefault: "true" })
}

/** The engine's refusals end `run` with 125, or with what the container's program would have said: 126, 127. */
const asRunFailure = (error: CommandError): CommandError => {
  if (error._tag !== "ContainerError" && error._tag !== "KernelError" && error._tag !== "RegistryError") return error
  const exitCode = error._tag === "ContainerError" ? error.exitCode ?? 125 : 125
  return new CommandFailure({ message: describe(error).message, exitCode, hint: true })
}

/** A container of --rm that did not get to its end in our hands. What is wrong with it was told already. */
const discard = (id: string, config: ContainerConfig) =>
  config.autoRemove ? Effect.ignore(Engine.use((engine) => engine.remove(id, { force: true }))) : Effect.void

const runDetached = (id: string, config: ContainerConfig) => Effect.gen(function*() {
  const engine = yield* Engine
  // docker prints the id also when the start fails: the container is there
  const started = yield* engine.start(id).pipe(
    Effect.onError(() => discard(id, config)),
    Effect.onExit(() => Effect.ignore(printLine(id)))
  )
  yield* warn(started)
  return 0
})

/** `looksOn`: the user's terminal is left alone. */
const runAttached = (
  id: string, config: ContainerConfig, values: Values<typeof flags>, detachKeys: Uint8Array, looksOn: boolean
) => Effect.gen(function*() {
  const engine = yield* Engine
  const isRunning = values["sig-proxy"] && !looksOn ? yield* proxySignals(id) : Effect.void
  const session = yield* engine.startAttached(id, {
    stdin: config.attachStdin, stdout: config.attachStdout, stderr: config.attachStderr, claim: true
  }).pipe(Effect.onError(() => discard(id, config)))
  yield* isRunning
  yield* warn(session.warnings)
  if (!config.attachStdout && !config.attachStderr) yield* printLine(id)
  const { detached, status } = yield* joinSession(session, {
    stdin: config.attachStdin && !looksOn, tty: config.tty && !looksOn, detachKeys, redraw: false,
    signalsTo: undefined,
    status: Effect.map(engine.wait(id), (exit) => exit.code)
  })
  if (config.autoRemove && !detached) yield* Effect.ignore(engine.remove(id, { force: false }))
  return status
}).pipe(Effect.scoped)

export const run = command({
  forms: ["[OPTIONS] IMAGE [COMMAND] [ARG...]"],
  summary: "Create and run a new container from an image",
  flags,
  arguments: { least: 1, unlessGiven: "rootfs" },
  interspersed: false,
  engine: "changes",
  run: (invocation) => Effect.gen(function*() {
    const { plan, values } = invocation
    if (values.detach && values.attach.length > 0) {
      return yield* refusal("conflicting options: cannot specify both --attach and --detach")
    }
    const asked = yield* configOf(invocation, values.detach)
    yield* checkTerminal(asked.attachStdin && asked.tty && !plan)
    const detachKeys = yield* Effect.fromResult(detachKeysOf(values["detach-keys"])).pipe(
      Effect.mapError((error) => badOptions(describe(error).message))
    )
    const size = asked.tty && !values.detach ? yield* Effect.flatMap(Terminal, (terminal) => terminal.size) : undefined
    const config = size === undefined ? asked : { ...asked, consoleSize: [size.rows, size.columns] as const }
    const id = yield* createContainer(config, values)
    return yield* values.detach ? runDetached(id, config) : runAttached(id, config, values, detachKeys, plan)
  }).pipe(Effect.mapError(asRunFailure))
})
