/**
 * Looking into root file systems: of live processes, of layers mounted for the purpose, of plain
 * directories.
 */
import type { RootSource } from "../../../domain/kernel/KernelOp.ts"
import { current, type Draft, fail, Failure } from "../Draft.ts"
import { filesystemOf } from "../files/access.ts"
import { textOf } from "../files/Driver.ts"
import { readFile, status } from "../files/fileCalls.ts"
import { resolve, resolveDirectory, type Walk } from "../files/resolve.ts"
import { processByIdentity } from "../init/namespaceOps.ts"
import { drop, mountAt } from "../mounts/mountTree.ts"
import { clearVolatile, openOverlay } from "../mounts/overlay.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import type { Place } from "../World.ts"
import { fileStatus } from "./fileSteps.ts"
import type { Handlers } from "./Step.ts"

export interface OpenRoot {
  readonly root: Place
  /** A detached mount that goes with it, 0: none. */
  readonly ownMount: number
}

const layersRoot = (
  draft: Draft,
  source: Extract<RootSource, { readonly _tag: "Layers" }>,
  writes: boolean
): OpenRoot => {
  draft.syscall = "fsopen"
  requireCapability(draft, current(draft), capability.sysAdmin)
  const writable = writes && source.upper !== ""
  if (writable) clearVolatile(draft, source.work)
  const mount = openOverlay(
    draft,
    writable
      ? { lower: source.lower, upper: source.upper, work: source.work, volatile: true, idmap: 0 }
      // To be read, the upper directory is just one layer more
      : {
        lower: source.upper === "" ? source.lower : [source.upper, ...source.lower],
        upper: "",
        work: "",
        volatile: false,
        idmap: 0
      },
    source.lower[0]
  )
  return { root: { mount, node: mountAt(draft, mount).root }, ownMount: mount }
}

export const openRoot = (draft: Draft, source: RootSource, writes: boolean): OpenRoot => {
  switch (source._tag) {
    case "Process":
      return { root: processByIdentity(draft, source.process).root, ownMount: 0 }
    case "Directory":
      draft.syscall = "open"
      return { root: resolveDirectory(draft, source.path), ownMount: 0 }
    case "Layers":
      return layersRoot(draft, source, writes)
  }
}

export const closeRoot = (draft: Draft, opened: OpenRoot): void => {
  if (opened.ownMount !== 0) drop(draft, opened.ownMount)
}

/** Paths are resolved as if the root were "/" (RESOLVE_IN_ROOT), without magic links. */
export const insideRoot = (root: Place): Walk & { readonly root: Place } => ({ root, directory: root, noMagicLinks: true })

export const inside = (path: string): string => path.startsWith("/") ? path : `/${path}`

export const withRoot = <A>(draft: Draft, source: RootSource, use: (walk: Walk & { readonly root: Place }) => A): A => {
  const opened = openRoot(draft, source, false)
  try {
    return use(insideRoot(opened.root))
  } finally {
    closeRoot(draft, opened)
  }
}

const readAll = (
  draft: Draft,
  walk: Walk,
  paths: ReadonlyArray<string>,
  limit: number
): Record<string, string> => {
  const texts: Record<string, string> = {}
  for (const path of paths) {
    try {
      draft.syscall = "openat2"
      const { type } = status(draft, inside(path), true, walk)
      if (type === "directory") fail("EISDIR", path)
      if (type !== "file") fail("EINVAL", path)
      // Nor is a link to lead to what reading takes away from others
      if (filesystemOf(draft, resolve(draft, inside(path), true, walk)).content._tag === "Proc") fail("EINVAL", path)
      const content = readFile(draft, inside(path), walk)
      const text = textOf(content)
      if (Buffer.byteLength(text) > limit) fail("EFBIG", path)
      texts[path] = text
    } catch (failure) {
      if (
        !(failure instanceof Failure && (failure.errno === "ENOENT" || failure.errno === "ENOTDIR"))
      ) throw failure
    }
  }
  return texts
}

export const rootSteps: Handlers<"RootRead" | "RootStat"> = {
  RootRead: (draft, { root, paths, limit }) =>
    withRoot(draft, root, (walk) => readAll(draft, walk, paths, limit)),
  RootStat: (draft, { root, path, follow }) =>
    withRoot(draft, root, (walk) => {
      draft.syscall = "openat2"
      return fileStatus(status(draft, inside(path), follow, walk))
    })
}
