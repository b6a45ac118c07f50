/** Samples of what running containers use. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Display, display, parseStats, type Stats, statsFiles } from "../../domain/cgroup/CgroupStats.ts"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { Kernel, perform } from "../Kernel.ts"
import { findContainer, listContainers } from "../Store.ts"
import { stateOf } from "./observation.ts"
import { cgroupPath } from "./update.ts"

/** One sample of one container; undefined when it does not run. */
export const sample = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<Stats | undefined, KernelError, Kernel | Host> {
  const host = yield* Host
  const { layout, texts } = yield* host.facts
  if ((yield* stateOf(record)).process === undefined) return undefined
  const path = cgroupPath(record, host.paths)
  const read: Record<string, string> = {}
  for (const { directory, files } of statsFiles(layout, path)) {
    const found = yield* perform("CgroupRead", { directory, files })
    for (const [name, text] of Object.entries(found)) read[`${directory}/${name}`] = text
  }
  const procStat = yield* perform("FileRead", { path: "/proc/stat", limit: 1 << 20 })
  return parseStats(layout, path, read, { procStat, memoryTotal: texts.memoryTotal })
})

export interface StatsSample {
  readonly record: ContainerRecord
  /** Undefined for a container that does not run. */
  readonly display: Display | undefined
}

/**
 * A round about every second, the first after one second too, since CPU use is a difference. Without
 * references all containers are looked at, those that come later too.
 */
export const stats = (
  references: ReadonlyArray<string>
): Stream.Stream<ReadonlyArray<StatsSample>, KernelError | ContainerError, Kernel | Host> => {
  const records = references.length === 0
    ? Effect.map(listContainers, (all) => all.map((one) => one.record))
    : Effect.forEach(references, (reference) => Effect.map(findContainer("stats", reference), (one) => one.record))
  const round = Effect.flatMap(records, (all) =>
    Effect.forEach(all, (record) => Effect.map(sample(record), (taken) => ({ record, taken }))))
  const rounds = Stream.concat(
    Stream.fromEffect(round),
    Stream.fromEffectRepeat(Effect.andThen(Effect.sleep("1 second"), round))
  )
  return rounds.pipe(
    Stream.mapAccum(() => new Map<string, Stats>(), (before, now) => {
      const taken = new Map(now.flatMap((one) => one.taken === undefined ? [] : [[one.record.id, one.taken] as const]))
      const shown = now.map((one): StatsSample => ({
        record: one.record,
        display: one.taken === undefined ? undefined : display(before.get(one.record.id), one.taken)
      }))
      return [taken, [shown]] as const
    }),
    Stream.drop(1)
  )
}
