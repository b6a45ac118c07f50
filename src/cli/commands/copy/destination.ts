/** Looks at where a copy goes: symbolic links followed, and what is there, as the rules of `cp` need it. */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { type CopyDestination, followSymlink, meansDirectory, splitPath } from "../../../domain/layer/ArchivePath.ts"
import type { FileStatus } from "../../../domain/kernel/KernelOp.ts"
import type { EngineError } from "../../../programs/Engine.ts"
import { refusal, type CommandFailure } from "../CommandFailure.ts"

/** One side of a copy: a container, or the host. */
export interface Side {
  readonly stat: (path: string, follow: boolean) => Effect.Effect<FileStatus, EngineError>
  readonly copyOut: (
    path: string, options: { readonly name: string; readonly follow: boolean }
  ) => Stream.Stream<Uint8Array, EngineError>
  readonly copyIn: <E, R>(
    path: string, data: Stream.Stream<Uint8Array, E, R>,
    owner: { readonly uid: number; readonly gid: number } | undefined
  ) => Effect.Effect<void, E | EngineError, R>
}

/** path_resolution(7): the kernel's own limit. */
const mostLinks = 40

export const isAbsent = (error: EngineError): boolean =>
  error._tag === "KernelError" && (error.errno === "ENOENT" || error.errno === "ENOTDIR")

const absent = <A>(effect: Effect.Effect<A, EngineError>): Effect.Effect<A | undefined, EngineError> =>
  Effect.catchIf(effect, isAbsent, () => Effect.undefined)

const kindOf = (status: FileStatus): CopyDestination["kind"] =>
  status.type === "directory" ? "directory" : status.type === "file" ? "file" : "special"

/** `path` is absolute, with the final `/` or `/.` that the user wrote. */
export const destinationOf = Effect.fnUntraced(function*(
  side: Side, path: string
): Effect.fn.Return<CopyDestination, EngineError | CommandFailure> {
  let at = path
  for (let links = 0; links < mostLinks; links++) {
    const status = yield* absent(side.stat(at, meansDirectory(at)))
    if (status === undefined) {
      const parent = yield* absent(side.stat(splitPath(at).parent, true))
      return { path: at, kind: parent?.type === "directory" ? "missing" : "orphan" }
    }
    if (status.type !== "symlink" || status.target === undefined) return { path: at, kind: kindOf(status) }
    at = followSymlink(at, status.target)
  }
  return yield* refusal(`cannot copy to ${path}: too many levels of symbolic links`)
})
