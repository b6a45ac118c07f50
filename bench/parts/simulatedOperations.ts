/** (e) Operations per second of the simulated kernel, through the door that programs use. */
import * as Effect from "effect/Effect"
import { Kernel } from "../../src/programs/Kernel.ts"
import { runSimulated } from "../../src/testing/runSimulated.ts"
import type { Part } from "../Part.ts"
import type { Samples } from "../Samples.ts"

/** Operations of one sample. */
const operations = 30_000

/** A kind of operation, performed with another number each time; `before` is not measured. */
interface Kind {
  readonly name: string
  readonly before: (kernel: Kernel["Service"]) => Effect.Effect<unknown, unknown>
  readonly perform: (kernel: Kernel["Service"], number: number) => Effect.Effect<unknown, unknown>
}

/** The directory of the memory controller on a simulated cgroup2 host. */
const groups = "/sys/fs/cgroup/bench"
const emptyRecord = { collection: "containers", revision: 0, name: "", value: "{}" } as const
const ten = Array.from({ length: 10 }, (_, number) => number)

const kinds: ReadonlyArray<Kind> = [
  {
    name: "DirMake, FileWrite, FileRead, TreeRemove",
    before: (kernel) => kernel.perform("DirEnsure", { path: "/tmp/bench", mode: 0o755 }),
    perform: (kernel, number) => {
      const path = `/tmp/bench/${number >> 2}`
      switch (number & 3) {
        case 0: return kernel.perform("DirMake", { path, mode: 0o755 })
        case 1: return kernel.perform("FileWrite", { path: `${path}/file`, mode: 0o644, text: "text" })
        case 2: return kernel.perform("FileRead", { path: `${path}/file`, limit: 4096 })
        default: return kernel.perform("TreeRemove", { path })
      }
    }
  },
  {
    name: "CgroupMake, CgroupWrite, CgroupRead, CgroupRemove",
    before: (kernel) =>
      Effect.andThen(
        kernel.perform("CgroupEnsure", { directory: groups }),
        kernel.perform("CgroupWrite", { directory: groups, file: "cgroup.subtree_control", value: "+memory +pids" })
      ),
    perform: (kernel, number) => {
      const directory = `${groups}/${number >> 2}`
      switch (number & 3) {
        case 0: return kernel.perform("CgroupMake", { directory })
        case 1: return kernel.perform("CgroupWrite", { directory, file: "pids.max", value: "10" })
        case 2: return kernel.perform("CgroupRead", { directory, files: ["pids.max"] })
        default: return kernel.perform("CgroupRemove", { directory })
      }
    }
  },
  {
    name: "FileWrite over files of a thousand",
    before: (kernel) =>
      Effect.andThen(
        Effect.forEach(ten, (one) => kernel.perform("DirEnsure", { path: `/tmp/many/${one}`, mode: 0o755 })),
        Effect.forEach(Array.from({ length: 1000 }, (_, number) => number), (number) =>
          kernel.perform("FileWrite", { path: `/tmp/many/${number % 10}/${number}`, mode: 0o644, text: "" }))
      ),
    perform: (kernel, number) => {
      const path = `/tmp/many/${number % 10}/${number % 1000}`
      return kernel.perform("FileWrite", { path, mode: 0o644, text: String(number) })
    }
  },
  {
    name: "RecordPut, RecordGet, RecordPut, RecordDelete beside a hundred",
    before: (kernel) =>
      Effect.forEach(Array.from({ length: 100 }, (_, number) => `other${number}`), (key) =>
        kernel.perform("RecordPut", { ...emptyRecord, key })),
    perform: (kernel, number) => {
      const key = `k${number >> 2}`
      switch (number & 3) {
        case 0: return kernel.perform("RecordPut", { ...emptyRecord, key })
        case 1: return kernel.perform("RecordGet", { collection: "containers", key })
        case 2: return kernel.perform("RecordPut", { ...emptyRecord, key, revision: 1 })
        default: return kernel.perform("RecordDelete", { collection: "containers", key })
      }
    }
  }
]

/** Operations per second on a host of its own. Real time: the host's is virtual. */
const measure = (kind: Kind): Promise<number> =>
  runSimulated(Effect.gen(function*() {
    const kernel = yield* Kernel
    yield* kind.before(kernel)
    const began = performance.now()
    for (let number = 0; number < operations; number++) yield* kind.perform(kernel, number)
    return operations / (performance.now() - began) * 1000
  }))

export const simulatedOperations: Part = {
  key: "e",
  title: "operations of the simulated kernel, one after the other through Kernel.perform",
  repetitions: 7,
  measure: async (workspace, repetitions) => {
    const values = kinds.map((): Array<number> => [])
    for (let round = -1; round < repetitions; round++) {
      for (const [index, kind] of kinds.entries()) {
        await workspace.settle()
        const value = await measure(kind)
        if (round >= 0) values[index]!.push(value)
      }
    }
    const samples = kinds.map(({ name }, index): Samples => ({ name, values: values[index]! }))
    return {
      unit: "op/s", samples, comparisons: [],
      bounds: samples.map(({ name }) => ({ of: name, aim: 100_000, better: "more" as const }))
    }
  }
}
