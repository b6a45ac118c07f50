/**
 * A persistent map from names to values as two arrays in the order of the names: plain data, listed
 * in order for free, and cheap to copy up to some thousand entries. Directories and collections are
 * this.
 */

export interface Sorted<V> {
  readonly keys: ReadonlyArray<string>
  readonly values: ReadonlyArray<V>
}

const nothing: Sorted<never> = { keys: [], values: [] }

export const empty = <V>(): Sorted<V> => nothing

/** Where the name is, or, as −1 − index, where it would be. */
const search = (keys: ReadonlyArray<string>, key: string): number => {
  let low = 0
  let high = keys.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const at = keys[middle]!
    if (at === key) return middle
    if (at < key) low = middle + 1
    else high = middle - 1
  }
  return -1 - low
}

export const get = <V>(map: Sorted<V>, key: string): V | undefined => {
  const at = search(map.keys, key)
  return at < 0 ? undefined : map.values[at]
}

export const set = <V>(map: Sorted<V>, key: string, value: V): Sorted<V> => {
  const at = search(map.keys, key)
  const values = map.values.slice()
  if (at >= 0) {
    values[at] = value
    return { keys: map.keys, values }
  }
  const keys = map.keys.slice()
  keys.splice(-1 - at, 0, key)
  values.splice(-1 - at, 0, value)
  return { keys, values }
}

export const remove = <V>(map: Sorted<V>, key: string): Sorted<V> => {
  const at = search(map.keys, key)
  if (at < 0) return map
  const keys = map.keys.slice()
  const values = map.values.slice()
  keys.splice(at, 1)
  values.splice(at, 1)
  return { keys, values }
}

export const from = <V>(entries: Iterable<readonly [string, V]>): Sorted<V> => {
  let map = empty<V>()
  for (const [key, value] of entries) map = set(map, key, value)
  return map
}
