/** Handlers for trees as tar streams, out of root file systems and into them. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { pathOfRoot, type Payload } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { ArchiveReader } from "./ArchiveReader.ts"
import { ArchiveWriter } from "./ArchiveWriter.ts"
import { attempt, Refusal, valueOf } from "./attempt.ts"
import { LayerWriter } from "./LayerWriter.ts"
import type { Machine } from "./Machine.ts"
import { Root } from "./Root.ts"

/** Opens a root, makes something of a copy of its descriptor, and closes the root again when that fails. */
const openOn = <A>(machine: Machine, root: Root, make: (descriptor: number) => A): A => {
  try {
    return make(valueOf(machine.addon.duplicate(root.descriptor)))
  } catch (cause) {
    root.close()
    throw cause
  }
}

const openReader = (machine: Machine, payload: Payload<"ArchiveRead">): number => {
  const { follow, name, path, root: source } = payload
  const root = Root.open(machine, source, "read")
  return openOn(machine, root, (descriptor) => {
    const walk = valueOf(machine.addon.walkOpen(descriptor, path, name, follow))
    return machine.open(new ArchiveReader(machine.addon, walk, root, pathOfRoot(source, path)))
  })
}

const openWriter = (machine: Machine, payload: Payload<"ArchiveWrite">): number => {
  const { noOverwriteDirNonDir, owner, path, root: source } = payload
  if (source._tag === "Layers" && source.upper === "") {
    throw new Refusal("openat2", "EROFS", "the layers have no upper directory: nothing can be written")
  }
  const root = Root.open(machine, source, "write")
  return openOn(machine, root, (descriptor) => {
    const { gid, uid } = owner ?? { uid: 0, gid: 0 }
    const unpack = valueOf(machine.addon.unpackOpen(descriptor, path, noOverwriteDirNonDir, uid, gid))
    return machine.open(new ArchiveWriter(machine.addon, unpack, root, pathOfRoot(source, path), owner))
  })
}

const opened = (
  op: "ArchiveRead" | "ArchiveWrite", { path, root }: Pick<Payload<"ArchiveRead">, "root" | "path">, open: () => number
) => Effect.map(attempt({ op, path: pathOfRoot(root, path) }, open), (archive) => ({ archive }))

/** Their code is loaded when it is used: not with this file. */
const allKinds = () => [ArchiveReader, ArchiveWriter, LayerWriter] as const

/** What is behind the handle of one of these kinds; throws EBADF. */
const find = <A extends ArchiveReader | ArchiveWriter | LayerWriter>(
  machine: Machine, handle: number, kinds: ReadonlyArray<abstract new(...rest: never) => A>
): A => {
  const [first, ...others] = kinds
  if (others.length === 0) return machine.get(handle, first!)
  try {
    return machine.get(handle, first!)
  } catch {
    return find(machine, handle, others)
  }
}

/** Handles of all kinds are closed by one operation. */
const close = (machine: Machine, archive: number): Effect.Effect<void, KernelError> =>
  Effect.flatMap(
    attempt({ op: "ArchiveClose" }, () => {
      if (!machine.isOpen(archive)) return undefined
      const thing = find<ArchiveReader | ArchiveWriter | LayerWriter>(machine, archive, allKinds())
      machine.close(archive, thing.constructor as typeof LayerWriter)
      return thing
    }),
    // Whoever removes the directory then is not to meet a thread at work in it.
    (thing) => thing instanceof LayerWriter ? thing.closed : Effect.void
  )

type Tags = "ArchiveRead" | "ArchiveWrite" | "ArchivePull" | "ArchivePush" | "ArchiveClose"

export const archives = (machine: Machine): Pick<Interpreter, Tags> => ({
  ArchiveRead: (payload) => opened("ArchiveRead", payload, () => openReader(machine, payload)),
  ArchiveWrite: (payload) => opened("ArchiveWrite", payload, () => openWriter(machine, payload)),
  ArchivePull: ({ archive }) =>
    Effect.flatMap(
      attempt({ op: "ArchivePull" }, () => machine.get(archive, ArchiveReader)), (reader) => reader.pull()
    ),
  ArchivePush: ({ archive, data, last }) =>
    Effect.flatMap(
      attempt({ op: "ArchivePush" }, () => find<ArchiveWriter | LayerWriter>(machine, archive, [ArchiveWriter, LayerWriter])),
      (writer) => writer.push(data, last)
    ),
  ArchiveClose: ({ archive }) => close(machine, archive)
})
