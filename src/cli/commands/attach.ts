/** `attach`: the user's terminal on the streams of a running container. */
import * as Effect from "effect/Effect"
import { Engine } from "../../programs/Engine.ts"
import { boolean } from "../argv/Flag.ts"
import { command } from "./Command.ts"
import { checkTerminal, detachKeysFlag, detachKeysOf, joinSession, leftByKeys } from "./session.ts"

export const attach = command({
  forms: ["[OPTIONS] CONTAINER"],
  summary: "Attach local standard input, output, and error streams to a running container",
  flags: {
    ...detachKeysFlag,
    "no-stdin": boolean("Do not attach STDIN"),
    "sig-proxy": boolean("Proxy all received signals to the process", { initial: true, shownDefault: "true" })
  },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: [reference = ""], values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const { record: { config, id } } = yield* engine.find("attach", reference)
    const stdin = config.openStdin && !values["no-stdin"]
    const detachKeys = yield* Effect.fromResult(detachKeysOf(values["detach-keys"]))
    const session = yield* engine.attach(id, { stdin, stdout: true, stderr: true, claim: false })
    yield* checkTerminal(stdin && config.tty)
    const { detached, status } = yield* joinSession(session, {
      stdin, tty: config.tty, detachKeys, redraw: true,
      signalsTo: values["sig-proxy"] && !config.tty ? id : undefined,
      status: Effect.map(engine.wait(id), (exit) => exit.code)
    })
    return detached ? yield* leftByKeys : status
  }).pipe(Effect.scoped)
})
