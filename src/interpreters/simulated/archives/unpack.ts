/**
 * A tar stream becoming files, a piece at a time, with what the real unpacking does about what is
 * in the way.
 */
import * as Result from "effect/Result"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import {
  compressionRefusal, detectCompression, detectionBytes
} from "../../../domain/layer/compression.ts"
import { resolveEntryPath } from "../../../domain/layer/entryPath.ts"
import * as TarDecoder from "../../../domain/layer/TarDecoder.ts"
import type { TarEntry } from "../../../domain/layer/TarEntry.ts"
import { type Draft, Failure, fail } from "../Draft.ts"
import type { Place } from "../World.ts"
import { placeEntry, setTimes } from "./placeEntry.ts"

export interface UnpackTarget {
  /** How errors name the directory. */
  readonly path: string
  readonly root: Place
  readonly directory: Place
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly noOverwriteDirNonDir: boolean
}

/** Between two pieces. A compressed archive is kept until its last piece. */
export interface Unpack {
  readonly target: UnpackTarget
  readonly phase: "start" | "plain" | "compressed" | "failed"
  readonly kept: ReadonlyArray<Uint8Array>
  readonly decoder: TarDecoder.TarDecoder
  /** The file being read: its entry and data. */
  readonly file: {
    readonly entry: TarEntry
    readonly parts: ReadonlyArray<{ readonly offset: number; readonly bytes: Uint8Array }>
  } | null
  /** Directories whose times are set in the end. */
  readonly directories: ReadonlyArray<TarEntry>
}

export const startUnpack = (target: UnpackTarget): Unpack => ({
  target,
  phase: "start",
  kept: [],
  decoder: TarDecoder.start(),
  file: null,
  directories: []
})

/** Components of a path of an entry, none of which leads out. */
export const entryComponents = (path: string): ReadonlyArray<string> => {
  const found = resolveEntryPath(path)
  return Result.isSuccess(found)
    ? found.success
    : fail("EINVAL", path, `${found.failure.reason}; ${found.failure.hint}`)
}

const assemble = (file: NonNullable<Unpack["file"]>): Uint8Array => {
  const content = new Uint8Array(file.entry.size)
  for (const { offset, bytes } of file.parts) content.set(bytes, offset)
  return content
}

/** A failure says at which entry. */
const place = (
  draft: Draft,
  target: UnpackTarget,
  entry: TarEntry,
  content: Uint8Array
): void => {
  try {
    placeEntry(draft, target, entry, content)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    fail(failure.errno, target.path, failure.hint ?? `at ${entryComponents(entry.path).join("/")}`)
  }
}

const make = (draft: Draft, unpack: Unpack, events: ReadonlyArray<TarDecoder.TarEvent>): Unpack => {
  let state = unpack
  for (const event of events) {
    switch (event._tag) {
      case "Entry":
        entryComponents(event.entry.path)
        if (event.entry.type === "dir") {
          state = { ...state, directories: [...state.directories, event.entry] }
        }
        state = { ...state, file: { entry: event.entry, parts: [] } }
        break
      case "Data":
        state = {
          ...state,
          file: {
            entry: state.file!.entry,
            parts: [...state.file!.parts, { offset: event.offset, bytes: event.bytes.slice() }]
          }
        }
        break
      case "EntryEnd":
        place(draft, state.target, event.entry, assemble(state.file!))
        state = { ...state, file: null }
        break
      case "Failed":
        return fail(
          "EBADMSG",
          event.error.entry ?? state.target.path,
          `${event.error.message}; ${event.error.hint}`
        )
      case "End":
        break
    }
  }
  return state
}

const decode = (draft: Draft, unpack: Unpack, bytes: Uint8Array): Unpack => {
  const [events, decoder] = TarDecoder.step(unpack.decoder, bytes)
  return make(draft, { ...unpack, decoder }, events)
}

const inflate = (bytes: Uint8Array): Uint8Array => {
  try {
    return detectCompression(bytes) === "gzip" ? gunzipSync(bytes) : zstdDecompressSync(bytes)
  } catch {
    return fail("EBADMSG", undefined, "the compressed archive is damaged")
  }
}

const finish = (draft: Draft, unpack: Unpack): Unpack => {
  const state = make(draft, unpack, TarDecoder.finish(unpack.decoder))
  for (const entry of state.directories) setTimes(draft, state.target, entry)
  return state
}

/** Takes the next bytes; `last` ends the archive. What came before a fault is made all the same. */
export const unpackBytes = (
  draft: Draft,
  unpack: Unpack,
  data: Uint8Array,
  last: boolean
): Unpack => {
  if (unpack.phase === "plain") {
    const state = decode(draft, unpack, data)
    return last ? finish(draft, state) : state
  }
  const kept = [...unpack.kept, data.slice()]
  const all = new Uint8Array(Buffer.concat(kept))
  if (unpack.phase === "compressed" && !last) return { ...unpack, kept }
  if (all.length < detectionBytes && !last) return { ...unpack, kept: [all] }
  const compression = detectCompression(all)
  if (compression === "gzip" || compression === "zstd") {
    if (!last) return { ...unpack, phase: "compressed", kept }
    return finish(draft, decode(draft, { ...unpack, phase: "plain", kept: [] }, inflate(all)))
  }
  const refusal = compressionRefusal(compression)
  if (refusal !== undefined) fail("EINVAL", unpack.target.path, refusal)
  const state = decode(draft, { ...unpack, phase: "plain", kept: [] }, all)
  return last ? finish(draft, state) : state
}
