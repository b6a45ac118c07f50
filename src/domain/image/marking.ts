/**
 * The mark phase of garbage collection: from what is held on to, everything that must stay. Nothing is counted and nothing
 * remembered; what is not marked may go.
 *
 * The protocol that makes it safe beside running pulls, loads, imports and commits:
 * - An operation takes a lease on a content's digest before it looks whether the content is there or writes it, and
 *   returns the lease only after a record holds the content.
 * - The collector lists what is stored, reads the roots, and removes what it did not mark, or the records of it. All that
 *   while it has the store's lock to itself; whoever takes a lease, or writes a record that holds contents, shares that
 *   lock for as long as this takes. So what is handed on between them is seen, in whatever order the roots are read.
 */
import type { Digest } from "./Digest.ts"

/** `Blob`: content by its digest. `Layer`: an unpacked layer by its chain id. */
export type ContentKind = "Blob" | "Layer"

export interface Content {
  readonly kind: ContentKind
  readonly digest: Digest
}

export const blob = (digest: Digest): Content => ({ kind: "Blob", digest })
export const layer = (chainId: Digest): Content => ({ kind: "Layer", digest: chainId })

/** Whoever holds on to contents, directly or through what those refer to. */
export interface Roots {
  /** Of running operations: each content that they have found, written, or are about to write. */
  readonly leases: ReadonlyArray<{ readonly holds: ReadonlyArray<Content> }>
  /** `target`: the manifest, index or config that the record names; `layer`: the top chain id, if it is unpacked. */
  readonly images: ReadonlyArray<{ readonly target: Digest; readonly layer?: Digest }>
  /** A container keeps its layers, even when the image has gone. */
  readonly containers: ReadonlyArray<{ readonly layer?: Digest }>
}

/**
 * What a content needs besides itself: a manifest its config and layers, an index its manifests, a layer the one below.
 * Empty for what is not stored or needs nothing.
 */
export type Edges = (content: Content) => Iterable<Content>

/** A set of contents. */
export interface Marked {
  readonly blobs: ReadonlySet<Digest>
  readonly layers: ReadonlySet<Digest>
}

const held = ({ layer: chainId, target }: { readonly target?: Digest; readonly layer?: Digest }): ReadonlyArray<Content> => [
  ...(target === undefined ? [] : [blob(target)]),
  ...(chainId === undefined ? [] : [layer(chainId)])
]

/** All that the roots reach. Each content is visited once, so cycles and shared parts cost nothing. */
export const mark = (roots: Roots, edges: Edges): Marked => {
  const blobs = new Set<Digest>()
  const layers = new Set<Digest>()
  const waiting: Array<Content> = [
    ...roots.leases.flatMap(({ holds }) => holds),
    ...roots.images.flatMap(held),
    ...roots.containers.flatMap(held)
  ]
  for (let content = waiting.pop(); content !== undefined; content = waiting.pop()) {
    const seen = content.kind === "Blob" ? blobs : layers
    if (seen.has(content.digest)) continue
    seen.add(content.digest)
    for (const next of edges(content)) waiting.push(next)
  }
  return { blobs, layers }
}

export const isMarked = (marked: Marked, content: Content): boolean =>
  (content.kind === "Blob" ? marked.blobs : marked.layers).has(content.digest)

/**
 * What of `stored` may be removed, in an order in which it may be cut short anywhere: what needs comes before what is
 * needed, so that nothing half there ever looks whole.
 */
export const garbage = (
  stored: ReadonlyArray<Content>, marked: Marked, edges: Edges
): ReadonlyArray<Content> => {
  const key = ({ digest, kind }: Content) => `${kind} ${digest}`
  const left = new Map(stored.filter((content) => !isMarked(marked, content)).map((content) => [key(content), content]))
  const finished: Array<Content> = []
  const visited = new Set<string>()
  const visit = (start: Content): void => {
    const open: Array<{ readonly content: Content; readonly rest: Iterator<Content> }> = []
    const enter = (content: Content) => {
      visited.add(key(content))
      open.push({ content, rest: edges(content)[Symbol.iterator]() })
    }
    enter(start)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.rest.next()
      if (next.done === true) {
        finished.push(top.content)
        open.pop()
      } else {
        const content = left.get(key(next.value))
        if (content !== undefined && !visited.has(key(content))) enter(content)
      }
    }
  }
  const byName = [...left.values()].sort((one, other) => one.digest < other.digest ? -1 : 1)
  for (const content of byName) if (!visited.has(key(content))) visit(content)
  return finished.reverse()
}
