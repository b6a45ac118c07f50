/**
 * A layer's archive becoming a directory of the world. The archive is kept until its last piece, and
 * unpacked then in one go by the domain's own meaning of it.
 */
import * as Result from "effect/Result"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { sha256 } from "../../../domain/hash/sha2.ts"
import { applyLayer, unpackLayer } from "../../../domain/layer/apply.ts"
import type { LayerFile } from "../../../domain/layer/changesToTar.ts"
import {
  type Compression, compressionRefusal, detectCompression
} from "../../../domain/layer/compression.ts"
import type { LayerError } from "../../../domain/layer/LayerError.ts"
import { defaultLayerLimits } from "../../../domain/layer/LayerLimits.ts"
import { checkRatio, type LayerForm } from "../../../domain/layer/LayerUnpacking.ts"
import { isOpaque } from "../../../domain/layer/OverlayMark.ts"
import { settleImplied } from "../../../domain/layer/overlayMerge.ts"
import * as TarDecoder from "../../../domain/layer/TarDecoder.ts"
import { entriesOf, type Tree, treeOf } from "../../../domain/layer/Tree.ts"
import { type Draft, fail } from "../Draft.ts"
import type { Place } from "../World.ts"
import { type Listing, listTree } from "./listTree.ts"
import { leaveUnsynced } from "../files/syncing.ts"
import { changeFacts, writeTree } from "./writeTree.ts"

/** Between two pieces. */
export interface LayerUnpack {
  readonly path: string
  readonly directory: Place
  readonly form: LayerForm
  readonly phase: "open" | "failed" | "ended"
  readonly kept: ReadonlyArray<Uint8Array>
  /** When it has ended. */
  readonly made: {
    readonly diffId: string
    readonly size: number
    readonly implied: ReadonlyArray<string>
    /** Bytes of the layer's own regular files. */
    readonly contents: number
  } | null
}

export const startLayer = (path: string, directory: Place, form: LayerForm): LayerUnpack => ({
  path,
  directory,
  form,
  phase: "open",
  kept: [],
  made: null
})

/** The most that a file may have here, holes counted: it is held in memory. */
const mostBytes = 256 << 20

const limits = defaultLayerLimits

const refuse = (draft: Draft, path: string, error: LayerError): never => {
  draft.syscall = "layer"
  return fail("EINVAL", path, error.message)
}

const inflate = (draft: Draft, path: string, compression: Compression, bytes: Uint8Array): Uint8Array => {
  const most = Math.max(limits.ratioFloor, limits.ratio * bytes.length)
  const options = { maxOutputLength: most + 1 }
  try {
    return compression === "gzip" ? gunzipSync(bytes, options) : zstdDecompressSync(bytes, options)
  } catch (cause) {
    const bomb = (cause as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE"
    if (bomb) return refuse(draft, path, checkRatio(limits, bytes.length, most + 1)!)
    draft.syscall = compression
    return fail("EBADMSG", path, `the ${compression} data are damaged or cut off: copy or download the archive again`)
  }
}

export const decompressed = (draft: Draft, path: string, bytes: Uint8Array): Uint8Array => {
  const compression = detectCompression(bytes)
  const refusal = compressionRefusal(compression)
  if (refusal !== undefined) {
    draft.syscall = "read"
    return fail("EINVAL", path, refusal)
  }
  return compression === "none" ? bytes : inflate(draft, path, compression, bytes)
}

/** The entries with their contents as text, one character for each byte. */
function* filesOf(draft: Draft, path: string, archive: Uint8Array): Generator<LayerFile> {
  const [events, decoder] = TarDecoder.step(TarDecoder.start(), archive)
  let content = new Uint8Array(0)
  for (const event of [...events, ...TarDecoder.finish(decoder)]) {
    if (event._tag === "Entry") {
      if (event.entry.size > mostBytes) fail("EFBIG", path, "a simulated host holds no file that large")
      content = new Uint8Array(event.entry.size)
    } else if (event._tag === "Data") content.set(event.bytes, event.offset)
    else if (event._tag === "EntryEnd") {
      yield { entry: event.entry, content: Buffer.from(content).toString("latin1") }
    } else if (event._tag === "Failed") {
      draft.syscall = "tar"
      fail("EBADMSG", path, event.error.message)
    }
  }
}

const treeAt = (draft: Draft, place: Place, withContents: boolean): Tree => {
  const listing: Listing = []
  listTree(draft, place, "", Infinity, withContents, listing)
  return treeOf(listing)
}

const unpackAll = (draft: Draft, layer: LayerUnpack, bytes: Uint8Array): LayerUnpack => {
  const { directory, form, path } = layer
  const archive = decompressed(draft, path, bytes)
  const files = filesOf(draft, path, archive)
  const unpacked = form === "flat"
    ? applyLayer(treeAt(draft, directory, true), files)
    : unpackLayer(files)
  if (Result.isFailure(unpacked)) return refuse(draft, path, unpacked.failure)
  draft.syscall = "openat"
  writeTree(draft, directory, unpacked.success.tree)
  leaveUnsynced(draft, directory)
  const { implied } = unpacked.success
  const own = form === "flat" ? Result.getOrElse(unpackLayer(filesOf(draft, path, archive)), () => unpacked.success) : unpacked.success
  const made = { diffId: `sha256:${sha256(archive)}`, size: archive.length, implied, contents: bytesOfFiles(own.tree) }
  return { ...layer, phase: "ended", kept: [], made }
}

/** Takes the next bytes; `last` ends the archive. */
export const pushLayer = (draft: Draft, layer: LayerUnpack, data: Uint8Array, last: boolean): LayerUnpack => {
  if (layer.phase === "ended") fail("EINVAL", layer.path, "the layer's last push has come already")
  const kept = [...layer.kept, new Uint8Array(data)]
  return last ? unpackAll(draft, layer, new Uint8Array(Buffer.concat(kept))) : { ...layer, kept }
}

/**
 * What a layer came to. `below`: the root of what the layers below show, undefined where there are
 * none.
 */
export const finishLayer = (draft: Draft, layer: LayerUnpack, below: Place | undefined) => {
  const { directory, form, made, path } = layer
  if (made === null) return fail("EINVAL", path, "the layer's last push has not come yet")
  const tree = treeAt(draft, directory, false)
  if (below !== undefined && form === "overlay") {
    const facts = settleImplied(tree, made.implied, treeAt(draft, below, false))
    if (Result.isFailure(facts)) return refuse(draft, path, facts.failure)
    for (const { entry, path } of facts.success) changeFacts(draft, directory, path, entry)
  }
  return {
    diffId: made.diffId,
    size: made.size,
    contents: made.contents,
    opaque: isOpaque(tree)
  }
}

/** Each file once, however many names it has. */
const bytesOfFiles = (tree: Tree): number => {
  const sizes = new Map<string, number>()
  for (const [path, entry] of entriesOf(tree)) {
    if (entry.type === "file") sizes.set(entry.link ?? ` ${path}`, entry.size)
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
