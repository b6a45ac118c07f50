/** Environment, working directory and files of the user who runs this process. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  closeSync, createReadStream, existsSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, writeSync
} from "node:fs"
import { dirname } from "node:path"
import { badOptions, CommandFailure, refusal } from "../commands/CommandFailure.ts"
import { Surroundings } from "./Surroundings.ts"

/** Go's words for the usual failures (strerror(3)). */
const reasons: { readonly [errno: string]: string } = {
  ENOENT: "no such file or directory", EACCES: "permission denied", EISDIR: "is a directory",
  ENOTDIR: "not a directory", EEXIST: "file exists", ELOOP: "too many levels of symbolic links",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system"
}

const failure = (path: string) => (fault: unknown): CommandFailure => {
  const { code = "EIO" } = fault as NodeJS.ErrnoException
  return badOptions(`open ${path}: ${reasons[code] ?? code}`)
}

/** Largest file that is read whole: env files and profiles are far smaller. */
const largestFile = 16 << 20

const readWhole = (path: string): Effect.Effect<Uint8Array, CommandFailure> =>
  Effect.flatMap(
    Effect.try({ try: () => readFileSync(path), catch: failure(path) }),
    (bytes) => bytes.length <= largestFile
      ? Effect.succeed(bytes)
      : Effect.fail(badOptions(`${path} is larger than ${largestFile} bytes: name a smaller file`))
  )

const streamFile = (path: string): Stream.Stream<Uint8Array, CommandFailure> =>
  Stream.suspend(() => Stream.fromAsyncIterable(createReadStream(path, { highWaterMark: 1 << 18 }), failure(path)))

interface Draft {
  readonly file: number
  /** Where it becomes what it is to be; "" for what is written to directly. */
  readonly target: string
  readonly path: string
}

/** Beside the place of the file: what a link leads to is replaced, not the link. */
const openDraft = (path: string): Effect.Effect<Draft, CommandFailure> => Effect.suspend(() => {
  const parent = statSync(dirname(path), { throwIfNoEntry: false })
  if (parent === undefined) return Effect.fail(refusal(`invalid output path: stat ${dirname(path)}: no such file or directory`))
  const status = statSync(path, { throwIfNoEntry: false })
  if (status?.isDirectory() === true) return Effect.fail(refusal("cannot write to a directory"))
  return Effect.try({
    try: (): Draft => {
      if (status !== undefined && !status.isFile()) return { file: openSync(path, "w"), target: "", path }
      const target = status === undefined ? path : realpathSync(path)
      const draft = `${target}.${process.pid}.new`
      return { file: openSync(draft, "wx", 0o600), target, path: draft }
    },
    catch: failure(path)
  })
})

const writePiece = (draft: Draft, path: string) => (bytes: Uint8Array) =>
  Effect.try({
    try: () => {
      for (let at = 0; at < bytes.length;) at += writeSync(draft.file, bytes, at)
    },
    catch: failure(path)
  })

const writeStream = <E, R>(path: string, data: Stream.Stream<Uint8Array, E, R>): Effect.Effect<void, E | CommandFailure, R> =>
  Effect.acquireUseRelease(
    openDraft(path),
    (draft) => Stream.runForEach(data, writePiece(draft, path)),
    (draft, exit) => Effect.try({
      try: () => {
        closeSync(draft.file)
        if (draft.target === "") return
        if (Exit.isSuccess(exit)) renameSync(draft.path, draft.target)
        else rmSync(draft.path, { force: true })
      },
      catch: failure(path)
    })
  )

/** Short name such as `CET`; Go prints the offset where a zone has none. */
const zoneName = (time: number): string =>
  /\(([^)]*)\)/.exec(new Date(time).toString())?.[1]?.split(" ").map((word) => word.charAt(0)).join("") ?? "UTC"

const zone = (time: number) => {
  const minutes = -new Date(time).getTimezoneOffset()
  return { minutes, name: minutes === 0 ? "UTC" : zoneName(time) }
}

export const nodeSurroundings: Layer.Layer<Surroundings> = Layer.sync(Surroundings, () => ({
  environment: process.env,
  workingDirectory: process.cwd(),
  user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  zone,
  readFile: readWhole,
  streamFile,
  writeFile: (path, text, { exclusive }) =>
    Effect.try({
      try: () => writeFileSync(path, text, { flag: exclusive ? "wx" : "w", mode: 0o644 }), catch: failure(path)
    }),
  writeStream,
  exists: (path) => Effect.sync(() => existsSync(path)),
  removeFile: (path) => Effect.sync(() => rmSync(path, { force: true }))
}))
