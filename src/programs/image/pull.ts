/**
 * Brings an image from a registry: its manifest for the wanted platform, its config, and its layers side by side, each
 * verified and unpacked while it comes.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Digest } from "../../domain/image/Digest.ts"
import type { ImageLayer, ImageRecord } from "../../domain/image/ImageRecord.ts"
import type { ImagePlatform } from "../../domain/image/Platform.ts"
import type { Reference } from "../../domain/image/Reference.ts"
import type { LayerRecord } from "../../domain/layer/LayerRecord.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { Registry } from "../registry/Registry.ts"
import { putBlob } from "./blobs.ts"
import { fetchImage, type PullError } from "./fetchImage.ts"
import { hostPlatform } from "./hostPlatform.ts"
import { getName } from "./imageRecords.ts"
import { obtainLayer } from "./layers.ts"
import { leased } from "./leases.ts"
import { type Observe, observed, shownId } from "./Progress.ts"
import { contentsOf, layersOf, storeNamed } from "./storeImage.ts"

const operation = "pull"

/** Layers that are fetched at the same time: docker's max-concurrent-downloads. */
const parallelLayers = 3

export interface PullOptions {
  /** With a tag or a digest. */
  readonly reference: Reference
  /** Undefined: what the host runs best. */
  readonly platform: ImagePlatform | undefined
  readonly observe: Observe
}

export interface Pulled {
  readonly image: ImageRecord
  /** Of what the name points to in the registry: a manifest or an index. */
  readonly digest: Digest
  /** Whether the name was this image's before. */
  readonly upToDate: boolean
}

const pullLayers = Effect.fnUntraced(function*(
  reference: Reference, layers: ReadonlyArray<ImageLayer>, observe: Observe
): Effect.fn.Return<ReadonlyArray<LayerRecord>, PullError, Registry | Kernel | Host> {
  const registry = yield* Registry
  const done = yield* Effect.forEach(layers, () => Deferred.make<LayerRecord>())
  for (const { blob } of layers) yield* observe({ id: shownId(blob.digest), status: "Pulling fs layer" })
  return yield* Effect.forEach(layers, (layer, index) => {
    const { blob } = layer
    const id = shownId(blob.digest)
    let fetched = false
    return Effect.gen(function*() {
      const record = yield* obtainLayer<RegistryError, never>({
        operation, layer, parent: layers[index - 1]?.chainId,
        fetch: (offset) => {
          fetched = true
          const course = { id, status: "Downloading", from: offset, total: blob.size }
          return observed(registry.fetchBlob(reference, blob, { offset }), course, observe)
        },
        below: Effect.andThen(
          observe({ id, status: "Extracting" }), Effect.all(done.slice(0, index).map((one) => Deferred.await(one)))
        )
      })
      yield* Deferred.succeed(done[index]!, record)
      yield* observe({ id, status: fetched ? "Pull complete" : "Already exists" })
      return record
    })
  }, { concurrency: parallelLayers })
})

export const pull = Effect.fnUntraced(function*(
  options: PullOptions
): Effect.fn.Return<Pulled, PullError, Registry | Kernel | Host> {
  const { observe, platform, reference } = options
  const wanted = platform ?? (yield* hostPlatform)
  const what = reference.digest ?? reference.tag ?? "latest"
  yield* observe({ id: what, status: `Pulling from ${reference.path}` })
  const { chosen, digest } = yield* fetchImage(reference, wanted, platform !== undefined)
  const layers = layersOf(chosen.config, chosen.manifest.layers)
  const id = chosen.manifest.config.digest
  const { digest: _, ...named } = reference
  const names = [{ domain: reference.domain, path: reference.path, digest }, ...(reference.digest === undefined ? [named] : [])]
  const before = yield* getName(reference)
  const image = yield* leased(contentsOf({ target: chosen.digest, id, layers }), Effect.gen(function*() {
    const unpacked = yield* pullLayers(reference, layers, observe)
    yield* putBlob(chosen.configBytes, id)
    yield* putBlob(chosen.bytes, chosen.digest)
    const target = { mediaType: chosen.mediaType, digest: chosen.digest, size: chosen.bytes.length }
    return yield* storeNamed({ target, id, config: chosen.config, layers, unpacked }, names)
  }))
  yield* observe({ status: `Digest: ${digest}` })
  return { image, digest, upToDate: before === id }
})

