/** What a layer may ask for at most. The decoder has limits of its own, on what it must hold. */

export interface LayerLimits {
  /** Bytes of the path of an entry or of the target of a link. */
  readonly pathBytes: number
  /** Directories above a file, after symlinks on the way. */
  readonly depth: number
  readonly entries: number
  /** Bytes of all files together, holes counted. */
  readonly expandedBytes: number
  /** Bytes of the archive for each byte that it was compressed to. */
  readonly ratio: number
  /** Bytes of the archive up to which no ratio is too great. */
  readonly ratioFloor: number
}

export const defaultLayerLimits: LayerLimits = {
  /** PATH_MAX, linux/limits.h, counts the NUL at the end. */
  pathBytes: 4095,
  /** Our own walks, for archives and removals, hold a descriptor for each level. */
  depth: 1000,
  entries: 10_000_000,
  /** 1 TiB */
  expandedBytes: 2 ** 40,
  /** Deflate reaches 1032 (zlib's technical notes) with zeros only, zstd any ratio; text 20. */
  ratio: 250,
  ratioFloor: 256 << 20
}
