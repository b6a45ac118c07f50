/** Trees as tar streams, out of root file systems and into them. */
import { pathOfRoot } from "../../../domain/kernel/KernelOp.ts"
import { packTree } from "../archives/packTree.ts"
import { pushLayer } from "../archives/layer.ts"
import { startUnpack, unpackBytes } from "../archives/unpack.ts"
import { type Draft, fail } from "../Draft.ts"
import { attributesOf } from "../files/access.ts"
import { resolve, resolveDirectory } from "../files/resolve.ts"
import { addHandle, closeIfOpen, handleAt } from "../processes/handles.ts"
import { closeRoot, inside, insideRoot, openRoot } from "./rootSteps.ts"
import type { Handlers } from "./Step.ts"

/** Bytes of one piece of an archive. */
const pieceSize = 512 << 10

/** Opens and closes the root when what follows fails. */
const guarded = <A>(release: () => void, body: () => A): A => {
  try {
    return body()
  } catch (failure) {
    release()
    throw failure
  }
}

const pushToLayer = (draft: Draft, archive: number, data: Uint8Array, last: boolean): void => {
  const handle = handleAt(draft, draft.current, archive, "LayerWrite")
  const { layer } = handle
  if (layer.phase === "failed") fail("EBUSY", layer.path, "an earlier push failed")
  draft.handles = draft.handles.set(archive, { ...handle, layer: { ...layer, phase: "failed", kept: [] } })
  draft.handles = draft.handles.set(archive, { ...handle, layer: pushLayer(draft, layer, data, last) })
}

export const archiveSteps: Handlers<
  "ArchiveRead" | "ArchiveWrite" | "ArchivePull" | "ArchivePush" | "ArchiveClose"
> = {
  ArchiveRead: (draft, { root: source, path, name, follow }) => {
    const opened = openRoot(draft, source, false)
    return guarded(() => closeRoot(draft, opened), () => {
      draft.syscall = "openat2"
      const place = resolve(draft, inside(path), follow, insideRoot(opened.root))
      draft.syscall = "read"
      const { type } = attributesOf(draft, place)
      if (type === "socket" || (name === "" && type !== "directory")) fail("EINVAL", path)
      const data = packTree(draft, place, name)
      closeRoot(draft, opened)
      return {
        archive: addHandle(draft, { _tag: "ArchiveRead", owner: draft.current, data, offset: 0 })
      }
    })
  },
  ArchiveWrite: (draft, { root: source, path, owner, noOverwriteDirNonDir }) => {
    draft.syscall = "openat2"
    if (source._tag === "Layers" && source.upper === "") {
      fail("EROFS", path, "the layers have no upper directory: nothing can be written")
    }
    const opened = openRoot(draft, source, true)
    return guarded(() => closeRoot(draft, opened), () => {
      draft.syscall = "openat2"
      const directory = resolveDirectory(draft, inside(path), insideRoot(opened.root))
      const { root, ownMount } = opened
      return {
        archive: addHandle(draft, {
          _tag: "ArchiveWrite",
          owner: draft.current,
          unpack: startUnpack({
            path: pathOfRoot(source, path),
            root,
            directory,
            noOverwriteDirNonDir,
            ...(owner === undefined ? {} : { owner })
          }),
          ownMount,
          work: source._tag === "Layers" ? source.work : ""
        })
      }
    })
  },
  ArchivePull: (draft, { archive }) => {
    draft.syscall = "read"
    const handle = handleAt(draft, draft.current, archive, "ArchiveRead")
    const piece = handle.data.slice(handle.offset, handle.offset + pieceSize)
    draft.handles = draft.handles.set(archive, { ...handle, offset: handle.offset + piece.length })
    return piece
  },
  ArchivePush: (draft, { archive, data, last }) => {
    draft.syscall = "write"
    if (draft.handles.get(archive)?._tag === "LayerWrite") return pushToLayer(draft, archive, data, last)
    const handle = handleAt(draft, draft.current, archive, "ArchiveWrite")
    if (handle.unpack.phase === "failed") fail("EBUSY", undefined, "an earlier push failed")
    draft.handles = draft.handles.set(archive, {
      ...handle,
      unpack: { ...handle.unpack, phase: "failed" }
    })
    const unpack = unpackBytes(draft, handle.unpack, data, last)
    draft.handles = draft.handles.set(archive, { ...handle, unpack })
  },
  ArchiveClose: (draft, { archive }) => {
    draft.syscall = "close"
    closeIfOpen(draft, draft.current, archive, ["ArchiveRead", "ArchiveWrite", "LayerWrite"])
  }
}
