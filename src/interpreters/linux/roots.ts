/** Handlers that look into root file systems: of live processes on pool threads, of layers at once. */
import * as Effect from "effect/Effect"
import { errnoNumber } from "../../domain/kernel/errno.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import {
  type FileStatus, type KernelTag, pathOfRoot, type Payload, type RootSource
} from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { type Failure, isFailure, type StatusNumbers } from "./addon.ts"
import { attempt, awaitTask, valueOf } from "./attempt.ts"
import { fileStatus } from "./fileStatus.ts"
import type { Machine } from "./Machine.ts"
import { Root } from "./Root.ts"

/** Opens the root for as long as `use` takes. */
export const withRoot = <A>(
  machine: Machine, op: KernelTag, source: RootSource, path: string,
  use: (root: Root) => Effect.Effect<A, KernelError>
): Effect.Effect<A, KernelError> =>
  Effect.acquireUseRelease(
    attempt({ op, path: pathOfRoot(source, path) }, () => Root.open(machine, source, "read")),
    use,
    (root) => Effect.sync(() => root.close())
  )

const missing: ReadonlySet<number> = new Set(["ENOENT", "ENOTDIR"].map(errnoNumber))

/** A file that is not there is no failure here: the result is undefined then. */
const forgiving = (result: Buffer | Failure): Buffer | Failure | undefined =>
  isFailure(result) && missing.has(result.errno) ? undefined : result

/** The addon's task holds the root by a descriptor of its own: nobody waits for one that hangs. */
const readOne = (
  { addon }: Machine, root: Root, path: string, limit: number, where: string
): Effect.Effect<Buffer | undefined, KernelError> => {
  const subject = { op: "RootRead", path: where } as const
  if (!root.isLive) return attempt(subject, () => valueOf(forgiving(addon.readInRoot(root.descriptor, path, limit))))
  return awaitTask<Buffer | undefined>(
    subject,
    (cancel, done) => addon.readInRoot(root.descriptor, path, limit, cancel, (result) => done(forgiving(result))),
    true
  )
}

const readAll = (
  machine: Machine, { limit, paths, root: source }: Payload<"RootRead">
): Effect.Effect<Record<string, string>, KernelError> =>
  withRoot(machine, "RootRead", source, "/", (root) =>
    Effect.gen(function*() {
      const texts: Record<string, string> = {}
      for (const path of paths) {
        const bytes = yield* readOne(machine, root, path, limit, pathOfRoot(source, path))
        if (bytes !== undefined) texts[path] = bytes.toString("utf8")
      }
      return texts
    }))

const statusIn = (
  machine: Machine, { follow, path, root: source }: Payload<"RootStat">
): Effect.Effect<FileStatus, KernelError> =>
  withRoot(machine, "RootStat", source, path, (root) => {
    const subject = { op: "RootStat", path: pathOfRoot(source, path) } as const
    const numbers = root.isLive
      ? awaitTask<StatusNumbers>(
        subject, (cancel, done) => machine.addon.statInRoot(root.descriptor, path, follow, cancel, done), true
      )
      : attempt(subject, () => valueOf(machine.addon.statInRoot(root.descriptor, path, follow)))
    return Effect.map(numbers, fileStatus)
  })

export const roots = (machine: Machine): Pick<Interpreter, "RootRead" | "RootStat"> => ({
  RootRead: (payload) => readAll(machine, payload),
  RootStat: (payload) => statusIn(machine, payload)
})
