/** Gives an image another name. */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { parseReference, withDefaultTag } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { findStored, invalidText, putName } from "./imageRecords.ts"
import { keepingAll } from "./leases.ts"

export const tagImage = Effect.fnUntraced(function*(
  source: string, name: string
): Effect.fn.Return<void, KernelError | ContainerError, Kernel | Host> {
  const reference = yield* Effect.fromResult(parseReference(name)).pipe(Effect.mapError(invalidText("tag")))
  if (reference.digest !== undefined) {
    return yield* new ContainerError({
      operation: "tag", object: name, kind: "invalid", cause: "refusing to create a tag with a digest reference",
      cure: "give the new name a tag instead"
    })
  }
  yield* keepingAll(Effect.gen(function*() {
    const { builtin, record } = yield* findStored("tag", source)
    if (builtin !== undefined) {
      return yield* new ContainerError({
        operation: "tag", object: source, kind: "conflict", cause: `${source} belongs to the engine itself and keeps its name`,
        cure: "commit a container of it under the new name"
      })
    }
    yield* putName(withDefaultTag(reference), record.id)
  }))
})
