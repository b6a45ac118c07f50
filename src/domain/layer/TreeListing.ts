/**
 * A listing of a tree as bytes: what looks into root file systems give, and what `Tree` is made of.
 * One record for each name, in any order but that a file's first name comes before its others, which
 * are records of the type `hardlink`. Attributes of overlayfs are in it, sockets too.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { BadRecord, type EntryRecord, recordKinds, RecordReader, RecordWriter } from "./EntryRecord.ts"
import { type FileEntry, impliedDirectory, type Tree, type TreeEntry, treeOf } from "./Tree.ts"

export interface ListingLimits {
  readonly entries: number
  /** Names in a path. */
  readonly depth: number
}

export const defaultListingLimits: ListingLimits = {
  entries: 10_000_000,
  /** Of the addon's walk, which holds a descriptor for each level. */
  depth: 1024
}

export class TreeListingError extends Schema.TaggedError<TreeListingError>()("TreeListingError", {
  /** Byte of the listing at or before which it is. */
  offset: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `listing of a tree: at byte ${this.offset}: ${this.reason} (it was cut off or damaged: make it again)`
  }
}

const none: EntryRecord = {
  path: "",
  type: "dir",
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: impliedDirectory.mtime,
  linkpath: "",
  devmajor: 0,
  devminor: 0,
  xattrs: impliedDirectory.xattrs
}

/** Names with one `link` are one file, as in a tree; contents are left out. */
export const encodeListing = (
  listing: Iterable<readonly [path: string, entry: TreeEntry]>
): Uint8Array => {
  const writer = new RecordWriter()
  const first = new Map<string, string>()
  for (const [path, entry] of listing) {
    const { gid, mode, mtime, uid, xattrs } = entry
    const facts = { ...none, path, mode, uid, gid, mtime }
    if (entry.type === "dir") {
      writer.entry({ ...facts, xattrs })
      continue
    }
    const { devmajor, devminor, link, size, target, type } = entry
    const known = link === null ? undefined : first.get(link)
    if (link !== null && known === undefined) first.set(link, path)
    const own = { type, size: type === "file" ? size : 0, linkpath: target, devmajor, devminor, xattrs }
    writer.entry({ ...facts, ...(known === undefined ? own : { type: "hardlink", linkpath: known }) })
  }
  return new Uint8Array(writer.take())
}

/**
 * The tree of a listing. What several records are about is as the last says; directories that none
 * is about are implied.
 */
export const decodeListing = (
  bytes: Uint8Array,
  limits: ListingLimits = defaultListingLimits
): Result.Result<Tree, TreeListingError> => {
  const reader = new RecordReader(bytes)
  const found = new Map<string, TreeEntry>()
  let at = 0
  const refuse = (reason: string): Result.Result<never, TreeListingError> =>
    Result.fail(new TreeListingError({ offset: at, reason }))
  try {
    for (let count = 0; reader.hasMore; count++) {
      at = reader.at
      if (count === limits.entries) return refuse(`more than ${limits.entries} entries`)
      if (reader.u32() !== recordKinds.entry) return refuse("no record of an entry")
      const wrong = take(found, reader.entry(), limits)
      if (wrong !== undefined) return refuse(wrong)
    }
  } catch (cause) {
    if (cause instanceof BadRecord) return refuse("the record ends early, or is none")
    throw cause
  }
  const misplaced = findMisplaced(found)
  return misplaced === undefined
    ? Result.succeed(treeOf(found))
    : refuse(`${JSON.stringify(misplaced)} lies below something that is no directory`)
}

/** Enters a record, or says what is wrong with it. */
const take = (
  found: Map<string, TreeEntry>,
  record: EntryRecord,
  limits: ListingLimits
): string | undefined => {
  const { path, type } = record
  const names = path === "" ? [] : path.split("/")
  if (names.length > limits.depth) return `a path of more than ${limits.depth} names`
  if (names.some((name) => name === "" || name === "." || name === "..")) {
    return `${JSON.stringify(path)} is no path of a tree`
  }
  if (type !== "hardlink") {
    found.set(path, entryOf(record))
    return undefined
  }
  // A path that was looked at twice.
  if (record.linkpath === path && found.has(path)) return undefined
  const first = found.get(record.linkpath)
  if (first === undefined || first.type === "dir") {
    return `${JSON.stringify(path)} is another name of ${JSON.stringify(record.linkpath)}, which is none of a file`
  }
  const shared: FileEntry = { ...first, link: record.linkpath }
  found.set(record.linkpath, shared)
  found.set(path, shared)
  return undefined
}

const entryOf = (record: EntryRecord): TreeEntry => {
  const { devmajor, devminor, gid, linkpath: target, mode, mtime, size, type, uid, xattrs } = record
  const facts = { mode, uid, gid, mtime, xattrs }
  if (type === "dir") return { type, ...facts }
  const kind = type as FileEntry["type"]
  return { type: kind, ...facts, size, content: null, target, devmajor, devminor, link: null }
}

/** A path below something that is no directory. */
const findMisplaced = (found: ReadonlyMap<string, TreeEntry>): string | undefined => {
  let checked = ""
  for (const path of found.keys()) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")))
    if (path !== "" && (found.get("")?.type ?? "dir") !== "dir") return path
    if (parent === checked) continue
    for (let end = parent.length; end > 0; end = parent.lastIndexOf("/", end - 1)) {
      const entry = found.get(parent.slice(0, end))
      if (entry !== undefined && entry.type !== "dir") return path
    }
    checked = parent
  }
  return undefined
}
