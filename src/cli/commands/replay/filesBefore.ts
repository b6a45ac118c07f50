/**
 * The files that copies of a trace are made of, as far as the trace shows them: what was asked about by path, with its
 * kind, mode, owner and length. What was in them and below them no trace says; they are full of zeros, and empty.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { joinBytes } from "../../../domain/bytes/joinBytes.ts"
import type { FileStatus, RootSource } from "../../../domain/kernel/KernelOp.ts"
import { followSymlink, meansDirectory, splitPath } from "../../../domain/layer/ArchivePath.ts"
import { encodeHeader, endOfArchive, padding } from "../../../domain/layer/TarEncoder.ts"
import type { EntryType } from "../../../domain/layer/TarEntry.ts"
import type { TraceEntry } from "../../../interpreters/middleware/TraceEntry.ts"
import { type Kernel, perform } from "../../../programs/Kernel.ts"
import { baseOf, type Started } from "./worldBefore.ts"

/** What paths were when they were first asked for, undefined for nothing; by the directory that has a root's files. */
export type Files = ReadonlyMap<string, ReadonlyMap<string, FileStatus | undefined>>

/** Bytes that a file is long at most: a simulated machine has them all in memory. */
const longest = 64 << 20

/** Without what a user writes behind a name to say that a directory is meant. */
const plain = (path: string): string => {
  const { name, parent } = splitPath(path)
  return name === "." ? parent : parent === "/" ? `/${name}` : `${parent}/${name}`
}

const someFile: FileStatus = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, major: 0, minor: 0 }

export const filesSeen = (entries: ReadonlyArray<TraceEntry>, started: ReadonlyArray<Started>): Files => {
  const files = new Map<string, Map<string, FileStatus | undefined>>()
  for (const { op: { payload, tag }, outcome } of entries.toSorted((one, other) => one.index - other.index)) {
    if (tag !== "RootStat" || outcome._tag === "Interrupted") continue
    const base = baseOf(payload.root, started)
    const known = files.get(base) ?? new Map<string, FileStatus | undefined>()
    files.set(base, known)
    const link = payload.follow ? known.get(plain(payload.path)) : undefined
    const path = plain(link?.target === undefined ? payload.path : followSymlink(payload.path, link.target))
    // ENOTDIR is of the name itself where a directory was meant
    const [at, status] = outcome._tag === "Success"
      ? [path, outcome.value as FileStatus]
      : outcome.error.errno === "ENOTDIR"
      ? [meansDirectory(payload.path) ? path : splitPath(path).parent, someFile]
      : [path, undefined]
    if (!known.has(at)) known.set(at, status)
  }
  return files
}

const types: { readonly [T in FileStatus["type"]]?: EntryType } = {
  file: "file", directory: "dir", symlink: "symlink", block: "block", character: "char", fifo: "fifo"
}

/** A tar of one thing; undefined for what is in no archive. */
const archiveOf = (path: string, status: FileStatus): Uint8Array | undefined => {
  const type = types[status.type]
  if (type === undefined) return undefined
  const size = type === "file" ? Math.min(status.size, longest) : 0
  const { gid, major, minor, mode, target, uid } = status
  const header = encodeHeader({
    path: path.slice(1) || ".", type, mode, uid, gid, uname: "", gname: "", size, mtime: { seconds: 0, nanoseconds: 0 },
    linkpath: target ?? "", devmajor: major, devminor: minor, sparse: null, xattrs: new Map()
  })
  return Result.isFailure(header)
    ? undefined
    : joinBytes([header.success, new Uint8Array(size), padding(size), endOfArchive])
}

const unpack = (root: RootSource, data: Uint8Array) =>
  Effect.gen(function*() {
    const { archive } = yield* perform("ArchiveWrite", { root, path: "/", noOverwriteDirNonDir: false })
    yield* Effect.ignore(perform("ArchivePush", { archive, data, last: true }))
    yield* perform("ArchiveClose", { archive })
  })

/** What cannot be made shows as a difference. `texts`: paths of the host whose text is known. */
export const makeFiles = (files: Files, texts: ReadonlySet<string>): Effect.Effect<void, never, Kernel> =>
  Effect.forEach([...files], ([base, known]) =>
    Effect.forEach([...known], ([path, status]) => {
      const there = base === "/" ? path : `${base}${path}`
      const data = status === undefined ? undefined : archiveOf(path, status)
      if (status === undefined && base !== "/") return Effect.ignore(perform("TreeRemove", { path: there }))
      return data === undefined || texts.has(there)
        ? Effect.void
        : Effect.ignore(unpack({ _tag: "Directory", path: base }, data))
    }, { discard: true }), { discard: true })
