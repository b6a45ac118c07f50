/** Handlers for layers: an archive unpacked into a directory of its own, or over a copy of the layers below. */
import * as Effect from "effect/Effect"
import { closeSync, constants, openSync } from "node:fs"
import type { Payload } from "../../domain/kernel/KernelOp.ts"
import { defaultLayerLimits } from "../../domain/layer/LayerLimits.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { archiveDigest } from "./archiveDigest.ts"
import { attempt, valueOf } from "./attempt.ts"
import { LayerWriter } from "./LayerWriter.ts"
import type { Machine } from "./Machine.ts"
import { Root } from "./Root.ts"

const { O_DIRECTORY, O_RDONLY } = constants

const open = (machine: Machine, { form, path }: Payload<"LayerWrite">): number => {
  const limits = machine.options.layerLimits ?? defaultLayerLimits
  const { addon } = machine
  const root = openSync(path, O_RDONLY | O_DIRECTORY)
  const layer = valueOf(addon.layerOpen(root, form === "flat", limits.depth, limits.entries))
  return machine.open(new LayerWriter(addon, layer, { path, form, limits }))
}

/** What the layers below show; of these only the root, which the topmost has, when nothing else is implied. */
const openBelow = (machine: Machine, [first, ...others]: readonly [string, ...ReadonlyArray<string>], implied: number) => {
  if (implied > 0) {
    const root = Root.open(machine, { _tag: "Layers", lower: [first, ...others], upper: "", work: "" }, "read")
    return { descriptor: root.descriptor, close: () => root.close() }
  }
  const descriptor = openSync(first, O_RDONLY | O_DIRECTORY)
  return { descriptor, close: () => closeSync(descriptor) }
}

export const layers = (machine: Machine): Pick<Interpreter, "LayerWrite" | "LayerFinish" | "ArchiveDigest"> => ({
  ArchiveDigest: archiveDigest(machine),
  LayerWrite: (payload) =>
    Effect.map(
      attempt({ op: "LayerWrite", path: payload.path }, () => open(machine, payload)), (archive) => ({ archive })
    ),
  LayerFinish: ({ archive, below }) =>
    Effect.flatMap(attempt({ op: "LayerFinish" }, () => machine.get(archive, LayerWriter)), (writer) => {
      const [first, ...others] = below
      // Over a copy of the layers below everything has their facts already.
      const isAlone = first === undefined || writer.target.form === "flat"
      return writer.finish(isAlone ? undefined : (implied) => openBelow(machine, [first, ...others], implied))
    })
})
