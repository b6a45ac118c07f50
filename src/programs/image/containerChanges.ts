/** What a container has changed of its image's files. */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type * as Paths from "../../domain/container/Paths.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RootSource } from "../../domain/kernel/KernelOp.ts"
import type { Change } from "../../domain/layer/Change.ts"
import { diffHiding, undecidedContents, unspeakable } from "../../domain/layer/diff.ts"
import { lowerNeeds, overlayDiff } from "../../domain/layer/overlayDiff.ts"
import { driverOf, isFlat, writtenDirectory } from "../../domain/layer/StorageDriver.ts"
import { emptyTree, nodeAt, type Tree, withContents } from "../../domain/layer/Tree.ts"
import { decodeListing } from "../../domain/layer/TreeListing.ts"
import { withoutMountPoints } from "../../domain/layer/withoutMountPoints.ts"
import { hasWritten } from "../container/observation.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { differingContents } from "./differingContents.ts"

/** Bytes of a listing: some two million files. */
const listingLimit = 256 << 20

const decoded = (operation: string, name: string, bytes: Uint8Array): Effect.Effect<Tree, ContainerError> =>
  Effect.mapError(Effect.fromResult(decodeListing(bytes)), (error) =>
    new ContainerError({ operation, object: name, kind: "failed", cause: error.message }))

/** What a container has written, as a root: what its paths lead to is looked for in it alone. */
export const writtenRoot = (paths: Paths.Paths, record: ContainerRecord): RootSource =>
  ({ _tag: "Directory", path: writtenDirectory(paths, record) })

/** All that is in a root; undefined when it is not there: never started, or nothing copied into it. */
const listed = Effect.fnUntraced(function*(
  operation: string, name: string, root: RootSource
): Effect.fn.Return<Tree | undefined, KernelError | ContainerError, Kernel> {
  const listing = yield* perform("TreeList", { root, path: "/", limit: listingLimit }).pipe(
    Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(undefined))
  )
  return listing === undefined ? undefined : yield* decoded(operation, name, listing)
})

/** The upper directory holds what changed; of the layers only that is looked at which it is about. */
const overlayChanges = Effect.fnUntraced(function*(
  operation: string, record: ContainerRecord
): Effect.fn.Return<ReadonlyArray<Change>, KernelError | ContainerError, Kernel | Host> {
  const { layers, name } = record
  const upper = yield* listed(operation, name, writtenRoot((yield* Host).paths, record))
  if (upper === undefined) return []
  const [first, ...rest] = layers
  const lower = first === undefined ? emptyTree : yield* decoded(operation, name, yield* perform("TreeLook", {
    root: { _tag: "Layers", lower: [first, ...rest], upper: "", work: "" },
    paths: lowerNeeds(upper).map(({ list, path }) => ({ path: `/${path}`, list })), limit: listingLimit
  }))
  const changes = yield* Effect.fromResult(overlayDiff(upper, lower)).pipe(Effect.mapError((error) =>
    new ContainerError({ operation, object: name, kind: "failed", cause: error.message })))
  return withoutMountPoints(changes, lower)
})

const sizeAt = (tree: Tree, path: string): number => {
  const node = nodeAt(tree, path)
  return node?.type === "file" ? node.size : 0
}

/** Two whole trees compared: contents only where size and time leave it open whether they are the same. */
const compared = Effect.fnUntraced(function*(
  operation: string, name: string, below: RootSource, root: RootSource, hidden: ReadonlySet<string>
): Effect.fn.Return<ReadonlyArray<Change>, KernelError | ContainerError, Kernel> {
  const upper = (yield* listed(operation, name, root)) ?? emptyTree
  const lower = (yield* listed(operation, name, below)) ?? emptyTree
  const open = undecidedContents(lower, upper).map((path) => ({ path, size: sizeAt(upper, path) }))
  const differing = yield* differingContents(below, root, open)
  const changes = diffHiding(
    withContents(lower, differing, "of the image"), withContents(upper, differing, "written"), hidden
  )
  return withoutMountPoints(changes, lower)
})

/** With a flat driver one directory has all of the image. */
const imageRoot = ({ layers }: ContainerRecord): RootSource => ({ _tag: "Directory", path: layers[0] ?? "/" })

const flatChanges = Effect.fnUntraced(function*(
  operation: string, record: ContainerRecord
): Effect.fn.Return<ReadonlyArray<Change>, KernelError | ContainerError, Kernel | Host> {
  if (!(yield* hasWritten(record))) return []
  const root = writtenRoot((yield* Host).paths, record)
  return yield* compared(operation, record.name, imageRoot(record), root, new Set())
})

/** A directory whose deleted names are too long for a layer to name them, and of which too much would have to be said. */
const tooMuch = (operation: string, name: string, hidden: ReadonlySet<string>) => <E>(error: E): E | ContainerError =>
  error instanceof KernelError && error.errno === "EFBIG"
    ? new ContainerError({
      operation, object: name, kind: "failed",
      cause: `cannot ${operation} ${name}: in /${[...hidden][0]} a file was deleted whose name is too long for a layer to name, ` +
        "and there are more files than can be compared instead",
      cure: "delete that directory as a whole, or export the container and import what comes"
    })
    : error

export interface LayerChanges {
  readonly changes: ReadonlyArray<Change>
  /** Where the contents of what was added and changed are. */
  readonly root: RootSource
}

/**
 * The changes as a layer can say them: a directory in which a name was deleted that is too long for that is said anew, with
 * all that is in it.
 */
export const layerChanges = Effect.fnUntraced(function*(
  operation: string, record: ContainerRecord
): Effect.fn.Return<LayerChanges, KernelError | ContainerError, Kernel | Host> {
  const changes = yield* containerChanges(operation, record)
  const root = writtenRoot((yield* Host).paths, record)
  const hidden = unspeakable(changes)
  if (hidden.size === 0) return { changes, root }
  const [first = "/", ...rest] = record.layers
  const layers = { _tag: "Layers", lower: [first, ...rest], work: "" } as const
  const [below, whole] = isFlat(driverOf(record))
    ? [imageRoot(record), root]
    : [{ ...layers, upper: "" }, { ...layers, upper: writtenDirectory((yield* Host).paths, record) }]
  const anew = yield* compared(operation, record.name, below, whole, hidden).pipe(
    Effect.mapError(tooMuch(operation, record.name, hidden))
  )
  return { changes: anew, root: whole }
})

/** What is there for containers only and is no change of theirs: the places that the engine mounts on. */
export const containerChanges = (
  operation: string, record: ContainerRecord
): Effect.Effect<ReadonlyArray<Change>, KernelError | ContainerError, Kernel | Host> =>
  isFlat(driverOf(record)) ? flatChanges(operation, record) : overlayChanges(operation, record)
