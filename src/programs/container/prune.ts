/** Containers that can go since they do not run, and their going. */
import * as Effect from "effect/Effect"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ImageFilters } from "../../domain/image/ImageFilter.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { readTimestamp } from "../../domain/text/Timestamp.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { findContainer, listContainers } from "../Store.ts"
import { type Summary, summaryOf } from "./observation.ts"
import { remove } from "./remove.ts"
import { writtenBytes } from "./writtenBytes.ts"

/** Those of docker's conditions that both containers and images are pruned by. */
export type PruneFilters = Pick<ImageFilters, "labels" | "excludedLabels" | "until">

export interface PrunableContainer {
  readonly summary: Summary
  /** Of what it has written. */
  readonly bytes: number
}

const isMeant = ({ record, state }: Summary, { excludedLabels, labels, until }: PruneFilters): boolean => {
  const has = ({ name, value }: ImageFilters["labels"][number]) =>
    Object.hasOwn(record.config.labels, name) && (value === undefined || record.config.labels[name] === value)
  return state.process === undefined && state.name !== "removing" &&
    (until === undefined || (readTimestamp(record.createdAt) ?? 0n) < until) &&
    labels.every(has) && !excludedLabels.some(has)
}

/** Containers that do not run and that the filters meet. */
export const prunable = Effect.fnUntraced(function*(
  filters: PruneFilters
): Effect.fn.Return<ReadonlyArray<PrunableContainer>, KernelError, Kernel | Host> {
  const found: Array<PrunableContainer> = []
  for (const { record } of yield* listContainers) {
    const summary = yield* summaryOf(record)
    if (summary !== undefined && isMeant(summary, filters)) found.push({ summary, bytes: yield* writtenBytes(record) })
  }
  return found
})

/** Removes those of them that are still there and have not been started meanwhile, and gives them. */
export const pruneContainers = Effect.fnUntraced(function*(
  containers: ReadonlyArray<PrunableContainer>
): Effect.fn.Return<ReadonlyArray<PrunableContainer>, KernelError | ContainerError, Kernel | Host> {
  const removed: Array<PrunableContainer> = []
  for (const one of containers) {
    const gone = yield* findContainer("rm", one.summary.record.id).pipe(
      Effect.flatMap((stored) => remove(stored, { force: false })),
      Effect.as(true),
      Effect.catchIf((error) => error._tag === "ContainerError" && (error.kind === "conflict" || error.kind === "missing"), () =>
        Effect.succeed(false))
    )
    if (gone) removed.push(one)
  }
  return removed
})
