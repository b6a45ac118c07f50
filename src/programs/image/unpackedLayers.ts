/** The layers of a stored image, unpacked: those that this storage driver has not seen are unpacked from their blobs. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ImageLayer } from "../../domain/image/ImageRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { isOfBlob, type LayerRecord } from "../../domain/layer/LayerRecord.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { getLayer, obtainLayer } from "./layers.ts"

/** Bottom first. To be performed while nothing is collected. */
export const unpackedLayers = Effect.fnUntraced(function*(
  operation: string, layers: ReadonlyArray<ImageLayer>
): Effect.fn.Return<ReadonlyArray<LayerRecord>, KernelError | ContainerError, Kernel | Host> {
  const unpacked: Array<LayerRecord> = []
  for (const [index, layer] of layers.entries()) {
    const lost = new ContainerError({
      operation, object: layer.blob.digest, kind: "failed", cause: "the store has lost this layer of the image",
      cure: "pull or load the image again"
    })
    const known = yield* getLayer(layer.chainId)
    unpacked.push(known !== undefined && isOfBlob(known, layer.blob.digest) ? known : yield* obtainLayer<ContainerError, never>({
      operation, layer, parent: layers[index - 1]?.chainId, fetch: () => Stream.fail(lost), below: Effect.succeed([...unpacked])
    }))
  }
  return unpacked
})
