/**
 * A stage for commands: a terminal, surroundings and an engine that are as much as a test says and no more. What
 * an engine was asked beyond that is a defect, so a test knows all that a command does.
 */
import { Effect, Layer, Scope, Stream } from "effect"
import { findCommand } from "../../src/cli/argv/findCommand.ts"
import { readCommand } from "../../src/cli/argv/readCommand.ts"
import type { Running } from "../../src/cli/commands/Command.ts"
import { runOnEngine } from "../../src/cli/runOnEngine.ts"
import { tellFailure } from "../../src/cli/tellFailure.ts"
import { badOptions } from "../../src/cli/commands/CommandFailure.ts"
import { Surroundings } from "../../src/cli/terminal/Surroundings.ts"
import { OutputClosed, type OutputName, Terminal } from "../../src/cli/terminal/Terminal.ts"
import { type ContainerConfig, defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../src/domain/container/ContainerError.ts"
import type { ContainerRecord, ContainerState, StateName } from "../../src/domain/container/ContainerRecord.ts"
import { noImageDefaults } from "../../src/domain/image/Defaults.ts"
import type { ExitStatus } from "../../src/domain/kernel/Supervisor.ts"
import { Engine, type Session, type Summary } from "../../src/programs/Engine.ts"
import { Images, type ImagesShape } from "../../src/programs/Images.ts"
import { Registries } from "../../src/programs/Registries.ts"

export interface Props {
  readonly stdin?: ReadonlyArray<string>
  /** Which of the standard streams are a terminal. */
  readonly terminals?: ReadonlyArray<"stdin" | OutputName>
  readonly size?: { readonly rows: number; readonly columns: number }
  readonly environment?: { readonly [name: string]: string }
  readonly files?: { readonly [path: string]: string }
  /** Files that are no text: read, and written by what streams. */
  readonly archives?: Map<string, Uint8Array>
  /** Numbers of signals sent to the program once somebody takes them. */
  readonly signals?: ReadonlyArray<number>
  /** Writes that succeed before the reader of stdout goes away. */
  readonly patience?: number
  /** `own`: the one that the command line itself would have. */
  readonly engine?: Partial<Engine["Service"]> | "own"
  readonly images?: Partial<ImagesShape>
  readonly registries?: Partial<Registries["Service"]>
}

export interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Files as they were left. */
  readonly files: Map<string, string>
  /** Whether the terminal was raw at some time, and is now. */
  readonly wasRaw: boolean
  readonly isRaw: boolean
  /** What was said on stderr while it was raw, where a line feed does not lead to the first column. */
  readonly saidRaw: string
}

const never = (): never => {
  throw new Error("what was read was found")
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Runs a command line on the stage. */
export const runLine = async (argv: ReadonlyArray<string>, props: Props = {}): Promise<Outcome> => {
  const output = { stdout: "", stderr: "" }
  const files = new Map(Object.entries(props.files ?? {}))
  const archives = props.archives ?? new Map<string, Uint8Array>()
  /** What was read once is gone. */
  const typed = [...props.stdin ?? []]
  const raw = { was: false, is: false, said: "" }
  let writes = 0
  const terminal = Layer.succeed(Terminal, {
    input: Stream.unfold(undefined, () => Effect.sync(() => {
      const piece = typed.shift()
      return piece === undefined ? undefined : [bytes(piece), undefined] as const
    })),
    write: (stream, data) => Effect.suspend(() => {
      if (stream === "stdout" && writes++ >= (props.patience ?? Infinity)) {
        return Effect.fail(new OutputClosed({ stream, errno: "EPIPE" }))
      }
      const text = typeof data === "string" ? data : new TextDecoder().decode(data)
      output[stream] += text
      if (raw.is && stream === "stderr") raw.said += text
      return Effect.void
    }),
    isTerminal: (stream) => props.terminals?.includes(stream) === true,
    size: Effect.succeed(props.size),
    resizes: Stream.never,
    raw: Effect.acquireRelease(
      Effect.sync(() => { raw.was = raw.is = true }),
      () => Effect.sync(() => { raw.is = false })
    ),
    signals: Stream.concat(Stream.fromIterable(props.signals ?? []), Stream.never)
  })
  const open = (path: string) => {
    const archive = archives.get(path)
    if (archive !== undefined) return Effect.succeed(archive)
    const text = files.get(path)
    return text === undefined
      ? Effect.fail(badOptions(`open ${path}: no such file or directory`))
      : Effect.succeed(bytes(text))
  }
  const surroundings = Layer.succeed(Surroundings, {
    environment: props.environment ?? {},
    workingDirectory: "/home/user",
    user: { uid: 1000, gid: 1000 },
    zone: () => ({ minutes: 0, name: "UTC" }),
    readFile: open,
    streamFile: (path) => Stream.fromEffect(open(path)),
    writeStream: (path, data) => Effect.map(Stream.runCollect(data), (pieces) => {
      archives.set(path, new Uint8Array(Buffer.concat(pieces)))
      files.set(path, Buffer.concat(pieces).toString())
    }),
    writeFile: (path, text) => Effect.sync(() => void files.set(path, text)),
    exists: (path) => Effect.succeed(files.has(path)),
    removeFile: (path) => Effect.sync(() => void files.delete(path))
  })
  const done = (exitCode: number): Outcome => ({ exitCode, ...output, files, wasRaw: raw.was, isRaw: raw.is, saidRaw: raw.said })
  const found = findCommand(argv, () => 80)
  const read = found._tag === "Answer" ? found : readCommand(await found.entry.load(), found, () => 80)
  if (read._tag === "Answer") {
    output[read.stream] += read.text
    return done(read.exitCode)
  }
  const run = props.engine === "own"
    ? read.command.engine === "nothing"
      ? read.command.run(read.invocation) as Running<never>
      : runOnEngine(read, found._tag === "Found" ? found.globals : never(), "cli.mjs")
    : Effect.provide(read.command.run(read.invocation), Layer.mergeAll(
      Layer.mock(Engine, (props.engine ?? {}) as Engine["Service"]), Layer.mock(Images, (props.images ?? {}) as ImagesShape),
      Layer.mock(Registries, (props.registries ?? {}) as Registries["Service"])
    ))
  return done(await Effect.runPromise(
    Effect.provide(tellFailure(read.described, run), Layer.merge(terminal, surroundings))
  ))
}

/** An id of 64 digits that begins like this. */
export const id = (beginning: string): string => beginning.padEnd(64, "0")

/** A container as the engine's list has it. */
export const summary = (
  name: string, state: StateName, more: {
    readonly config?: Partial<ContainerConfig>
    readonly record?: Partial<ContainerRecord>
    readonly exit?: ExitStatus
    readonly startedAt?: string
    readonly finishedAt?: string
  } = {}
): Summary => {
  const record: ContainerRecord = {
    version: 1, id: id(name.replace(/[^0-9a-f]/g, "f")), name, createdAt: "2024-05-01T10:00:00Z",
    config: { ...defaultConfig("busybox"), command: ["sh"], ...more.config },
    layers: ["/layer"], imageId: "", image: noImageDefaults, phase: "created", cgroups: [], limitsPending: false,
      stopRequested: false, error: "",
    restartCount: 0, ...more.record
  }
  const up = state === "running" || state === "paused"
  const seen: ContainerState = {
    name: state, error: "",
    ...(up ? { process: { pid: 4321, startTime: 99 } } : {}),
    ...(more.exit === undefined ? {} : { exit: more.exit }),
    ...(more.startedAt === undefined ? {} : { startedAt: more.startedAt }),
    ...(more.finishedAt === undefined ? {} : { finishedAt: more.finishedAt })
  }
  return { record, state: seen }
}

export const exited = (code: number): ExitStatus => ({ code, signal: 0, oomKilled: false })

/** A session of which the other side says `says` and then ends with `code`; what it hears is kept. */
export const speaking = (says: string, code: number, heard: Array<string> = []): Session => ({
  run: (client) => Effect.gen(function*() {
    yield* client.output("stdout", bytes(says))
    if (client.input !== undefined) {
      yield* Stream.runForEach(client.input, (data) =>
        Effect.sync(() => void heard.push(new TextDecoder().decode(data))))
      heard.push("end")
    }
    return { _tag: "Exited", exit: exited(code) } as const
  }),
  resize: () => Effect.void
})

/** A session that goes on until the user leaves it. */
export const endless = (heard: Array<string> = []): Session => ({
  run: (client) =>
    Effect.raceFirst(
      Effect.as(client.detached, { _tag: "Detached" } as const),
      Effect.andThen(
        Stream.runForEach(client.input ?? Stream.never, (data) =>
          Effect.sync(() => void heard.push(new TextDecoder().decode(data)))),
        Effect.never
      )
    ),
  resize: () => Effect.void
})

export const missing = (reference: string): ContainerError =>
  new ContainerError({ operation: "find", object: reference, kind: "missing",
    cause: `No such container: ${reference}` })

/** The type of effects that need a scope, for engines of tests. */
export type Scoped<A> = Effect.Effect<A, never, Scope.Scope>
