/** `Images` over the kernel of this process. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { diffRows } from "../domain/layer/Change.ts"
import { shownDirectories } from "../domain/layer/StorageDriver.ts"
import type { Host } from "./Host.ts"
import { sizeOfBlob } from "./image/blobs.ts"
import { commit } from "./image/commit.ts"
import { containerChanges } from "./image/containerChanges.ts"
import { diskUsage } from "./image/diskUsage.ts"
import { configOf, imageHistory } from "./image/imageHistory.ts"
import { findStored, listImages } from "./image/imageRecords.ts"
import { importImage } from "./image/importImage.ts"
import { recordedLayer } from "./image/layers.ts"
import { loadArchive } from "./image/loadArchive.ts"
import { prunable, pruneImages } from "./image/prune.ts"
import { pull } from "./image/pull.ts"
import { pushAll, pushTag } from "./image/push.ts"
import { removeImage } from "./image/removeImage.ts"
import { saveArchive } from "./image/saveArchive.ts"
import { tagImage } from "./image/tagImage.ts"
import type { ImagesShape, InspectedImage, LocalImages } from "./Images.ts"
import type { Kernel } from "./Kernel.ts"
import { Host as HostService } from "./Host.ts"
import { Registry } from "./registry/Registry.ts"
import { findContainer } from "./Store.ts"

const inspect = Effect.fnUntraced(function*(text: string) {
  const image = yield* findStored("inspect", text)
  const { paths, storageDriver } = yield* HostService
  const driver = yield* storageDriver
  const layers = yield* Effect.forEach(image.record.layers, ({ chainId }) => recordedLayer(chainId))
  const directories = image.builtin?.directories ?? shownDirectories(paths, layers.filter((one) => one !== undefined))
  const configSize = image.builtin === undefined ? (yield* sizeOfBlob(image.id)) ?? 0 : 0
  const layerSizes = image.builtin === undefined ? layers.map((layer) => layer?.size ?? 0) : [image.record.size]
  return { image, config: yield* configOf("inspect", image), driver, directories, layerSizes, configSize } satisfies InspectedImage
})

const diff = Effect.fnUntraced(function*(container: string) {
  const { record } = yield* findContainer("diff", container)
  return diffRows(yield* containerChanges("diff", record))
})

export const localImages = (services: Context.Context<Kernel | Host>, options: LocalImages): ImagesShape => {
  const provide = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideContext(effect, services) as Effect.Effect<A, E, Exclude<R, Kernel | Host>>
  const remote = <A, E>(effect: Effect.Effect<A, E, Kernel | Host | Registry>) => provide(Effect.provide(effect, options.registry))
  const provideStream = <A, E>(stream: Stream.Stream<A, E, Kernel | Host>) => Stream.provideContext(stream, services)
  return {
    list: provide(listImages),
    inspect: (image) => provide(inspect(image)),
    history: (image) => provide(imageHistory(image)),
    tag: (image, name) => provide(tagImage(image, name)),
    remove: (image, how) => provide(removeImage(image, how)),
    prunable: (all, filters) => provide(prunable(all, filters)),
    prune: (all, filters) => provide(pruneImages(all, filters)),
    diskUsage: provide(diskUsage),
    import: (wish) => provide(importImage(wish)) as never,
    load: (wish) => provide(Effect.provide(loadArchive(wish), options.compression)) as never,
    save: (images) => provideStream(saveArchive(images)),
    commit: (how) => provide(commit(how)),
    diff: (container) => provide(diff(container)),
    pull: (wish) => remote(pull(wish)),
    remoteTags: (repository) =>
      Stream.unwrap(Effect.map(Registry, (registry) => registry.listTags(repository))).pipe(Stream.provide(options.registry)),
    push: (reference, observe) => remote(Effect.provide(pushTag(reference, observe), options.compression)),
    pushAll: (repository, observe) => remote(Effect.provide(pushAll(repository, observe), options.compression))
  }
}
