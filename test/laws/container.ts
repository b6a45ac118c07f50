/** What laws do with containers: run them, exec in them, read their logs, and wait for what must come. */
import { assert } from "@effect/vitest"
import { Effect, Result, Scope, Stream } from "effect"
import { type ContainerConfig, defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../src/domain/container/ContainerError.ts"
import type { StateName } from "../../src/domain/container/ContainerRecord.ts"
import type { ExitStatus } from "../../src/domain/kernel/Supervisor.ts"
import type { ExecOptions } from "../../src/programs/container/exec.ts"
import type { LogOptions } from "../../src/programs/container/logs.ts"
import { type AttachWish, Engine, type EngineError, type Session } from "../../src/programs/Engine.ts"
import type { Ground } from "./Ground.ts"

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (pieces: ReadonlyArray<Uint8Array>): string => Buffer.concat(pieces).toString("utf8")

export const config = (
  ground: Ground, command: ReadonlyArray<string>, more: Partial<ContainerConfig> = {}
): ContainerConfig => ({ ...defaultConfig("busybox"), rootfs: ground.rootfs, command, ...more })

export const script = (ground: Ground, source: string, more: Partial<ContainerConfig> = {}): ContainerConfig =>
  config(ground, ["sh", "-c", source], more)

export interface Outcome {
  readonly exit: ExitStatus | undefined
  readonly stdout: string
  readonly stderr: string
}

export const everything: AttachWish = { stdin: true, stdout: true, stderr: true, claim: true }

/** Follows a session to its end. */
export const follow = (
  session: Session, input?: Stream.Stream<Uint8Array>
): Effect.Effect<Outcome, EngineError> =>
  Effect.gen(function*() {
    const out: Record<"stdout" | "stderr", Array<Uint8Array>> = { stdout: [], stderr: [] }
    const ending = yield* session.run({
      input, sizes: Stream.never, detached: Effect.never,
      output: (stream, data) => Effect.sync(() => void out[stream].push(data.slice()))
    })
    return {
      exit: ending._tag === "Exited" ? ending.exit : undefined, stdout: text(out.stdout), stderr: text(out.stderr)
    }
  })

/** Runs a container attached, to its end, and removes it. */
export const ran = (
  wanted: ContainerConfig, input?: string
): Effect.Effect<Outcome, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(
      input === undefined ? wanted : { ...wanted, openStdin: true, stdinOnce: true }, ""
    )
    const outcome = yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* engine.startAttached(id, { ...everything, stdin: input !== undefined })
      return yield* follow(session, input === undefined ? undefined : Stream.make(bytes(input)))
    }))
    yield* engine.remove(id, { force: false })
    return outcome
  })

/** What it wrote on its standard output; it must have ended well. */
export const output = (wanted: ContainerConfig, input?: string): Effect.Effect<string, EngineError, Engine> =>
  Effect.map(ran(wanted, input), ({ exit, stderr, stdout }) => {
    assert.deepStrictEqual({ code: exit?.code, stderr }, { code: 0, stderr: "" }, stdout)
    return stdout
  })

export const execOptions = (command: ReadonlyArray<string>, more: Partial<ExecOptions> = {}): ExecOptions => ({
  command, env: [], user: "", workingDirectory: "", tty: false, consoleSize: [0, 0], stdin: false, privileged: false,
  attach: 3, ...more
})

/** Begins an exec that is over with the scope. */
export const executing = (
  reference: string, command: ReadonlyArray<string>, more: Partial<ExecOptions> = {}
): Effect.Effect<Session, EngineError, Engine | Scope.Scope> =>
  Effect.flatMap(Engine, (engine) => engine.exec(reference, execOptions(command, more)))

export const executed = (
  reference: string, command: ReadonlyArray<string>, more: Partial<ExecOptions> = {}
): Effect.Effect<Outcome, EngineError, Engine> =>
  Effect.scoped(Effect.flatMap(executing(reference, command, more), (session) => follow(session)))

/** What a script that ends well writes in a running container. */
export const told = (reference: string, source: string): Effect.Effect<string, EngineError, Engine> =>
  Effect.map(executed(reference, ["sh", "-c", source]), ({ exit, stderr, stdout }) => {
    assert.deepStrictEqual({ code: exit?.code, stderr }, { code: 0, stderr: "" }, `${source}: ${stdout}`)
    return stdout
  })

/** Creates and starts, not attached; gives the id. */
export const started = (wanted: ContainerConfig, name = ""): Effect.Effect<string, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(wanted, name)
    yield* engine.start(id)
    return id
  })

/** A container that lives until it is told to end; a shell, so that it may have traps. */
export const idle = (ground: Ground, more: Partial<ContainerConfig> = {}): ContainerConfig =>
  config(ground, ["sleep", "1000"], more)

export const stateOf = (reference: string): Effect.Effect<StateName, EngineError, Engine> =>
  Effect.flatMap(Engine, (engine) => Effect.map(engine.find("inspect", reference), ({ state }) => state.name))

/** The ContainerError that an effect must fail with. */
export const refusal = <A, R>(
  effect: Effect.Effect<A, EngineError, R>
): Effect.Effect<ContainerError, never, R> =>
  Effect.map(Effect.result(effect), (result) => {
    assert.isTrue(Result.isFailure(result), "it must be refused")
    const error = Result.isFailure(result) ? result.failure : undefined
    if (!(error instanceof ContainerError)) return assert.fail(`not in the words of the engine: ${error?.message}`)
    return error
  })

/** Asks again until it is as wanted, five seconds at most. */
export const eventually = <A, E, R>(
  ground: Ground, asked: Effect.Effect<A, E, R>, wanted: (value: A) => boolean
): Effect.Effect<A, E, R> => {
  const rounds = 500 * ground.patience
  const ask = (round: number): Effect.Effect<A, E, R> =>
    Effect.flatMap(asked, (value) => {
      if (wanted(value)) return Effect.succeed(value)
      if (round === rounds) return assert.fail(`still ${JSON.stringify(value)}`)
      return Effect.andThen(Effect.sleep("10 millis"), ask(round + 1))
    })
  return ask(0)
}

const allLines: LogOptions = { tail: -1, since: undefined, until: undefined, follow: false }

/** The log's lines, `stream text`. */
export const logged = (
  reference: string, options: Partial<LogOptions> = {}
): Effect.Effect<ReadonlyArray<string>, EngineError, Engine> =>
  Effect.flatMap(Engine, (engine) =>
    Effect.map(Stream.runCollect(engine.logs(reference, { ...allLines, ...options })), (lines) =>
      lines.map((line) => `${line.stream} ${line.text.replace(/\n$/, "")}`)))

/** Waits until the log has a line. */
export const untilLogged = (
  ground: Ground, reference: string, line: string
): Effect.Effect<ReadonlyArray<string>, EngineError, Engine> =>
  eventually(ground, logged(reference), (lines) => lines.includes(`stdout ${line}`))
