/** `create`: a container that has not started yet. */
import * as Effect from "effect/Effect"
import { printLine } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { containerFlags } from "./run/containerFlags.ts"
import { createContainer } from "./run/createContainer.ts"
import { configOf } from "./run/readInput.ts"

export const create = command({
  forms: ["[OPTIONS] IMAGE [COMMAND] [ARG...]"],
  summary: "Create a new container",
  flags: {
    ...containerFlags, pull: { ...containerFlags.pull, usage: "Pull image before creating (\"always\", \"|missing\", \"never\")" }
  },
  arguments: { least: 1, unlessGiven: "rootfs" },
  interspersed: false,
  engine: "changes",
  run: (invocation) => Effect.gen(function*() {
    const config = yield* configOf(invocation, false)
    yield* printLine(yield* createContainer(config, invocation.values))
    return 0
  })
})
