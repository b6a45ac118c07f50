/**
 * Layers after a reboot: unpacking waits for no disk, so of those of an earlier boot a loss of power may have taken something.
 * Those that containers are on are made anew at once, from archives that were on disk before; the others when somebody
 * needs them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { isRipe, isSuspect, isWhole, layerKey, type LayerRecord } from "../../domain/layer/LayerRecord.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { listContainers } from "../Store.ts"
import { doubtLayer, listLayers, markSynced, remakeLayer } from "./layers.ts"

export interface Settled {
  /** Sentences about what was made whole. */
  readonly mended: ReadonlyArray<string>
  /** Containers whose image could not be. */
  readonly quarantined: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

/** A layer and all below it, bottom first. */
const chainOf = (top: LayerRecord | undefined, byKey: ReadonlyMap<string, LayerRecord>): ReadonlyArray<LayerRecord> => {
  const chain: Array<LayerRecord> = []
  for (let at = top; at !== undefined && !chain.includes(at);) {
    chain.unshift(at)
    at = at.parent === undefined ? undefined : byKey.get(layerKey(at.driver, at.parent))
  }
  return chain
}

/** The sentences, or why it is not whole. */
const mendChain = Effect.fnUntraced(function*(
  chain: ReadonlyArray<LayerRecord>, boot: string
): Effect.fn.Return<{ readonly mended: ReadonlyArray<string>; readonly broken?: string }, never, Kernel | Host> {
  const mended: Array<string> = []
  const below: Array<LayerRecord> = []
  for (const record of chain) {
    if (!isWhole(record, boot)) {
      const outcome = yield* remakeLayer("recover", record, [...below]).pipe(
        Effect.catch((error) => Effect.succeed(error.message))
      )
      if (outcome === undefined || typeof outcome === "string") {
        return { mended, broken: `its layer ${record.chainId} may be incomplete since the host went down, and could not be ` +
          `made anew: ${outcome ?? "its archive is not stored any more: pull or load the image again"}` }
      }
      mended.push(`made the layer ${record.chainId} anew, which may have been cut short when the host went down`)
    }
    below.push(record)
  }
  return { mended }
})

/** Layers that were unpacked a while ago are made to outlast a reboot. */
export const syncRipe: Effect.Effect<void, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { facts, paths } = yield* Host
  const boot = (yield* facts).texts.bootId
  const now = yield* Clock.currentTimeMillis
  const ripe = (yield* listLayers).filter((one) => isRipe(one, boot, now))
  for (const driver of new Set(ripe.map((one) => one.driver))) {
    yield* perform("FilesystemSync", { path: Paths.layersDirectory(paths, driver) })
  }
  yield* Effect.forEach(ripe, markSynced, { discard: true })
})

export const settleSuspects: Effect.Effect<Settled, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { facts, paths } = yield* Host
  const boot = (yield* facts).texts.bootId
  const layers = yield* listLayers
  const suspects = layers.filter((one) => isSuspect(one, boot))
  if (suspects.length === 0) return { mended: [], quarantined: [] }
  const byKey = new Map(layers.map((one) => [layerKey(one.driver, one.chainId), one]))
  const byDirectory = new Map(layers.map((one) => [Paths.layerDirectory(paths, one.driver, one.directory), one]))
  const mended: Array<string> = []
  const quarantined: Array<{ readonly id: string; readonly reason: string }> = []
  const seen = new Map<LayerRecord, string | undefined>()
  const needed = new Set<LayerRecord>()
  for (const { record: { id, layers: [directory = ""] } } of yield* listContainers) {
    const top = byDirectory.get(directory)
    if (top === undefined) continue
    if (!seen.has(top)) {
      const chain = chainOf(top, byKey)
      for (const one of chain) needed.add(one)
      const outcome = yield* mendChain(chain, boot)
      mended.push(...outcome.mended)
      seen.set(top, outcome.broken)
    }
    const reason = seen.get(top)
    if (reason !== undefined) quarantined.push({ id, reason })
  }
  yield* Effect.forEach(suspects.filter((one) => !needed.has(one)), doubtLayer, { discard: true })
  return { mended: [...new Set(mended)], quarantined }
})
