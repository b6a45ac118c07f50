/** Sends an image to a registry: blobs side by side, then the manifest that names them. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import { type Descriptor, foreignUrls } from "../../domain/image/Descriptor.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { familiarName, familiarReference, type Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { Registry } from "../registry/Registry.ts"
import { blobBytes, readBlob } from "./blobs.ts"
import type { Compression } from "./Compression.ts"
import { findStored, getImage, listImages, putName, type StoredImage } from "./imageRecords.ts"
import { keepingAll, leaseInScope } from "./leases.ts"
import { type Observe, observed, shownId } from "./Progress.ts"
import { pushableImage } from "./pushable.ts"
import { contentsOf } from "./storeImage.ts"

export type PushError = KernelError | ContainerError | RegistryError

/** Docker's max-concurrent-uploads. */
const parallelUploads = 5

export interface Pushed {
  readonly digest: Digest
  readonly size: number
}

/** A repository of the same registry that was pulled from or pushed to: it may have the same blobs. */
const mountSource = (image: StoredImage, { domain, path }: Reference): string | undefined =>
  image.digests.find((one) => one.domain === domain && one.path !== path)?.path

const statusOf = { exists: "Layer already exists", mounted: "Mounted", uploaded: "Pushed" } as const

/** A blob to be sent, and what it is called to users: as with docker the layer that it is unpacked. */
interface Row {
  readonly blob: Descriptor
  readonly id: string
}

const pushOne = Effect.fnUntraced(function*(
  reference: Reference, { blob: descriptor, id }: Row, mountFrom: string | undefined, observe: Observe
): Effect.fn.Return<void, PushError, Registry | Kernel | Host> {
  if (foreignUrls(descriptor).length > 0) return
  const registry = yield* Registry
  const { digest, size } = descriptor
  yield* observe({ id, status: "Preparing" })
  const services = yield* Effect.context<Kernel | Host>()
  const pushed = yield* registry.pushBlob<KernelError>(
    reference,
    {
      digest, size,
      open: (offset) => {
        const data = Stream.provideContext(readBlob(digest, offset), services)
        return observed(data, { id, status: "Pushing", from: offset, total: size }, observe)
      }
    },
    mountFrom === undefined ? {} : { mountFrom }
  )
  yield* observe({ id, status: pushed === "mounted" ? `Mounted from ${mountFrom}` : statusOf[pushed] })
})

/** What a tag names. */
const findPushable = Effect.fnUntraced(function*(
  reference: Reference
): Effect.fn.Return<StoredImage, KernelError | ContainerError, Kernel | Host> {
  const image = yield* findStored("push", familiarReference(reference)).pipe(
    Effect.catchIf((error) => error._tag === "ContainerError" && error.kind === "missing", () =>
      Effect.fail(
        new ContainerError({
          operation: "push", object: familiarReference(reference), kind: "missing",
          cause: `An image does not exist locally with the tag: ${familiarName(reference)}`,
          cure: "tag an image with this name first"
        })
      ))
  )
  if (image.builtin !== undefined) {
    return yield* new ContainerError({
      operation: "push", object: familiarReference(reference), kind: "conflict",
      cause: `${familiarReference(reference)} belongs to the engine itself and is not stored as an image`,
      cure: "commit a container of it, and push what that makes"
    })
  }
  return image
})

/** `reference`: with a tag. */
export const pushTag = Effect.fnUntraced(function*(
  reference: Reference, observe: Observe
): Effect.fn.Return<Pushed, PushError, Registry | Compression | Kernel | Host> {
  return yield* Effect.scoped(Effect.gen(function*() {
    const hold = yield* leaseInScope
    const image = yield* hold(findPushable(reference), ({ record }) => needed(record))
    const registry = yield* Registry
    const { layers, manifest } = yield* pushableImage(image, hold, observe)
    const mountFrom = mountSource(image, reference)
    const rows = new Map(layers.map((blob, index): [Digest, Row] =>
      [blob.digest, { blob, id: shownId(image.record.layers[index]!.diffId) }]))
    yield* Effect.forEach(rows.values(), (row) => pushOne(reference, row, mountFrom, observe), {
      concurrency: parallelUploads, discard: true
    })
    const config = yield* blobBytes("push", image.record.id)
    yield* registry.pushBlob(reference, {
      digest: image.record.id, size: config.length, open: (offset) => Stream.make(config.subarray(offset))
    })
    const tag = reference.tag ?? "latest"
    const size = manifest.bytes.length
    const digest = (yield* registry.pushManifest(reference, tag, manifest)).digest as Digest
    yield* nameIfStored({ domain: reference.domain, path: reference.path, digest }, image.record.id)
    yield* observe({ status: `${tag}: digest: ${digest} size: ${size}` })
    return { digest, size }
  }))
})

/** Somebody may have removed the image meanwhile: then there is nothing to be named. */
const nameIfStored = (name: Reference, id: Digest): Effect.Effect<void, KernelError, Kernel | Host> =>
  keepingAll(Effect.flatMap(getImage(id), (record) => record === undefined ? Effect.void : Effect.asVoid(putName(name, id))))

const needed = (record: ImageRecord) => contentsOf({ target: record.target.digest, id: record.id, layers: record.layers })

/** Every tag of a repository that is here. */
export const pushAll = Effect.fnUntraced(function*(
  repository: Reference, observe: Observe
): Effect.fn.Return<ReadonlyArray<Pushed>, PushError, Registry | Compression | Kernel | Host> {
  const tags = (yield* listImages).flatMap(({ tags }) =>
    tags.filter(({ domain, path }) => domain === repository.domain && path === repository.path))
  if (tags.length === 0) {
    return yield* new ContainerError({
      operation: "push", object: familiarName(repository), kind: "missing",
      cause: `An image does not exist locally with the tag: ${familiarName(repository)}`, cure: "tag an image with this name first"
    })
  }
  return yield* Effect.forEach(tags, (tag) => pushTag(tag, observe))
})
