/**
 * Something that arrives bit by bit, newest part first. A list that shares its tail costs the same
 * for each part however many came before, and never changes a state that somebody may still hold.
 */

export type Pieces<A> = {
  readonly items: ArrayLike<A>
  readonly count: number
  readonly earlier: Pieces<A>
} | null

/** The pieces with one more; `count` is that of the items of all. */
export const withPiece = <A>(earlier: Pieces<A>, items: ArrayLike<A>): Pieces<A> => ({
  items,
  count: (earlier?.count ?? 0) + items.length,
  earlier
})

export const countOf = (pieces: Pieces<unknown>): number => pieces?.count ?? 0

/** All bytes in one piece, in the order in which they came. */
export const joinBytes = (pieces: Pieces<number>): Uint8Array => {
  const bytes = new Uint8Array(countOf(pieces))
  for (let piece = pieces; piece !== null; piece = piece.earlier) {
    bytes.set(piece.items, piece.count - piece.items.length)
  }
  return bytes
}

/** All items in the order in which they came. */
export const joinItems = <A>(pieces: Pieces<A>): ReadonlyArray<A> => {
  const all: Array<A> = []
  for (let piece = pieces; piece !== null; piece = piece.earlier) {
    for (let index = piece.items.length - 1; index >= 0; index--) all.push(piece.items[index]!)
  }
  return all.reverse()
}

/**
 * Bytes `from` to `to` in memory of their own. Not by `slice`: that of Node's Buffer, which a chunk
 * may be, does not copy.
 */
export const copyBytes = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  new Uint8Array(bytes.subarray(from, to))
