/** Trees out of containers and into them, running or not, as tar streams. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op, type RootSource } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { Kernel, perform, performAll } from "../Kernel.ts"
import { stateOf } from "./observation.ts"

/**
 * The root of a live container is its init's; of another its layers are mounted for the occasion. A container
 * that was never started has no upper directory yet: it gets one.
 */
export const rootOf = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<RootSource, KernelError, Kernel | Host> {
  const state = yield* stateOf(record)
  if (state.process !== undefined) return { _tag: "Process", process: state.process }
  const { paths } = yield* Host
  const upper = Paths.upperDirectory(paths, record.id)
  const work = Paths.workDirectory(paths, record.id)
  yield* performAll([
    ...[Paths.containerDirectory(paths, record.id), upper, work].map((path) => op("DirEnsure", { path, mode: 0o755 })),
    op("TreeRemove", { path: `${work}/work/incompat` })
  ])
  const [first, ...rest] = record.layers
  return { _tag: "Layers", lower: [first ?? upper, ...rest], upper, work }
})

export const hostRoot: RootSource = { _tag: "Directory", path: "/" }

export const archiveOut = (
  root: RootSource, path: string, options: { readonly name: string; readonly follow: boolean }
): Stream.Stream<Uint8Array, KernelError, Kernel> =>
  Stream.unwrap(Effect.map(
    Effect.acquireRelease(
      perform("ArchiveRead", { root, path, ...options }),
      ({ archive }) => Effect.ignore(perform("ArchiveClose", { archive }))
    ),
    ({ archive }) =>
      Stream.fromEffectRepeat(perform("ArchivePull", { archive })).pipe(
        Stream.takeWhile((data) => data.length > 0)
      )
  ))

export const archiveIn = <E, R>(
  root: RootSource, path: string, data: Stream.Stream<Uint8Array, E, R>,
  owner: { readonly uid: number; readonly gid: number } | undefined
): Effect.Effect<void, E | KernelError, R | Kernel> =>
  Effect.acquireUseRelease(
    perform("ArchiveWrite", {
      root, path, noOverwriteDirNonDir: true, ...(owner === undefined ? {} : { owner })
    }),
    ({ archive }) =>
      Stream.runForEach(data, (piece) => perform("ArchivePush", { archive, data: piece, last: false })).pipe(
        Effect.andThen(perform("ArchivePush", { archive, data: new Uint8Array(0), last: true }))
      ),
    ({ archive }) => Effect.ignore(perform("ArchiveClose", { archive }))
  )
