/** Layers unpacked into directories, and what is needed to make them: listings and pieces of files. */
import { sha256 } from "../../../domain/hash/sha2.ts"
import type { Payload, RootSource } from "../../../domain/kernel/KernelOp.ts"
import { encodeListing } from "../../../domain/layer/TreeListing.ts"
import { decompressed, finishLayer, startLayer } from "../archives/layer.ts"
import { type Listing, listTree } from "../archives/listTree.ts"
import { type Draft, fail, Failure } from "../Draft.ts"
import { attributesOf, filesystemOf, requireWritable } from "../files/access.ts"
import { bytesOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { list } from "../files/fileCalls.ts"
import { resolve, resolveDirectory, type Walk } from "../files/resolve.ts"
import { addHandle, handleAt } from "../processes/handles.ts"
import type { Place } from "../World.ts"
import { inside, withRoot } from "./rootSteps.ts"
import type { Handlers } from "./Step.ts"

/** Bytes that may be read at once. */
const mostBytes = 16 << 20

const missing: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"])

/** What has the path, no link of which is followed. */
const find = (draft: Draft, walk: Walk, path: string): Place =>
  resolve(draft, inside(path), false, { ...walk, noSymlinks: true })

const findIfThere = (draft: Draft, walk: Walk, path: string): Place | undefined => {
  try {
    return find(draft, walk, path)
  } catch (failure) {
    if (failure instanceof Failure && missing.has(failure.errno)) return undefined
    throw failure
  }
}

const encoded = (draft: Draft, listing: Listing, limit: number): Uint8Array => {
  const bytes = encodeListing(listing)
  draft.syscall = "read"
  return bytes.length > limit
    ? fail("EFBIG", undefined, `the listing has more than the ${limit} bytes allowed`)
    : bytes
}

const look = (draft: Draft, walk: Walk, paths: Payload<"TreeLook">["paths"]): Listing => {
  const listing: Listing = []
  for (const { list, path } of paths) {
    const place = findIfThere(draft, walk, path)
    const name = path.replace(/^\/+|\/+$/g, "")
    if (place !== undefined) listTree(draft, place, name, list ? 1 : 0, false, listing)
  }
  return listing
}

const readPiece = (
  draft: Draft,
  walk: Walk,
  { length, offset, path }: Payload<"FilesRead">["pieces"][number]
): Uint8Array => {
  draft.syscall = "openat2"
  const place = find(draft, walk, path)
  const { type } = attributesOf(draft, place)
  draft.syscall = "read"
  if (type === "directory") fail("EISDIR", path)
  if (type === "symlink") fail("ELOOP", path)
  if (type !== "file") fail("EINVAL", path)
  const filesystem = filesystemOf(draft, place)
  const content = bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))
  draft.syscall = "pread"
  return content.length < offset + length
    ? fail("EIO", path)
    : content.slice(offset, offset + length)
}

const finish = (draft: Draft, archive: number, below: ReadonlyArray<string>) => {
  const { layer } = handleAt(draft, draft.current, archive, "LayerWrite")
  const [first, ...others] = below
  if (first === undefined || layer.form === "flat") return finishLayer(draft, layer, undefined)
  const source: RootSource = { _tag: "Layers", lower: [first, ...others], upper: "", work: "" }
  return withRoot(draft, source, ({ root }) => finishLayer(draft, layer, root))
}

export const layerSteps: Handlers<"LayerWrite" | "LayerFinish" | "ArchiveDigest" | "TreeList" | "TreeLook" | "FilesRead"> = {
  LayerWrite: (draft, { form, path }) => {
    draft.syscall = "open"
    const directory = resolveDirectory(draft, path)
    requireWritable(draft, directory, path)
    draft.syscall = "getdents64"
    if (form === "overlay" && list(draft, path).length > 0) fail("ENOTEMPTY", path)
    const layer = startLayer(path, directory, form)
    return { archive: addHandle(draft, { _tag: "LayerWrite", owner: draft.current, layer }) }
  },
  LayerFinish: (draft, { archive, below }) => {
    draft.syscall = "layer"
    return finish(draft, archive, below)
  },
  ArchiveDigest: (draft, { path }) => {
    draft.syscall = "openat"
    const place = resolve(draft, path, false)
    const { type } = attributesOf(draft, place)
    if (type === "symlink") fail("ELOOP", path)
    draft.syscall = "read"
    if (type === "directory") fail("EISDIR", path)
    if (type !== "file") fail("EINVAL", path, "not a regular file")
    const filesystem = filesystemOf(draft, place)
    const bytes = bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))
    return { diffId: `sha256:${sha256(decompressed(draft, path, bytes))}` }
  },
  TreeList: (draft, { limit, path, root }) =>
    withRoot(draft, root, (walk) => {
      draft.syscall = "openat2"
      const listing: Listing = []
      listTree(draft, resolveDirectory(draft, inside(path), walk), "", Infinity, false, listing)
      return encoded(draft, listing, limit)
    }),
  TreeLook: (draft, { limit, paths, root }) =>
    withRoot(draft, root, (walk) => {
      draft.syscall = "openat2"
      return encoded(draft, look(draft, walk, paths), limit)
    }),
  FilesRead: (draft, { pieces, root }) => {
    draft.syscall = "pread"
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (length > mostBytes) {
      fail("EINVAL", pieces[0]?.path, `${length} bytes at once: more than the ${mostBytes} allowed`)
    }
    return withRoot(draft, root, (walk) =>
      new Uint8Array(Buffer.concat(pieces.map((piece) => readPiece(draft, walk, piece)))))
  }
}
