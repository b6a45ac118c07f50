/**
 * Images as users of the engine see them: apart from `Engine`, so that running a container loads nothing of it until an
 * image is to be pulled, saved or made.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ContainerError } from "../domain/container/ContainerError.ts"
import type { ImageConfig } from "../domain/image/ImageConfig.ts"
import type { ImageFilters } from "../domain/image/ImageFilter.ts"
import type { HistoryRow } from "../domain/image/imageHistory.ts"
import type { ImageRecord } from "../domain/image/ImageRecord.ts"
import type { Reference } from "../domain/image/Reference.ts"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import type { StorageDriver } from "../domain/layer/LayerRecord.ts"
import type { DiffRow } from "../domain/layer/Change.ts"
import type { RegistryError } from "../domain/registry/RegistryError.ts"
import type { Host } from "./Host.ts"
import type { CommitOptions } from "./image/commit.ts"
import type { Compression } from "./image/Compression.ts"
import type { DiskUsage } from "./image/diskUsage.ts"
import type { StoredImage } from "./image/imageRecords.ts"
import type { ImportSource } from "./image/importImage.ts"
import type { Loaded, LoadOptions } from "./image/loadArchive.ts"
import type { Observe } from "./image/Progress.ts"
import type { Pruned } from "./image/prune.ts"
import type { Pulled, PullOptions } from "./image/pull.ts"
import type { Pushed } from "./image/push.ts"
import type { Removal, RemovalOptions } from "./image/removeImage.ts"
import type { Kernel } from "./Kernel.ts"
import { late } from "./late.ts"
import type { Registry } from "./registry/Registry.ts"

export type ImageError = KernelError | ContainerError
export type TransferError = ImageError | RegistryError

export interface InspectedImage {
  readonly image: StoredImage
  readonly config: ImageConfig
  readonly driver: StorageDriver
  /** Host directories of the layers, top first; those of layers that are not unpacked are left out. */
  readonly directories: ReadonlyArray<string>
  /** Bytes of each layer unpacked, bottom first; 0 for those that are not. */
  readonly layerSizes: ReadonlyArray<number>
  /** Bytes of the config as it is stored. */
  readonly configSize: number
}

export interface ImagesShape {
  /** Those of the engine itself are the last. */
  readonly list: Effect.Effect<ReadonlyArray<StoredImage>, ImageError>
  readonly inspect: (image: string) => Effect.Effect<InspectedImage, ImageError>
  /** Newest first. */
  readonly history: (image: string) => Effect.Effect<ReadonlyArray<HistoryRow>, ImageError>
  readonly tag: (image: string, name: string) => Effect.Effect<void, ImageError>
  readonly remove: (image: string, options: RemovalOptions) => Effect.Effect<ReadonlyArray<Removal>, ImageError>
  /** What `prune` would take. */
  readonly prunable: (all: boolean, filters: ImageFilters) => Effect.Effect<ReadonlyArray<StoredImage>, ImageError>
  readonly prune: (all: boolean, filters: ImageFilters) => Effect.Effect<Pruned, ImageError>
  readonly diskUsage: Effect.Effect<DiskUsage, ImageError>
  readonly import: <E, R>(wish: ImportSource<E, R>) => Effect.Effect<ImageRecord, E | ImageError, R>
  readonly load: <E, R>(wish: LoadOptions<E, R>) => Effect.Effect<ReadonlyArray<Loaded>, E | ImageError, R>
  /** A tar archive that docker and tools for OCI layouts read. */
  readonly save: (images: ReadonlyArray<string>) => Stream.Stream<Uint8Array, ImageError>
  readonly commit: (options: CommitOptions) => Effect.Effect<ImageRecord, ImageError>
  /** What a container changed of its image's files. */
  readonly diff: (container: string) => Effect.Effect<ReadonlyArray<DiffRow>, ImageError>
  readonly pull: (wish: PullOptions) => Effect.Effect<Pulled, TransferError>
  /** Tags of a repository, in the registry's order. */
  readonly remoteTags: (repository: Reference) => Stream.Stream<string, TransferError>
  readonly push: (reference: Reference, observe: Observe) => Effect.Effect<Pushed, TransferError>
  /** Every tag of the repository that is here. */
  readonly pushAll: (repository: Reference, observe: Observe) => Effect.Effect<ReadonlyArray<Pushed>, TransferError>
}

export interface LocalImages {
  /** Built when a registry is talked to. */
  readonly registry: Layer.Layer<Registry, RegistryError>
  readonly compression: Layer.Layer<Compression>
}

const programs = late(() => import("./localImages.ts"))

export class Images extends Context.Service<Images, ImagesShape>()("fx/programs/Images") {
  /** The programs over the kernel that is given; they are loaded at their first use. */
  static readonly local = (options: LocalImages): Layer.Layer<Images, never, Kernel | Host> =>
    Layer.effect(
      Images,
      Effect.map(Effect.context<Kernel | Host>(), (services) => {
        let made: ImagesShape | undefined
        const load = Effect.map(programs, ({ localImages }) => made ??= localImages(services, options))
        const late = <A, E, R>(use: (images: ImagesShape) => Effect.Effect<A, E, R>) => Effect.flatMap(load, use)
        return {
          list: late((images) => images.list),
          inspect: (image) => late((images) => images.inspect(image)),
          history: (image) => late((images) => images.history(image)),
          tag: (image, name) => late((images) => images.tag(image, name)),
          remove: (image, how) => late((images) => images.remove(image, how)),
          prunable: (all, filters) => late((images) => images.prunable(all, filters)),
          prune: (all, filters) => late((images) => images.prune(all, filters)),
          diskUsage: late((images) => images.diskUsage),
          import: (wish) => late((images) => images.import(wish)),
          load: (wish) => late((images) => images.load(wish)),
          save: (names) => Stream.unwrap(Effect.map(load, (images) => images.save(names))),
          commit: (how) => late((images) => images.commit(how)),
          diff: (container) => late((images) => images.diff(container)),
          pull: (wish) => late((images) => images.pull(wish)),
          remoteTags: (repository) => Stream.unwrap(Effect.map(load, (images) => images.remoteTags(repository))),
          push: (reference, observe) => late((images) => images.push(reference, observe)),
          pushAll: (repository, observe) => late((images) => images.pushAll(repository, observe))
        }
      })
    )
}
