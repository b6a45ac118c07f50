/**
 * One entry out of what the archive says about it in several places. Who wins over whom is as in
 * Go's archive/tar, which reads and writes nearly all layers: GNU long names over pax records of
 * the entry over the header.
 */
import * as Result from "effect/Result"
import type { PaxRecords } from "./PaxRecords.ts"
import { readSparseList, sparseOfFragments, type SparseReading, sparseText } from "./SparseMap.ts"
import {
  damaged,
  type EntryType,
  type TarEntry,
  type TarFault,
  type Timestamp
} from "./TarEntry.ts"
import { type TarHeader, typeflag } from "./TarHeader.ts"
import { beyond, type TarLimits } from "./TarLimits.ts"
import { encodeName } from "./tarName.ts"
import { readDecimal, readPaxTime } from "./tarNumber.ts"

/** What stood before the header. */
export interface Extensions {
  readonly own: PaxRecords | null
  readonly longName: string | null
  readonly longLink: string | null
}

export interface Draft {
  /** Complete but for a sparse file's `size` and `sparse`. */
  readonly entry: TarEntry
  /** Bytes that follow in the archive, without padding. */
  readonly stored: number
  /** Whether these bytes are a file's data; otherwise they are to be skipped. */
  readonly isData: boolean
  /** What the pax records say of a sparse file's map; `header`: the header block has it. */
  readonly sparse: SparseReading | "header" | null
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map()

const types: ReadonlyMap<number, EntryType> = new Map([
  [typeflag.oldFile, "file"],
  [typeflag.file, "file"],
  [typeflag.contiguous, "file"],
  [typeflag.sparse, "file"],
  [typeflag.hardlink, "hardlink"],
  [typeflag.symlink, "symlink"],
  [typeflag.char, "char"],
  [typeflag.block, "block"],
  [typeflag.dir, "dir"],
  [typeflag.dumpDir, "dir"],
  [typeflag.fifo, "fifo"]
])

/** The entry that a header and its extensions describe, or the fault that makes it none. */
export const assembleEntry = (
  header: TarHeader,
  extensions: Extensions,
  limits: TarLimits
): Result.Result<Draft, TarFault> => {
  const flagged = types.get(header.typeflag)
  if (flagged === undefined) return Result.fail(unsupportedType(header.typeflag))
  const path = pathOf(header, extensions, flagged)
  // BSD and v7 writers mark a directory by nothing but the slash.
  const type = flagged === "file" && path.endsWith("/") ? "dir" : flagged
  const linkpath =
    type === "symlink" || type === "hardlink"
      ? (extensions.longLink ?? recordOf(extensions, "linkpath") ?? header.linkname)
      : null
  const fault =
    nameFault(path, limits) ?? (linkpath === null ? undefined : linkFault(linkpath, limits))
  if (fault !== undefined) return Result.fail(fault)

  const stored = numberOf(header.size, extensions, "size")
  const uid = idOf(numberOf(header.uid, extensions, "uid"))
  const gid = idOf(numberOf(header.gid, extensions, "gid"))
  const mtime = mtimeOf(header, extensions)
  const devmajor = numberOf(header.devmajor, extensions, "SCHILY.devmajor")
  const devminor = numberOf(header.devminor, extensions, "SCHILY.devminor")
  const areSound = stored >= 0 && uid >= 0 && gid >= 0 && devmajor >= 0 && devminor >= 0
  if (!areSound || mtime === null) {
    return Result.fail(
      damaged("a number of the entry (size, uid, gid, mtime, device) is malformed or out of range")
    )
  }
  const hasBody = flagged === "file" || header.typeflag === typeflag.dumpDir
  const entry: TarEntry = {
    path: type === "dir" ? withoutSlashes(path) : path,
    type,
    mode: header.mode & 0o7777,
    uid,
    gid,
    uname: recordOf(extensions, "uname") ?? header.uname,
    gname: recordOf(extensions, "gname") ?? header.gname,
    size: type === "file" ? stored : 0,
    mtime,
    linkpath: linkpath ?? "",
    devmajor: type === "char" || type === "block" ? devmajor : 0,
    devminor: type === "char" || type === "block" ? devminor : 0,
    xattrs: extensions.own?.xattrs ?? noXattrs,
    sparse: null
  }
  const draft: Draft = {
    entry,
    stored: hasBody ? stored : 0,
    isData: type === "file",
    sparse: null
  }
  if (type !== "file") return Result.succeed(draft)
  if (header.typeflag === typeflag.sparse) return Result.succeed({ ...draft, sparse: "header" })
  return extensions.own === null
    ? Result.succeed(draft)
    : withSparseRecords(draft, extensions.own, limits)
}

/** The value of a record; undefined when the header's own holds. */
const recordOf = (extensions: Extensions, key: string): string | undefined => {
  const value = extensions.own?.values.get(key)
  return value === "" ? undefined : value
}

const numberOf = (fromHeader: number, extensions: Extensions, key: string): number => {
  const text = recordOf(extensions, key)
  if (text === undefined) return fromHeader
  const value = readDecimal(text)
  return Number.isSafeInteger(value) ? value : NaN
}

const pathOf = (header: TarHeader, extensions: Extensions, type: EntryType): string =>
  extensions.longName ??
  (type === "file" ? recordOf(extensions, "GNU.sparse.name") : undefined) ??
  recordOf(extensions, "path") ??
  header.name

const nameFault = (name: string, limits: TarLimits): TarFault | undefined => {
  // A character of a string is at most three bytes: most names need not be encoded to be measured.
  if (name.length * 3 <= limits.pathBytes || encodeName(name).length <= limits.pathBytes) {
    return undefined
  }
  return beyond(limits, "pathBytes", `a name that begins ${JSON.stringify(name.slice(0, 40))}`)
}

const linkFault = (linkpath: string, limits: TarLimits): TarFault | undefined =>
  linkpath === "" ? damaged("the entry is a link to nothing") : nameFault(linkpath, limits)

/**
 * As the kernel sees it: -2 is 4294967294. The id -1 means "leave it" to chown(2), so it is none.
 */
const idOf = (value: number): number => {
  const id = value < 0 && value >= -(2 ** 31) ? value + 2 ** 32 : value
  return id >= 0 && id < 2 ** 32 - 1 ? id : NaN
}

const mtimeOf = (header: TarHeader, extensions: Extensions): Timestamp | null => {
  const text = recordOf(extensions, "mtime")
  return text === undefined ? { seconds: header.mtime, nanoseconds: 0 } : readPaxTime(text)
}

/** The path without its final slashes; that of the root stays "/". */
const withoutSlashes = (path: string): string => {
  let end = path.length
  while (end > 1 && path.charCodeAt(end - 1) === 0x2f) end--
  return end === path.length ? path : path.slice(0, end)
}

const withSparseRecords = (
  draft: Draft,
  own: PaxRecords,
  limits: TarLimits
): Result.Result<Draft, TarFault> => {
  const version = [own.values.get("GNU.sparse.major"), own.values.get("GNU.sparse.minor")].join(".")
  const list = own.values.get("GNU.sparse.map")
  const isSparse =
    version !== "." ||
    list !== undefined ||
    own.fragments.length > 0 ||
    own.values.has("GNU.sparse.size")
  if (!isSparse) return Result.succeed(draft)
  const size = readDecimal(
    own.values.get("GNU.sparse.realsize") ?? own.values.get("GNU.sparse.size") ?? ""
  )
  if (!(size >= 0)) return Result.fail(damaged("the sparse file's size is missing or malformed"))
  if (version !== "1.0" && version !== "0.1" && version !== "0.0" && version !== ".") {
    return Result.fail(unsupportedSparse)
  }
  const reading =
    version === "1.0"
      ? Result.succeed(sparseText(size, draft.stored))
      : list === undefined
        ? sparseOfFragments(own.fragments, size, draft.stored)
        : readSparseList(list, size, draft.stored, limits)
  return Result.map(reading, (sparse) => ({ ...draft, sparse }))
}

const unsupportedType = (flag: number): TarFault => ({
  kind: "unsupported",
  reason: `entries of type ${JSON.stringify(String.fromCharCode(flag))} (${flag}) are no files`,
  hint: "make the archive again without it, for example by tar --format=pax"
})

const unsupportedSparse: TarFault = {
  kind: "unsupported",
  reason: "a sparse file in a format other than 0.0, 0.1 and 1.0",
  hint: "make the archive again with tar --format=pax --sparse-version=1.0, or without --sparse"
}
