/** Makes an image of a container: what it changed becomes a layer over those of its image. */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { applyChanges } from "../../domain/image/applyChanges.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { type ImagePlatform, normalizePlatform, platformOf } from "../../domain/image/Platform.ts"
import { committedDefaults } from "../../domain/image/runConfig.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { archiveOut } from "../container/copy.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { findContainer } from "../Store.ts"
import { type BaseImage, composeImage } from "./composeImage.ts"
import { layerChanges } from "./containerChanges.ts"
import { frozen } from "./freezing.ts"
import { configOf } from "./imageHistory.ts"
import { type FoundImage, invalidText, lookUpImage } from "./imageRecords.ts"
import { newName } from "./importImage.ts"
import { layerBytes } from "./layerBytes.ts"
import { takeLayer } from "./layers.ts"
import { leaseInScope } from "./leases.ts"
import { contentsOf } from "./storeImage.ts"
import { unpackedLayers } from "./unpackedLayers.ts"

export interface CommitOptions {
  readonly container: string
  /** `name[:tag]`; "": the image gets no name. */
  readonly reference: string
  readonly author: string
  readonly message: string
  /** Instructions as in a Dockerfile. */
  readonly changes: ReadonlyArray<string>
  /** Freezes a running container meanwhile. */
  readonly pause: boolean
}

const operation = "commit"

const platformOfImage = ({ platform }: ImageRecord): ImagePlatform =>
  platformOf(platform) ?? normalizePlatform({ os: "linux", architecture: "" })

/** The engine's own image, made a stored one: its directory becomes a layer. However often, it is the same image. */
const storeBuiltin = Effect.fnUntraced(function*(
  { builtin, record }: FoundImage
): Effect.fn.Return<ImageRecord, KernelError | ContainerError, Kernel | Host> {
  const path = builtin?.directories[0] ?? "/"
  return yield* Effect.scoped(Effect.gen(function*() {
    const taken = yield* takeLayer({
      operation, object: path, data: archiveOut({ _tag: "Directory", path }, "/", { name: "", follow: false }), below: []
    })
    return yield* composeImage({
      base: undefined, taken, defaults: record.config, platform: platformOfImage(record),
      created: record.createdAt, createdBy: "", author: "", comment: "", reference: undefined
    })
  }))
})

const baseOf = Effect.fnUntraced(function*(
  container: ContainerRecord
): Effect.fn.Return<{ readonly record: ImageRecord; readonly base: BaseImage }, KernelError | ContainerError, Kernel | Host> {
  const refuse = (cause: string) =>
    new ContainerError({
      operation, object: container.name, kind: "conflict", cause,
      cure: "export the container and import what comes, which makes an image of one layer"
    })
  if (container.imageId === "") return yield* refuse("the container is of a directory (--rootfs), not of an image")
  const found = yield* lookUpImage(operation, container.imageId)
  if (found === undefined) return yield* refuse(`the image ${container.imageId} of the container has been removed`)
  const record = found.builtin === undefined ? found.record : yield* storeBuiltin(found)
  const config = yield* configOf(operation, { record, builtin: undefined })
  return { record, base: { config, layers: record.layers, unpacked: yield* unpackedLayers(operation, record.layers) } }
})

export const commit = Effect.fnUntraced(function*(
  options: CommitOptions
): Effect.fn.Return<ImageRecord, KernelError | ContainerError, Kernel | Host> {
  const { author, changes, message, pause } = options
  const reference = options.reference === "" ? undefined : yield* newName(operation, options.reference)
  const stored = yield* findContainer(operation, options.container)
  const { record } = stored
  const defaults = yield* Effect.fromResult(applyChanges(committedDefaults(record.config, record.image), changes)).pipe(
    Effect.mapError(invalidText(operation))
  )
  return yield* Effect.scoped(Effect.gen(function*() {
    const hold = yield* leaseInScope
    const { base, record: image } = yield* hold(baseOf(record), (found) =>
      contentsOf({ target: found.record.target.digest, id: found.record.id, layers: found.record.layers }))
    const taken = yield* frozen(stored, pause, Effect.gen(function*() {
      const found = yield* layerChanges(operation, record)
      if (found.changes.length === 0) return undefined
      return yield* takeLayer({
        operation, object: record.name, below: base.unpacked,
        data: layerBytes(operation, record.name, found.root, found.changes)
      })
    }))
    return yield* composeImage({
      base, parent: record.imageId as Digest, taken, defaults, platform: platformOfImage(image),
      createdBy: [...(record.config.entrypoint ?? record.image.entrypoint), ...record.config.command].join(" "),
      author, comment: message, reference
    })
  }))
})
