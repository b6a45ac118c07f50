/** Garbage collection: what is marked, what may go, and that the protocol beside running operations loses nothing. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Digest } from "../../../src/domain/image/Digest.ts"
import {
  blob, type Content, type Edges, garbage, isMarked, layer, mark, type Roots
} from "../../../src/domain/image/marking.ts"
import { sha256 } from "./arbitraries.ts"

const key = ({ digest, kind }: Content): string => `${kind} ${digest}`
const noRoots: Roots = { leases: [], images: [], containers: [] }
const nothing: Edges = () => []

describe("marking", () => {
  const [index, manifest, config, low, top] = ["index", "manifest", "config", "low", "top"].map(sha256) as
    [Digest, Digest, Digest, Digest, Digest]
  const graph: { readonly [content: string]: ReadonlyArray<Content> } = {
    [key(blob(index))]: [blob(manifest)], [key(blob(manifest))]: [blob(config), blob(low)], [key(layer(top))]: [layer(low)]
  }
  const edges: Edges = (content) => graph[key(content)] ?? []

  it("reaches all that an image, a container or a lease needs", () => {
    const ofImage = mark({ ...noRoots, images: [{ target: index, layer: top }] }, edges)
    expect(ofImage.blobs).toEqual(new Set([index, manifest, config, low]))
    expect(ofImage.layers).toEqual(new Set([top, low]))
    expect(mark({ ...noRoots, containers: [{ layer: top }] }, edges))
      .toEqual({ blobs: new Set(), layers: new Set([top, low]) })
    expect(mark({ ...noRoots, images: [{ target: manifest }] }, edges).blobs).toEqual(new Set([manifest, config, low]))
    expect(mark({ ...noRoots, leases: [{ holds: [blob(config), layer(low)] }] }, edges))
      .toEqual({ blobs: new Set([config]), layers: new Set([low]) })
    expect(mark(noRoots, edges)).toEqual({ blobs: new Set(), layers: new Set() })
  })

  it("tells a blob from a layer of the same digest", () => {
    const marked = mark({ ...noRoots, images: [{ target: low }] }, edges)
    expect(isMarked(marked, blob(low))).toBe(true)
    expect(isMarked(marked, layer(low))).toBe(false)
    expect(garbage([blob(low), layer(low)], marked, edges)).toEqual([layer(low)])
  })

  const contents = fc.nat(11).map((number): Content => (number % 3 === 0 ? layer : blob)(sha256(`${number}`)))
  const graphs = fc.array(fc.tuple(contents, fc.array(contents, { maxLength: 4 })), { maxLength: 12 }).map((rows) => {
    const map = new Map(rows.map(([from, to]) => [key(from), to]))
    return (content: Content): ReadonlyArray<Content> => map.get(key(content)) ?? []
  })
  const leases = fc.array(fc.record({ holds: fc.array(contents, { maxLength: 3 }) }), { maxLength: 3 })

  it("is the smallest set that has the roots and is closed, in graphs with cycles, too", () => {
    fc.assert(fc.property(graphs, leases, fc.uniqueArray(contents, { selector: key }), (edges, held, stored) => {
      const marked = mark({ ...noRoots, leases: held }, edges)
      const reached = new Map(held.flatMap(({ holds }) => holds).map((content) => [key(content), content]))
      // Widened until nothing is added: slow, and plainly right
      for (let size = -1; size !== reached.size;) {
        size = reached.size
        reached.forEach((content) => edges(content).forEach((next) => reached.set(key(next), next)))
      }
      expect(marked.blobs.size + marked.layers.size).toBe(reached.size)
      for (const content of reached.values()) expect(isMarked(marked, content)).toBe(true)
      const removed = garbage(stored, marked, edges)
      expect(removed.map(key).sort()).toEqual(stored.map(key).filter((one) => !reached.has(one)).sort())
    }))
  })

  it("removes what needs before what is needed, so that stopping half-way leaves nothing that looks whole", () => {
    // Edges to greater numbers only: as digests are, without cycles
    const stored = Array.from({ length: 12 }, (_, number) => blob(sha256(`${number}`)))
    const rows = fc.array(fc.array(fc.nat(11), { maxLength: 3 }), { minLength: 12, maxLength: 12 })
    fc.assert(fc.property(rows, fc.shuffledSubarray(stored), (targets, some) => {
      const edges = (content: Content) =>
        (targets[stored.findIndex((one) => one.digest === content.digest)] ?? [])
          .filter((to) => to > stored.findIndex((one) => one.digest === content.digest)).map((to) => stored[to]!)
      const order = garbage(some, mark(noRoots, edges), edges).map(key)
      expect(order).toHaveLength(some.length)
      for (const content of some) {
        for (const next of edges(content)) {
          if (order.includes(key(next))) expect(order.indexOf(key(content))).toBeLessThan(order.indexOf(key(next)))
        }
      }
    }))
  })

  it("of many layers on each other needs no deep stack", () => {
    const next = new Map<Digest, Digest>()
    const name = (number: number) => `sha256:${number.toString(16).padStart(64, "0")}` as Digest
    for (let number = 0; number < 30_000; number++) next.set(name(number), name(number + 1))
    const edges: Edges = ({ digest, kind }) => next.has(digest) ? [{ kind, digest: next.get(digest)! }] : []
    expect(mark({ ...noRoots, images: [{ target: name(5), layer: name(0) }] }, edges).layers.size).toBe(30_001)
    expect(garbage([...next.keys()].map(layer), { blobs: new Set(), layers: new Set() }, edges)).toHaveLength(30_000)
    expect(garbage([layer(name(1)), blob(name(1))], { blobs: new Set(), layers: new Set() }, nothing)).toHaveLength(2)
  })
})

/** Images that share layers: a manifest that needs a config and two layers; unpacked, two chain ids on each other. */
const imageNames = ["a", "b", "c"]
const imagesOfWorld = new Map(imageNames.map((name) => {
  const layers = [sha256("shared"), sha256(`layer ${name === "c" ? "a" : name}`)] as const
  return [name, { layers, config: sha256(`config ${name}`), target: sha256(`manifest ${name}`), layer: sha256(`chain ${layers[1]}`) }]
}))
const imageOf = (name: string) => imagesOfWorld.get(name)!

const graphOfWorld = new Map([...imagesOfWorld.values()].flatMap(({ config, layer: top, layers, target }) => [
  [key(blob(target)), [blob(config), ...layers.map(blob)]], [key(layer(top)), [layer(layers[0])]]
]))
const edgesOfWorld: Edges = (content) => graphOfWorld.get(key(content)) ?? []

/** A store as several processes see it. `locked` from a collector's beginning to its end. */
class World {
  readonly stored = new Map<string, Content>()
  readonly leases = new Map<number, Array<Content>>()
  readonly images = new Set<string>()
  readonly containers = new Set<string>()
  locked = false
  readonly heedsLock: boolean

  constructor(heedsLock = true) {
    this.heedsLock = heedsLock
  }

  /** Whether who writes a record has to wait. */
  get closed(): boolean {
    return this.locked && this.heedsLock
  }

  roots(what: ReadonlyArray<keyof Roots>): Partial<Roots> {
    const held = (names: ReadonlySet<string>) => [...names].map(imageOf)
    const all: Roots = {
      leases: [...this.leases.values()].map((holds) => ({ holds: [...holds] })),
      images: held(this.images), containers: held(this.containers)
    }
    return Object.fromEntries(what.map((part) => [part, all[part]]))
  }

  /** What a record or a lease promises and the store has not. */
  broken(): ReadonlyArray<string> {
    const promised = mark({ ...noRoots, ...this.roots(["images", "containers"]) }, edgesOfWorld)
    return [...[...promised.blobs].map(blob), ...[...promised.layers].map(layer)].map(key).filter((one) => !this.stored.has(one))
  }
}

type Process = Generator<undefined, void>

/** Each `yield` lets others go on; a process that is never resumed was killed. */
function* pull(world: World, owner: number, name: string): Process {
  const { config, layer: top, layers, target } = imageOf(name)
  const wanted = [...layers.map(blob), blob(config), layer(layers[0]), layer(top), blob(target)]
  const holds: Array<Content> = []
  for (const content of wanted) {
    while (world.locked) yield
    world.leases.set(owner, holds)
    holds.push(content)
    yield
    const found = world.stored.has(key(content))
    yield
    if (!found) world.stored.set(key(content), content)
    yield
  }
  while (world.closed) yield
  world.images.add(name)
  yield
  world.leases.delete(owner)
}

function* createThenRemove(world: World, name: string): Process {
  while (world.closed) yield
  if (world.images.has(name)) world.containers.add(name)
  yield
  while (world.closed) yield
  world.images.delete(name)
}

type Order = ReadonlyArray<keyof Roots>

function* collect(world: World, order: Order): Process {
  while (world.locked) yield
  world.locked = true
  const stored = [...world.stored.values()]
  yield
  let roots: Partial<Roots> = {}
  for (const part of order) {
    roots = { ...roots, ...world.roots([part]) }
    yield
  }
  for (const content of garbage(stored, mark({ ...noRoots, ...roots }, edgesOfWorld), edgesOfWorld)) {
    world.stored.delete(key(content))
    yield
  }
  world.locked = false
}

/** As the engine reads them; but any order will do. */
const usualOrder: Order = ["images", "leases", "containers"]
const orders: ReadonlyArray<Order> = [
  usualOrder, ["leases", "images", "containers"], ["leases", "containers", "images"], ["containers", "leases", "images"]
]

const actions = fc.record({
  kind: fc.constantFrom("pull", "pull", "use", "collect"), image: fc.constantFrom(...imageNames), killed: fc.nat(9)
})

/** Runs processes in a schedule; what breaks on the way is given back. A killed process's lease ends with it. */
const simulate = (
  world: World, order: Order, plan: ReadonlyArray<{ readonly kind: string; readonly image: string; readonly killed: number }>,
  schedule: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const running = plan.map(({ image, killed, kind }, owner) => ({
    owner, budget: kind === "pull" && killed < 3 ? killed * 6 + 1 : Infinity,
    process: kind === "pull" ? pull(world, owner, image) : kind === "use" ? createThenRemove(world, image) : collect(world, order)
  }))
  for (let step = 0; running.length > 0; step++) {
    // A schedule that asks only for who waits would never end
    const number = step < 2000 ? schedule[step % schedule.length]! : step
    const place = (number >> 4) % running.length
    const chosen = running[place]!
    for (let burst = number % 16; burst >= 0; burst--) {
      const dead = chosen.budget-- <= 0
      if (dead) world.leases.delete(chosen.owner)
      const ended = dead || chosen.process.next().done === true
      if (world.broken().length > 0) return world.broken()
      if (!ended) continue
      running.splice(place, 1)
      break
    }
  }
  return []
}

/** Every way of one process stopping once for the other to run a while: how many end in a broken promise. */
const explore = (order: Order, start: () => World, other: (world: World) => Process): number => {
  const longest = 60
  let losses = 0
  for (let before = 0; before < longest; before++) {
    for (let between = 0; between < longest; between++) {
      const world = start()
      const [process, collector] = [other(world), collect(world, order)]
      const run = (one: Process, steps: number) => {
        for (let step = 0; step < steps; step++) one.next()
      }
      run(process, before)
      run(collector, between)
      run(process, longest)
      run(collector, longest)
      run(process, longest)
      if (world.broken().length > 0) losses++
    }
  }
  return losses
}

const plans = fc.array(actions, { minLength: 2, maxLength: 6 })
const schedules = fc.array(fc.nat(16 * 60), { minLength: 20, maxLength: 100 })

describe("a collector beside pulls, removals and containers", () => {
  it("never removes what a record promises, and afterwards finds all the garbage", () => {
    fc.assert(fc.property(plans, schedules, (plan, schedule) => {
      const world = new World()
      expect(simulate(world, usualOrder, plan, schedule)).toEqual([])
      expect(simulate(world, usualOrder, [{ kind: "collect", image: "", killed: 9 }], [0])).toEqual([])
      const kept = mark({ ...noRoots, ...world.roots(["images", "containers"]) }, edgesOfWorld)
      expect(world.stored.size).toBe(kept.blobs.size + kept.layers.size)
    }), { numRuns: 1000 })
  })

  const empty = () => new World()
  const withImage = () => {
    const world = new World()
    for (const _ of pull(world, 0, "a"));
    return world
  }
  const pulling = (world: World) => pull(world, 1, "a")
  const using = (world: World) => createThenRemove(world, "a")

  it("loses nothing wherever one of them stops for the other, in whatever order it reads", () => {
    for (const order of orders) {
      for (const start of [empty, withImage]) {
        for (const other of [pulling, using]) expect(explore(order, start, other)).toBe(0)
      }
    }
  })

  it("would lose something if records were written while the store is locked", () => {
    expect(explore(["images", "leases", "containers"], () => new World(false), pulling)).toBeGreaterThan(0)
    const unheeding = () => Object.assign(withImage(), { heedsLock: false })
    expect(explore(["leases", "containers", "images"], unheeding, using)).toBeGreaterThan(0)
  })
})
