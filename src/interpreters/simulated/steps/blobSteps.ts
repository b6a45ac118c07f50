/** Contents on their way into the store: files that are hashed as they grow and get the name of their digest. */
import { sha256, sha512 } from "../../../domain/hash/sha2.ts"
import { type Digest, hexOf, makeDigest, readDigest } from "../../../domain/image/Digest.ts"
import { current, type Draft, fail } from "../Draft.ts"
import {
  attributesOf, filesystemOf, mountOf, read, requireAccess, requireWritable, write
} from "../files/access.ts"
import { bytesOf, concatenate } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { remove, rename } from "../files/entryCalls.ts"
import { createAt } from "../files/fileCalls.ts"
import { resolve, resolveEntry } from "../files/resolve.ts"
import { addHandle, closeIfOpen, handleAt } from "../processes/handles.ts"
import type { Handle, Place } from "../World.ts"
import type { Handlers } from "./Step.ts"

type Blob = Extract<Handle, { readonly _tag: "Blob" }>

const empty = new Uint8Array(0)

/** The file, made when missing; a link is refused (O_NOFOLLOW), and so is all that is no file. */
const openFile = (draft: Draft, path: string): Place => {
  draft.syscall = "open"
  const found = resolveEntry(draft, path, false)
  if (found.place === undefined) {
    if (found.mustBeDirectory) fail("EISDIR", path)
    const { uid, gid } = current(draft)
    return createAt(draft, found, path, { type: "file", content: empty, mode: 0o600, uid, gid })
  }
  const attributes = attributesOf(draft, found.place)
  if (attributes.type === "symlink") fail("ELOOP", path)
  if (attributes.type === "directory") fail("EISDIR", path)
  if (attributes.type === "socket") fail("ENXIO", path)
  requireAccess(draft, attributes, read | write, path)
  requireWritable(draft, found.place, path)
  if (attributes.type !== "file") fail("EINVAL", path, "not a regular file")
  return found.place
}

const blobAt = (draft: Draft, id: number): Blob => handleAt(draft, draft.current, id, "Blob")

const isInode = (draft: Draft, { node }: Place): boolean =>
  typeof node !== "number" || draft.inodes.get(node) !== undefined

/** Gives the file its content, as far as it still has a name; the handle has it in any case. */
const fill = (draft: Draft, blob: Blob, content: Uint8Array): void => {
  if (isInode(draft, blob.place)) {
    const filesystem = filesystemOf(draft, blob.place)
    driverOf(filesystem).write(draft, filesystem, blob.place.node, content)
  }
  draft.handles = draft.handles.set(blob.id, { ...blob, content })
}

/** The name must still be that of the file: who took it meanwhile did not bring this content. */
const requireName = (draft: Draft, { path, place }: Blob): void => {
  draft.syscall = "lstat"
  const named = resolve(draft, path, false)
  draft.syscall = "rename"
  if (
    named.node !== place.node ||
    mountOf(draft, named).filesystem !== mountOf(draft, place).filesystem
  ) {
    fail("ESTALE", path, "the name has gone to another file")
  }
}

const checked = (draft: Draft, blob: Blob, wanted: string | undefined): Digest => {
  const { algorithm, content, path } = blob
  draft.syscall = "commit"
  if (wanted !== undefined && readDigest(wanted) === undefined) fail("EINVAL", path, `no digest: ${wanted}`)
  if (wanted !== undefined && !wanted.startsWith(`${algorithm}:`)) {
    fail("EINVAL", path, `${wanted} is wanted of a blob that was opened for ${algorithm}`)
  }
  requireName(draft, blob)
  const found = makeDigest(algorithm, algorithm === "sha256" ? sha256(content) : sha512(content))
  if (wanted === undefined || wanted === found) return found
  draft.syscall = "unlink"
  remove(draft, path, false)
  draft.syscall = "commit"
  return fail("EBADMSG", path, `wanted ${wanted}, found ${found} in ${content.length} bytes`)
}

export const blobSteps: Handlers<
  "BlobOpen" | "BlobAppend" | "BlobTruncate" | "BlobCommit" | "BlobClose"
> = {
  BlobOpen: (draft, { path, algorithm }) => {
    const place = openFile(draft, path)
    const filesystem = filesystemOf(draft, place)
    const content = bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))
    return {
      blob: addHandle(draft, { _tag: "Blob", owner: draft.current, path, place, algorithm, content }),
      size: content.length
    }
  },
  BlobAppend: (draft, { blob: id, data }) => {
    draft.syscall = "write"
    const blob = blobAt(draft, id)
    if (data.length > 0) fill(draft, blob, bytesOf(concatenate(blob.content, data)))
  },
  BlobTruncate: (draft, { blob }) => {
    draft.syscall = "ftruncate"
    fill(draft, blobAt(draft, blob), empty)
  },
  BlobCommit: (draft, { blob: id, directory, digest: wanted }) => {
    draft.syscall = "handle"
    const blob = blobAt(draft, id)
    closeIfOpen(draft, draft.current, id, ["Blob"])
    const digest = checked(draft, blob, wanted)
    draft.syscall = "rename"
    rename(draft, blob.path, `${directory}/${blob.algorithm}/${hexOf(digest)}`)
    return { digest, size: blob.content.length }
  },
  BlobClose: (draft, { blob }) => {
    draft.syscall = "close"
    closeIfOpen(draft, draft.current, blob, ["Blob"])
  }
}
