/** (c) A hundred containers started detached by eight clients, then removed by eight. */
import * as Effect from "effect/Effect"
import { installedEngines } from "../contestants/engines.ts"
import { Library } from "../contestants/Library.ts"
import { Engine } from "../../src/programs/Engine.ts"
import type { Part } from "../Part.ts"
import type { Samples } from "../Samples.ts"
import type { Workspace } from "../Workspace.ts"

const containers = 100
const clients = 8

/** Milliseconds to start all and to remove all. */
interface Flood {
  readonly name: string
  readonly start: () => Promise<number>
  readonly remove: () => Promise<number>
}

const libraryFlood = (library: Library): Flood => {
  const ids: Array<string> = []
  const config = library.config(["sleep", "1000"])
  const startOne = Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config, "")
    yield* engine.start(id)
    ids.push(id)
  })
  const timed = async (all: Effect.Effect<unknown, unknown, Engine>): Promise<number> => {
    const began = performance.now()
    await library.run(all)
    return performance.now() - began
  }
  const all = { concurrency: clients, discard: true } as const
  return {
    name: "fx-engine, fibers of a library",
    start: () => timed(Effect.forEach(Array.from({ length: containers }), () => startOne, all)),
    remove: () => timed(Effect.forEach(ids.splice(0), (id) =>
      Engine.use((engine) => engine.remove(id, { force: true })), all))
  }
}

const commandFloods = (workspace: Workspace): ReadonlyArray<Flood> => {
  const options = { times: containers, atOnce: clients }
  return installedEngines(workspace).map(({ name, peer, removeIdle, startIdle }) => ({
    name: `${name}, commands`,
    start: () => workspace.time(startIdle, { peer, ...options }),
    remove: () => workspace.time(removeIdle, { peer, ...options })
  }))
}

export const detachedStarts: Part = {
  key: "c",
  title: `${containers} detached starts by ${clients} clients, and their removal`,
  repetitions: 3,
  measure: async (workspace, repetitions) => {
    const floods = [libraryFlood(await Library.open(workspace)), ...commandFloods(workspace)]
    const rows = floods.map((): Record<"start" | "remove" | "both", Array<number>> =>
      ({ start: [], remove: [], both: [] }))
    for (let round = 0; round < repetitions; round++) {
      for (const [index, flood] of floods.entries()) {
        await workspace.settle()
        const start = await flood.start()
        const remove = await flood.remove()
        rows[index]!.start.push(start)
        rows[index]!.remove.push(remove)
        rows[index]!.both.push(start + remove)
      }
    }
    const samples = floods.flatMap(({ name }, index): ReadonlyArray<Samples> => [
      { name, values: rows[index]!.both },
      { name: `${name}: start`, values: rows[index]!.start },
      { name: `${name}: remove`, values: rows[index]!.remove }
    ])
    const peers = ["podman, commands", "docker, commands"]
    return {
      unit: "ms", samples,
      comparisons: peers.flatMap((peer) => ["", ": start", ": remove"].flatMap((step) =>
        ["fx-engine, fibers of a library", "fx-engine, commands"].map((ours) =>
          ({ of: `${ours}${step}`, to: `${peer}${step}`, ...(step === "" ? { aim: 0.2 } : {}) }))))
    }
  }
}
