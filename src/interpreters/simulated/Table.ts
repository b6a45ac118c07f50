/**
 * A persistent map from small integers to values: a radix tree of 32 ways. A change copies one path
 * of the tree (at most four short arrays for a million entries), so that old worlds stay as they
 * were.
 */

type Branch = ReadonlyArray<unknown>

const bits = 5
const width = 1 << bits
const mask = width - 1
const none: Branch = []

const read = (node: Branch, level: number, key: number): unknown => {
  let at: unknown = node
  for (let shift = level * bits; shift > 0; shift -= bits) {
    at = (at as Branch)[(key >>> shift) & mask]
    if (at === undefined) return undefined
  }
  return (at as Branch)[key & mask]
}

const write = (node: Branch, level: number, key: number, value: unknown): Branch => {
  const copy = node.slice()
  const slot = (key >>> (level * bits)) & mask
  while (copy.length < slot) copy.push(undefined)
  copy[slot] = level === 0 ? value : write((node[slot] ?? none) as Branch, level - 1, key, value)
  return copy
}

/**
 * Without the key; `undefined` when nothing is left: empty branches would be walked for ever after.
 */
const erase = (node: Branch, level: number, key: number): Branch | undefined => {
  const slot = (key >>> (level * bits)) & mask
  const below = level === 0 ? undefined : erase(node[slot] as Branch, level - 1, key)
  if (below === undefined && node.every((one, index) => one === undefined || index === slot)) {
    return undefined
  }
  const copy = node.slice()
  copy[slot] = below
  return copy
}

const walk = (
  node: Branch,
  level: number,
  prefix: number,
  visit: (value: unknown, key: number) => void
): void => {
  for (let slot = 0; slot < node.length; slot++) {
    const one = node[slot]
    if (one === undefined) continue
    if (level === 0) visit(one, prefix + slot)
    else walk(one as Branch, level - 1, (prefix + slot) * width, visit)
  }
}

/** Keys are integers from 0 to 2^30 − 1; `undefined` is no value. */
export class Table<V> {
  readonly size: number
  private readonly level: number
  private readonly root: Branch

  private constructor(size: number, level: number, root: Branch) {
    this.size = size
    this.level = level
    this.root = root
  }

  static readonly empty = <V>(): Table<V> => new Table<V>(0, 0, none)

  static readonly from = <V>(entries: Iterable<readonly [number, V]>): Table<V> => {
    let table = Table.empty<V>()
    for (const [key, value] of entries) table = table.set(key, value)
    return table
  }

  get(key: number): V | undefined {
    return key >>> ((this.level + 1) * bits) !== 0
      ? undefined
      : read(this.root, this.level, key) as V | undefined
  }

  set(key: number, value: V): Table<V> {
    let { level, root } = this
    while (key >>> ((level + 1) * bits) !== 0) {
      root = [root]
      level++
    }
    const fresh = this.get(key) === undefined
    return new Table<V>(fresh ? this.size + 1 : this.size, level, write(root, level, key, value))
  }

  remove(key: number): Table<V> {
    if (this.get(key) === undefined) return this
    return new Table<V>(this.size - 1, this.level, erase(this.root, this.level, key) ?? none)
  }

  /** In the order of the keys. */
  forEach(visit: (value: V, key: number) => void): void {
    walk(this.root, this.level, 0, visit as (value: unknown, key: number) => void)
  }

  entries(): Array<[number, V]> {
    const all: Array<[number, V]> = []
    this.forEach((value, key) => all.push([key, value]))
    return all
  }

  values(): Array<V> {
    const all: Array<V> = []
    this.forEach((value) => all.push(value))
    return all
  }
}
