/** Makes a one-layer image of a tar stream: the stream is stored and unpacked at once. */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ImageDefaults } from "../../domain/image/Defaults.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { familiarReference, parseReference, type Reference, withDefaultTag } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { ImagePlatform } from "../../domain/image/Platform.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { composeImage } from "./composeImage.ts"
import { hostPlatform } from "./hostPlatform.ts"
import { invalidText } from "./imageRecords.ts"
import { takeLayer } from "./layers.ts"

export interface ImportSource<E, R> {
  /** Where the bytes come from, for errors and the image's history. */
  readonly source: string
  /** `name[:tag]`; "": the image gets no name. */
  readonly reference: string
  readonly data: Stream.Stream<Uint8Array, E, R>
  readonly defaults: ImageDefaults
  readonly message: string
  /** Undefined: the host's. */
  readonly platform: ImagePlatform | undefined
}

/** A name for a new image: with a tag and without a digest. */
export const newName = Effect.fnUntraced(function*(
  operation: string, text: string
): Effect.fn.Return<Reference, ContainerError> {
  const reference = yield* Effect.fromResult(parseReference(text)).pipe(Effect.mapError(invalidText(operation)))
  return reference.digest === undefined ? withDefaultTag(reference) : yield* new ContainerError({
    operation, object: familiarReference(reference), kind: "invalid",
    cause: "a new image cannot be named by a digest", cure: "name it by a tag: name:tag"
  })
})

export const importImage = Effect.fnUntraced(function*<E, R>(
  options: ImportSource<E, R>
): Effect.fn.Return<ImageRecord, E | KernelError | ContainerError, R | Kernel | Host> {
  const { data, defaults, message, source } = options
  const reference = options.reference === "" ? undefined : yield* newName("import", options.reference)
  const platform = options.platform ?? (yield* hostPlatform)
  return yield* Effect.scoped(Effect.gen(function*() {
    const taken = yield* takeLayer({ operation: "import", object: source, data, below: [] })
    return yield* composeImage({
      base: undefined, taken, defaults, platform, createdBy: "", author: "",
      comment: message === "" ? `Imported from ${source}` : message, reference
    })
  }))
})
