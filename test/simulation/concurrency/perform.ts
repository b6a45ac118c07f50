/** Performs a command on an engine, and says in a few words what came of it. */
import { Cause, Effect, Exit, Option, Stream } from "effect"
import type { ContainerConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { ContainerState } from "../../../src/domain/container/ContainerRecord.ts"
import { runDirectory } from "../../../src/domain/container/Paths.ts"
import { parseStatus } from "../../../src/domain/kernel/Supervisor.ts"
import { Engine, type EngineError, type Session } from "../../../src/programs/Engine.ts"
import { type Kernel, perform as performOp } from "../../../src/programs/Kernel.ts"
import { encodeTree } from "../../differential/archive.ts"
import { config, paths } from "../SimulatedEngine.ts"
import type { Command, Program } from "./Command.ts"

/** What is seen of a container. */
export interface Seen {
  readonly name: string
  readonly state: string
  /** −1 for none. */
  readonly code: number
  /** Its limit of processes, 0 for none. */
  readonly pids: number
}

/** Why a command was refused, or its failure when that is not in the engine's words: nobody may get one of those. */
export type Outcome =
  | { readonly _tag: "Done"; readonly code?: number; readonly seen?: ReadonlyArray<Seen> }
  | { readonly _tag: "Refused"; readonly kind: ContainerError["kind"]; readonly cause: string }
  /** The client had no more patience. */
  | { readonly _tag: "Left" }
  | { readonly _tag: "Broken"; readonly cause: string }

const argv: { readonly [P in Program]: ReadonlyArray<string> } = {
  idle: ["sleep", "1000000"],
  short: ["sh", "-c", "echo hello; sleep 0.3; exit 3"],
  polite: ["sh", "-c", "trap 'exit 5' TERM; echo hello; sleep 1000000 & wait"],
  broken: ["nothing-such"]
}

/** What an exec ends with if it can. */
export const execCode = 7

const tree = encodeTree([{ type: "file", path: "one", mode: 0o644, uid: 0, content: "one\n" }])

const lookOn = { stdin: false, stdout: true, stderr: true, claim: false }

const codeOf = (state: ContainerState): number => state.exit?.code ?? -1

const seenOf = ({ record, state }: { readonly record: { readonly name: string; readonly config: ContainerConfig }; readonly state: ContainerState }): Seen => ({
  name: record.name, state: state.name, code: codeOf(state), pids: record.config.resources.pidsLimit ?? 0
})

/** Follows a session; who has to wait too long for its end leaves. */
const follow = (session: Session, patience: number) =>
  Effect.map(
    session.run({
      input: undefined, sizes: Stream.never, output: () => Effect.void,
      detached: Effect.sleep(`${patience} seconds`)
    }),
    (ending): Outcome => ending._tag === "Exited" ? { _tag: "Done", code: ending.exit.code } : { _tag: "Left" }
  )

/** Sends SIGKILL to the supervisor of a container that has one. */
const killSupervisor = (name: string) =>
  Effect.gen(function*() {
    const { record } = yield* Effect.flatMap(Engine, (engine) => engine.find("inspect", name))
    const text = yield* performOp("FileRead", { path: `${runDirectory(paths, record.id)}/status`, limit: 65_536 })
    yield* performOp("ProcessSignal", { process: parseStatus(text)!.supervisor, signal: 9 })
    return done
  }).pipe(Effect.catchTag("KernelError", () => Effect.succeed<Outcome>({ _tag: "Left" })))

const done: Outcome = { _tag: "Done" }

const act = (command: Command): Effect.Effect<Outcome, EngineError, Engine | Kernel> =>
  Effect.flatMap(Engine, (engine): Effect.Effect<Outcome, EngineError, Engine | Kernel> => {
    switch (command._tag) {
      case "Create":
        return Effect.as(engine.create(config(argv[command.program]), command.name), done)
      case "Start":
        return Effect.as(engine.start(command.name), done)
      case "StartAttached":
        return Effect.scoped(Effect.flatMap(engine.startAttached(command.name, lookOn), (session) => follow(session, 1)))
      case "Stop":
        return Effect.as(engine.stop(command.name, { timeout: command.timeout }), done)
      case "Kill":
        return Effect.as(engine.kill(command.name, command.signal), done)
      case "Remove":
        return Effect.as(engine.remove(command.name, { force: command.force }), done)
      case "Restart":
        return Effect.as(engine.restart(command.name, { timeout: 0 }), done)
      case "Pause":
        return Effect.as(engine.pause(command.name), done)
      case "Unpause":
        return Effect.as(engine.unpause(command.name), done)
      case "Wait":
        return Effect.map(Effect.timeoutOption(engine.wait(command.name), "2 seconds"), Option.match({
          onNone: (): Outcome => ({ _tag: "Left" }), onSome: ({ code }): Outcome => ({ _tag: "Done", code })
        }))
      case "Rename":
        return Effect.as(engine.rename(command.name, command.to), done)
      case "Update":
        return Effect.as(engine.update(command.name, { resources: { pidsLimit: command.pids } }), done)
      case "Exec":
        return Effect.map(Effect.timeoutOption(
          Effect.scoped(Effect.flatMap(engine.exec(command.name, {
            command: ["sh", "-c", `exit ${execCode}`], env: [], user: "", workingDirectory: "", tty: false, consoleSize: [0, 0],
            stdin: false, privileged: false, attach: 3
          }), (session) => follow(session, 5))), "20 seconds"
        ), Option.getOrElse((): Outcome => ({ _tag: "Left" })))
      case "Attach":
        return Effect.scoped(Effect.flatMap(engine.attach(command.name, lookOn), (session) => follow(session, 0)))
      case "Logs":
        return Effect.as(Stream.runDrain(engine.logs(command.name, { tail: -1, since: undefined, until: undefined, follow: false })), done)
      case "CopyIn":
        return Effect.as(engine.copyIn(command.name, "/", Stream.make(tree), undefined), done)
      case "CopyOut":
        return Effect.as(Stream.runDrain(engine.copyOut(command.name, "/etc", { name: "etc", follow: false })), done)
      case "Inspect":
        return Effect.map(engine.find("inspect", command.name), (one): Outcome => ({ _tag: "Done", seen: [seenOf(one)] }))
      case "List":
        return Effect.map(engine.list, (all): Outcome => ({ _tag: "Done", seen: all.map(seenOf) }))
      case "KillSupervisor":
        return killSupervisor(command.name)
      case "Recover":
        return Effect.map(engine.recover, ({ quarantined }): Outcome =>
          quarantined.length === 0 ? done : { _tag: "Broken", cause: quarantined.map((one) => one.reason).join(", ") })
    }
  })

export const perform = (command: Command): Effect.Effect<Outcome, never, Engine | Kernel> =>
  Effect.map(Effect.exit(act(command)), (exit): Outcome => {
    if (Exit.isSuccess(exit)) return exit.value
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    return error instanceof ContainerError
      ? { _tag: "Refused", kind: error.kind, cause: error.cause }
      : { _tag: "Broken", cause: Cause.pretty(exit.cause) }
  })

export const showOutcome = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Done":
      return ["done", ...(outcome.code === undefined ? [] : [outcome.code]), ...(outcome.seen ?? []).map(showSeen)].join(" ")
    case "Refused":
      return `refused (${outcome.kind}): ${outcome.cause}`
    case "Left":
      return "left"
    case "Broken":
      return `BROKEN: ${outcome.cause}`
  }
}

export const showSeen = ({ code, name, pids, state }: Seen): string =>
  `${name}=${state}${code < 0 ? "" : `(${code})`}${pids === 0 ? "" : `[${pids}]`}`
