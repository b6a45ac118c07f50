/** How an image was made, step by step. */
import * as Effect from "effect/Effect"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import { decodeImageConfig, type ImageConfig } from "../../domain/image/ImageConfig.ts"
import { type HistoryRow, imageHistory as historyOf } from "../../domain/image/imageHistory.ts"
import { runConfigOf } from "../../domain/image/runConfig.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { blobBytes } from "./blobs.ts"
import { findStored, invalidText, type StoredImage } from "./imageRecords.ts"
import { recordedLayer } from "./layers.ts"

/** The config of an image; the engine's own images have none but what their records say. */
export const configOf = Effect.fnUntraced(function*(
  operation: string, { builtin, record }: Pick<StoredImage, "builtin" | "record">
): Effect.fn.Return<ImageConfig, KernelError | ContainerError, Kernel | Host> {
  if (builtin !== undefined) {
    return {
      ...record.platform, created: record.createdAt, config: runConfigOf(record.config),
      rootfs: { type: "layers", diff_ids: record.layers.map(({ diffId }) => diffId) }
    }
  }
  const bytes = yield* blobBytes(operation, record.id)
  return yield* Effect.fromResult(decodeImageConfig(bytes, record.id)).pipe(Effect.mapError(invalidText(operation)))
})

/** Bytes of each layer unpacked, bottom first. */
const layerSizes = Effect.fnUntraced(function*(
  { builtin, record }: StoredImage
): Effect.fn.Return<ReadonlyArray<number>, KernelError, Kernel | Host> {
  if (builtin !== undefined) return record.layers.map(() => record.size)
  return yield* Effect.forEach(record.layers, ({ chainId }) => Effect.map(recordedLayer(chainId), (layer) => layer?.size ?? 0))
})

/** Newest first. */
export const imageHistory = Effect.fnUntraced(function*(
  text: string
): Effect.fn.Return<ReadonlyArray<HistoryRow>, KernelError | ContainerError, Kernel | Host> {
  const image = yield* findStored("history", text)
  const config = yield* configOf("history", image)
  return yield* Effect.fromResult(historyOf({
    id: image.id, config, layerSizes: yield* layerSizes(image), tags: image.tags
  })).pipe(Effect.mapError(invalidText("history")))
})
