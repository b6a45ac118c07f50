/** `cp`: files and trees from a container to the host or back, or as a tar archive on stdin or stdout. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  absolutePath, type ContainerOperand, type CopySource, meansDirectory, parseCopy, planCopy, planStreamIn
} from "../../domain/layer/ArchivePath.ts"
import { formatDecimalSize } from "../../domain/text/ByteSize.ts"
import { Engine, type EngineError } from "../../programs/Engine.ts"
import { boolean, type Values } from "../argv/Flag.ts"
import { complain, print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { destinationOf, isAbsent, type Side } from "./copy/destination.ts"

const flags = {
  archive: boolean("Archive mode (copy all uid/gid information)", { short: "a" }),
  "follow-link": boolean("Always follow symbol link in SRC_PATH", { short: "L" }),
  quiet: boolean(
    "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
    { short: "q" }
  )
}

interface End extends Side {
  /** What the side's paths count from. */
  readonly base: string
  /** As errors and the last line name it. */
  readonly title: (path: string) => string
  /** Owner of what is copied there, unless --archive. */
  readonly owner: { readonly uid: number; readonly gid: number }
}

const containerEnd = (engine: Engine["Service"], { container }: ContainerOperand): End => ({
  stat: (path, follow) => engine.stat(container, path, follow),
  copyOut: (path, options) => engine.copyOut(container, path, options),
  copyIn: (path, data, owner) => engine.copyIn(container, path, data, owner),
  base: "/",
  title: (path) => `${container}:${path}`,
  owner: { uid: 0, gid: 0 }
})

const hostEnd = (engine: Engine["Service"], surroundings: Surroundings["Service"]): End => ({
  ...engine.host, base: surroundings.workingDirectory, title: (path) => path, owner: surroundings.user
})

const sourceOf = (end: End, written: string, follow: boolean): Effect.Effect<CopySource, EngineError> => {
  const path = absolutePath(end.base, written)
  const status = end.stat(path, follow || meansDirectory(path))
  return Effect.map(status, ({ type }) => ({ path, isDirectory: type === "directory" }))
}

const missing = (end: End, path: string) => (error: EngineError) =>
  isAbsent(error) ? refusal(`cannot copy ${end.title(path)}: no such file or directory`) : error

/** Counts what passes, for the last line. */
const counted = (data: Stream.Stream<Uint8Array, EngineError>, count: (bytes: number) => void) =>
  Stream.map(data, (bytes) => {
    count(bytes.length)
    return bytes
  })

const told = (bytes: number, where: string, quiet: boolean) => Effect.gen(function*() {
  const terminal = yield* Terminal
  if (quiet || !terminal.isTerminal("stderr")) return
  yield* complain(`Successfully copied ${formatDecimalSize(bytes)} to ${where}`)
})

const copyTree = (from: End, source: string, to: End, destination: string, values: Values<typeof flags>) =>
  Effect.gen(function*() {
    const follow = values["follow-link"]
    const found = yield* sourceOf(from, source, follow).pipe(Effect.mapError(missing(from, source)))
    const target = yield* destinationOf(to, absolutePath(to.base, destination))
    const plan = yield* Effect.fromResult(planCopy(found, target))
    let bytes = 0
    const data = from.copyOut(found.path, { name: plan.name, follow: follow || meansDirectory(found.path) })
    yield* to.copyIn(plan.directory, counted(data, (more) => bytes += more), values.archive ? undefined : to.owner)
    yield* told(bytes, to.title(destination), values.quiet)
  })

const copyToStdout = (from: End, source: string, follow: boolean) => Effect.gen(function*() {
  const { path } = yield* sourceOf(from, source, follow).pipe(Effect.mapError(missing(from, source)))
  const plan = yield* Effect.fromResult(planCopy({ path, isDirectory: true }, { path: "/", kind: "directory" }))
  yield* Stream.runForEach(from.copyOut(path, { name: plan.name, follow: follow || meansDirectory(path) }), print)
})

const copyFromStdin = (to: End, destination: string, archive: boolean) => Effect.gen(function*() {
  const terminal = yield* Terminal
  const target = yield* destinationOf(to, absolutePath(to.base, destination))
  const plan = yield* Effect.fromResult(planStreamIn(target))
  yield* to.copyIn(plan.directory, terminal.input, archive ? undefined : to.owner)
})

export const cp = command({
  forms: ["[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-", "[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH"],
  summary: "Copy files/folders between a container and the local filesystem",
  details: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  flags,
  arguments: { least: 2, most: 2 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [from = "", to = ""], values }) => Effect.gen(function*() {
    const engine = yield* Engine
    const host = hostEnd(engine, yield* Surroundings)
    const copy = yield* Effect.fromResult(parseCopy(from, to))
    if (copy._tag === "FromContainer") {
      const { destination, source } = copy
      const container = containerEnd(engine, source)
      yield* destination._tag === "Stream"
        ? copyToStdout(container, source.path, values["follow-link"])
        : copyTree(container, source.path, host, destination.path, values)
    } else {
      const { destination, source } = copy
      const container = containerEnd(engine, destination)
      yield* source._tag === "Stream"
        ? copyFromStdin(container, destination.path, values.archive)
        : copyTree(host, source.path, container, destination.path, values)
    }
    return 0
  })
})
