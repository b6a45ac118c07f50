/** `start`: containers that were created or have ended run (again); with -a or -i the one is stayed with. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { boolean, type Values } from "../argv/Flag.ts"
import { warn } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { forEachReference } from "./forEachReference.ts"
import { checkTerminal, detachKeysFlag, detachKeysOf, joinSession, proxySignals } from "./session.ts"

const flags = {
  attach: boolean("Attach STDOUT/STDERR and forward signals", { short: "a" }),
  ...detachKeysFlag,
  interactive: boolean("Attach container's STDIN", { short: "i" })
}

/** `looksOn`: the user's terminal is left alone. */
const startAttached = (reference: string, values: Values<typeof flags>, looksOn: boolean) => Effect.gen(function*() {
  const engine = yield* Engine
  const { record, state } = yield* engine.find("start", reference)
  const { id, config } = record
  const stdin = values.interactive && config.openStdin
  yield* checkTerminal(stdin && config.tty && !looksOn)
  const detachKeys = yield* Effect.fromResult(detachKeysOf(values["detach-keys"]))
  const wish = { stdin, stdout: true, stderr: true, claim: true }
  const running = state.name === "running"
  const proxies = !config.tty && !looksOn
  const isRunning = proxies && !running ? yield* proxySignals(id) : Effect.void
  const session = running
    ? { ...(yield* engine.attach(id, { ...wish, claim: false })), warnings: [] }
    : yield* engine.startAttached(id, wish)
  yield* isRunning
  yield* warn(session.warnings)
  const { detached, status } = yield* joinSession(session, {
    stdin: stdin && !looksOn, tty: config.tty && !looksOn, detachKeys, redraw: running,
    signalsTo: proxies && running ? id : undefined,
    status: Effect.map(engine.wait(id), (exit) => exit.code)
  })
  if (config.autoRemove && !detached && !running) yield* Effect.ignore(engine.remove(id, { force: false }))
  return status
}).pipe(Effect.scoped)

export const start = command({
  forms: ["[OPTIONS] CONTAINER [CONTAINER...]"],
  summary: "Start one or more stopped containers",
  flags,
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: references, plan, values }) => Effect.gen(function*() {
    const attached = values.attach || values.interactive
    if (attached && references.length > 1) {
      return yield* refusal("you cannot start and attach multiple containers at once")
    }
    if (attached) return yield* startAttached(references[0] ?? "", values, plan)
    const warnings: Array<string> = []
    const status = yield* forEachReference(references, (reference) =>
      Effect.map(Engine.use((engine) => engine.start(reference)), (told) => {
        warnings.push(...told)
        return reference
      }), { concurrent: false })
    yield* warn(warnings)
    return status
  })
})
