/**
 * What a tar archive says about one file, whatever dialect it is written in, and the error of
 * everything that reads or writes archives.
 */
import * as Schema from "effect/Schema"

export type EntryType = "file" | "dir" | "symlink" | "hardlink" | "char" | "block" | "fifo"

/**
 * A point in time: seconds since 1970 (negative before), and 0 to 999,999,999 nanoseconds after
 * that.
 */
export interface Timestamp {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A part of a sparse file that is not a hole; bytes. */
export interface Fragment {
  readonly offset: number
  readonly length: number
}

/**
 * Names (`path`, `linkpath`, `uname`, `gname`, keys of `xattrs`) are UTF-8; a byte that is not
 * appears as a lone surrogate, see `tarName.ts`. `path` and `linkpath` are as the archive has them,
 * not yet safe to use (see `entryPath.ts`), but without the slashes that end the name of a
 * directory.
 */
export interface TarEntry {
  readonly path: string
  readonly type: EntryType
  /** Permission bits and set-id and sticky bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Name of the owner, "" when the archive has none. */
  readonly uname: string
  readonly gname: string
  /** Bytes of a file with its holes; 0 for every other type. */
  readonly size: number
  readonly mtime: Timestamp
  /** Target of a symlink; for a hardlink the path of the entry it is another name of; else "". */
  readonly linkpath: string
  /** Device numbers of a char or block, else 0. */
  readonly devmajor: number
  readonly devminor: number
  readonly xattrs: ReadonlyMap<string, Uint8Array>
  /**
   * The parts that are not holes, ascending and without overlap, or null when all of the file is
   * stored.
   */
  readonly sparse: ReadonlyArray<Fragment> | null
}

/** Bytes of the file that the archive holds after the header: `size` without the holes. */
export const storedSize = (entry: TarEntry): number =>
  entry.sparse === null
    ? entry.size
    : entry.sparse.reduce((sum, fragment) => sum + fragment.length, 0)

const TarErrorKind = Schema.Literals([
  "damaged",
  "truncated",
  "limit",
  "unsupported",
  "unencodable"
])

/** What is wrong, before it is known where in the archive. */
export interface TarFault {
  /**
   * `damaged`: no tar archive, or not what its writer wrote; `truncated`: it ends too early;
   * `limit`: more than TarLimits allow; `unsupported`: valid, but not for us; `unencodable`: an
   * entry tar can't express.
   */
  readonly kind: typeof TarErrorKind.Type
  readonly reason: string
  readonly hint: string
}

export class TarError extends Schema.TaggedError<TarError>()("TarError", {
  kind: TarErrorKind,
  /** Byte of the (uncompressed) archive where the header or the data at fault begins. */
  offset: Schema.Number,
  /** Path of the entry, as far as it was known. */
  entry: Schema.optionalKey(Schema.String),
  reason: Schema.String,
  /** What a user can do about it. */
  hint: Schema.String
}) {
  override get message(): string {
    const where = this.entry === undefined ? "" : ` in entry ${JSON.stringify(this.entry)}`
    return `tar archive: at byte ${this.offset}${where}: ${this.reason} (${this.hint})`
  }

  static readonly of = (fault: TarFault, offset: number, entry: string | undefined): TarError =>
    new TarError(entry === undefined ? { ...fault, offset } : { ...fault, offset, entry })
}

/** The fault of bytes that no tar writer produces. */
export const damaged = (reason: string): TarFault => ({
  kind: "damaged",
  reason,
  hint: "the file is damaged or no tar archive: make or download it again"
})
