/** A command on its engine: which kernel that has, and what goes around it. */
import * as Effect from "effect/Effect"
import type { Globals } from "./argv/globalFlags.ts"
import type { Read } from "./argv/readCommand.ts"
import type { Running, Services } from "./commands/Command.ts"
import { engineLayer } from "./engineLayer.ts"
import { recoverFirst } from "./recoverFirst.ts"
import { print } from "./terminal/print.ts"

/** The command after the engine has put its house in order. */
const inOrder = (read: Read, globals: Globals): Running<Services> => {
  const run = read.command.run(read.invocation)
  return read.command.asFound === true
    ? run
    : Effect.andThen(recoverFirst(globals["log-level"] ?? "info"), run)
}

const planned = (read: Read, globals: Globals, cli: string): Running<never> => Effect.gen(function*() {
  const { makePlanner, onlooker } = yield* Effect.promise(() => import("./instruments.ts"))
  const { planJson, planText } = yield* Effect.promise(() => import("./format/planText.ts"))
  const planner = makePlanner()
  // Nothing is really mended: of that there is nothing to tell
  const level = globals["log-level"] === "error" ? "error" : "info"
  const prepared = read.command.asFound === true ? Effect.void : recoverFirst(level)
  const status = yield* prepared.pipe(
    Effect.andThen(planner.begin),
    Effect.andThen(read.command.run(read.invocation)),
    Effect.provide(engineLayer({ globals, cli, instruments: [planner.layer], plan: true })),
    Effect.provide(onlooker)
  )
  if (status === 0) yield* print((read.planFormat === "json" ? planJson : planText)(planner.operations))
  return status
})

const traced = (read: Read, globals: Globals, cli: string): Running<never> => Effect.gen(function*() {
  const instruments = yield* Effect.promise(() => import("./instruments.ts"))
  const instrument = yield* instruments.traced(read.trace)
  const engine = engineLayer({ globals, cli, instruments: [instrument], plan: false })
  return yield* Effect.provide(inOrder(read, globals), engine)
}).pipe(Effect.scoped)

export const runOnEngine = (read: Read, globals: Globals, cli: string): Running<never> => {
  if (read.invocation.plan) return planned(read, globals, cli)
  if (read.trace !== "") return traced(read, globals, cli)
  return Effect.provide(inOrder(read, globals), engineLayer({ globals, cli, instruments: [], plan: false }))
}
