/** `exec`: one more program in a running container. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import { attachFlags } from "../../domain/kernel/Supervisor.ts"
import { parseUser } from "../../domain/text/flags/Identity.ts"
import { parseEnvironmentLine } from "../../domain/text/flags/KeyValueFile.ts"
import { Engine } from "../../programs/Engine.ts"
import { boolean, list, text } from "../argv/Flag.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { CommandFailure, describe, refusal } from "./CommandFailure.ts"
import { environmentOf } from "./run/processPart.ts"
import { readInput } from "./run/readInput.ts"
import { checkTerminal, detachKeysFlag, detachKeysOf, joinSession, leftByKeys } from "./session.ts"

const flags = {
  detach: boolean("Detached mode: run command in the background", { short: "d" }),
  ...detachKeysFlag,
  env: list("Set environment variables", {
    short: "e", parse: (line) => Result.map(parseEnvironmentLine(line, {}), () => line)
  }),
  "env-file": list("Read in a file of environment variables"),
  interactive: boolean("Keep STDIN open even if not attached", { short: "i" }),
  privileged: boolean("Give extended privileges to the command"),
  tty: boolean("Allocate a pseudo-TTY", { short: "t" }),
  user: text(`Username or UID (format: "<name|uid>[:<group|gid>]")`, { short: "u" }),
  workdir: text("Working directory inside the container", { short: "w" })
}

/** Nobody listens: the supervisor of a detached command ends with it. */
const noStreams = 0

/** What cannot be run for another reason than that it is not there ends with 126 (moby, daemon/exec.go). */
const exitCodeOf = ({ exitCode, kind }: ContainerError): number => exitCode ?? (kind === "failed" ? 126 : 1)

export const exec = command({
  forms: ["[OPTIONS] CONTAINER COMMAND [ARG...]"],
  summary: "Execute a command in a running container",
  flags,
  arguments: { least: 2 },
  interspersed: false,
  engine: "changes",
  run: ({ arguments: [reference = "", ...argv], plan, values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const stdin = values.interactive && !values.detach
    yield* checkTerminal(stdin && values.tty && !plan)
    const input = yield* readInput({ ...values, "label-file": [], "security-opt": [] }).pipe(
      Effect.mapError((error) => refusal(error.message))
    )
    const env = yield* Effect.fromResult(environmentOf(values, input)).pipe(Effect.mapError(refusal))
    if (values.user !== "") yield* Effect.fromResult(parseUser(values.user))
    const detachKeys = yield* Effect.fromResult(detachKeysOf(values["detach-keys"]))
    const size = values.tty ? yield* Effect.flatMap(Terminal, (terminal) => terminal.size) : undefined
    const session = yield* engine.exec(reference, {
      command: argv, env, user: values.user, workingDirectory: values.workdir, tty: values.tty,
      consoleSize: size === undefined ? [0, 0] : [size.rows, size.columns],
      stdin, privileged: values.privileged,
      attach: values.detach ? noStreams : attachFlags.stdout | attachFlags.stderr | (stdin ? attachFlags.stdin : 0)
    }).pipe(Effect.mapError((error) => error._tag === "ContainerError" && error.kind !== "invalid"
      ? new CommandFailure({ message: describe(error).message, exitCode: exitCodeOf(error), hint: false })
      : error))
    if (values.detach || plan) return 0
    const { detached, status } = yield* joinSession(session, {
      stdin, tty: values.tty, detachKeys, redraw: false, signalsTo: undefined,
      status: Effect.succeed(137)
    })
    return detached ? yield* leftByKeys : status
  }).pipe(Effect.scoped)
})
