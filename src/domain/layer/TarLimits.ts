/**
 * What an archive may ask of us at most. Archives come from strangers: each limit bounds memory,
 * disk or time that a few bytes could otherwise claim.
 */
import type { TarFault } from "./TarEntry.ts"

export interface TarLimits {
  /** Entries of the whole archive. */
  readonly entries: number
  /** Bytes of a path or of the target of a link. */
  readonly pathBytes: number
  /** Bytes of one pax header. */
  readonly paxBytes: number
  /** Bytes of the value of one extended attribute. */
  readonly xattrBytes: number
  /** Bytes of the names of one entry's extended attributes, a NUL after each. */
  readonly xattrNamesBytes: number
  /** Parts of one sparse file. */
  readonly fragments: number
  /** Bytes of all files together, holes counted. */
  readonly expandedBytes: number
}

export const defaultLimits: TarLimits = {
  entries: 10_000_000,
  /** PATH_MAX, linux/limits.h */
  pathBytes: 4096,
  /** What Go's archive/tar, and so every registry's content, keeps to. */
  paxBytes: 1 << 20,
  /** XATTR_SIZE_MAX, linux/limits.h */
  xattrBytes: 65_536,
  /** XATTR_LIST_MAX, linux/limits.h */
  xattrNamesBytes: 65_536,
  fragments: 250_000,
  /** 1 TiB */
  expandedBytes: 2 ** 40
}

/** The fault of more than `limit`; `what` names the thing with its unit. */
export const beyond = (limits: TarLimits, limit: keyof TarLimits, what: string): TarFault => ({
  kind: "limit",
  reason: `${what}: more than the ${limits[limit]} allowed`,
  hint: `if the archive is to be trusted, raise the limit ${limit}`
})
